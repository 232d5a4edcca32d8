"""`ReceivablesService` over gRPC: the accounts of a slot that owe something, a page at a time.

The platform keeps nothing of it. Who may ask is asked of the region's newest grants.
"""

from collections.abc import Callable

import grpc
from onetier.v1 import receivables_pb2 as pb
from onetier.v1.receivables_pb2_grpc import ReceivablesServiceServicer

from appserver.billing.asking import PickLink, Question
from appserver.billing.regions import RegionDoor, check_domain
from appserver.billing.telling import expect
from appserver.replies.arrears import fill_arrears
from charging.base.bounds import ACTOR_CHARS_MAX, CODE_CHARS_MAX
from charging.errors import Invalid
from charging.wire import DueAccounts, FetchDue

READ = "arrears"
"""What grants call it: that of one account and that of all."""
ACCOUNTS_DEFAULT = 100


class Receivables(RegionDoor, ReceivablesServiceServicer):
    """Serves operators. `wall_ms` is UTC, `timeout_s` for calls that name no deadline."""

    def __init__(self, pick: PickLink, wall_ms: Callable[[], int], timeout_s: float) -> None:
        super().__init__(pick, timeout_s)
        self._wall_ms = wall_ms

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
        check_domain(domain)
        reference = await self._permitted(READ, request, context)
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
