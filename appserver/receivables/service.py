"""`ReceivablesService` over gRPC: the accounts of a slot that owe something, a page at a time.

The platform keeps nothing of it. Who may ask is asked of the region's newest grants.
"""

from collections.abc import Callable

import grpc
from onetier.v1 import receivables_pb2 as pb
from onetier.v1.receivables_pb2_grpc import ReceivablesServiceServicer

from appserver.billing.asking import PickLink, Question, ask_all
from appserver.billing.telling import expect
from appserver.replies.arrears import fill_arrears
from charging.base.bounds import ACTOR_CHARS_MAX, CODE_CHARS_MAX
from charging.base.names import is_code
from charging.errors import Invalid, NotFound
from charging.ledger.permission import Policy, names_another
from charging.wire import Answer, DueAccounts, FetchDue, FetchReference, Reference
from runtime.principal import principal_of

READ = "arrears"
"""What grants call it: that of one account and that of all."""
ACCOUNTS_DEFAULT = 100


class Receivables(ReceivablesServiceServicer):
    """Serves operators. `wall_ms` is UTC, `timeout_s` for calls that name no deadline."""

    def __init__(self, pick: PickLink, wall_ms: Callable[[], int], timeout_s: float) -> None:
        self._pick = pick
        self._wall_ms = wall_ms
        self._timeout_s = timeout_s

    async def ListOwing(self, request: pb.ListOwingRequest, context: grpc.aio.ServicerContext) -> pb.ListOwingResponse:
        """Tell a page of the accounts of a slot that owe something by bills, or are dunned.

        Faults: DOMAIN_UNKNOWN, SLOT_UNKNOWN, PAGE_TOKEN_FOREIGN, TEXT_TOO_LONG, and those of who may ask.
        """
        said = (("actor", request.actor, ACTOR_CHARS_MAX), ("channel", request.channel, CODE_CHARS_MAX))
        for field, text, most in said:
            if len(text) > most:
                wanted = f"at most {most} characters"
                raise Invalid("TEXT_TOO_LONG", f"the {field} has {len(text)}: {wanted}", fields={field: wanted})
        domain = request.domain
        if is_code(domain) is None:
            raise NotFound("DOMAIN_UNKNOWN", f"there is no domain {domain[:40]!r}", facts={"domain": domain[:40]})
        reference = expect(Reference, await self._ask(Question(f"domain:{domain}", FetchReference(domain)), context))
        principal = principal_of(context).name
        another = names_another(principal, request.actor)
        Policy(reference.grants).permit(principal, READ, request.channel, "", domain, another)
        if request.slot >= reference.slots:
            wanted = f"a slot of {domain} is 0 to {reference.slots - 1}"
            raise Invalid("SLOT_UNKNOWN", wanted, fields={"slot": wanted})
        slot = f"{domain}/{request.slot}"
        ask = FetchDue(slot, 0, 0, request.accounts_max or ACCOUNTS_DEFAULT, request.page, owing=True)
        page = expect(DueAccounts, await self._ask(Question(f"domain:{slot}", ask), context))
        told = pb.ListOwingResponse(next_page=page.next, slots=reference.slots)
        for account in page.accounts:
            fill_arrears(told.accounts.add(), account, self._wall_ms())
        return told

    async def _ask(self, question: Question, context: grpc.aio.ServicerContext) -> Answer:
        left_s = context.time_remaining()
        (answer,) = await ask_all(self._pick, [question], self._timeout_s if left_s is None else left_s)
        return answer
