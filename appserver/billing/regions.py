"""What calls of operators about one region share: who asks, whether the region's newest grants let them, and questions.

What bills need besides, such as plans that are kept, is `appserver.billing.door`'s.
"""

from typing import Protocol

import grpc
from onetier.v1 import numbers_pb2, receivables_pb2

from appserver.billing.asking import PickLink, Question, ask_all
from appserver.billing.telling import expect
from charging.base.bounds import ACTOR_CHARS_MAX, CODE_CHARS_MAX
from charging.base.fieldtypes import PLAIN, refusal
from charging.base.names import is_code, is_plain
from charging.errors import NotFound
from charging.ledger.permission import Policy, names_another
from charging.wire import Answer, FetchReference, Reference
from runtime.principal import principal_of

RegionRequest = numbers_pb2.ListRestingNumbersRequest | receivables_pb2.ListOwingRequest


class CallerTold(Protocol):
    """A message that says who asks, or that part of one."""

    @property
    def actor(self) -> str:
        """Who it is."""

    @property
    def channel(self) -> str:
        """The way by which it came."""


def check_caller(told: CallerTold, path: str = "") -> None:
    """Look at what is only kept and shown; `path` goes before names of fields. Raises `Invalid` TEXT_TOO_LONG,
    TEXT_MALFORMED.
    """
    for field, text, most in (("actor", told.actor, ACTOR_CHARS_MAX), ("channel", told.channel, CODE_CHARS_MAX)):
        if len(text) > most:
            raise refusal("TEXT_TOO_LONG", f"{path}{field}", f"at most {most} characters")
        if not is_plain(text):
            raise refusal("TEXT_MALFORMED", f"{path}{field}", PLAIN)


def check_domain(domain: str) -> None:
    """Check that a region can have this name, before anybody is asked. Raises `NotFound` DOMAIN_UNKNOWN."""
    if is_code(domain) is None:
        raise NotFound("DOMAIN_UNKNOWN", f"there is no domain {domain[:40]!r}", facts={"domain": domain[:40]})


class RegionDoor:
    """The surroundings of calls about a region, of which nothing is kept; `timeout_s` is for those with no deadline."""

    def __init__(self, pick: PickLink, timeout_s: float) -> None:
        self._pick = pick
        self._timeout_s = timeout_s

    async def _permitted(self, name: str, request: RegionRequest, context: grpc.aio.ServicerContext) -> Reference:
        """Ask for the region's newest reference data, whose grants let the caller; raises what `Policy.permit` does."""
        domain = request.domain
        reference = expect(Reference, await self._ask(Question(f"domain:{domain}", FetchReference(domain)), context))
        principal = principal_of(context).name
        another = names_another(principal, request.actor)
        Policy(reference.grants).permit(principal, name, request.channel, "", domain, another)
        return reference

    async def _ask(self, question: Question, context: grpc.aio.ServicerContext) -> Answer:
        left_s = context.time_remaining()
        (answer,) = await ask_all(self._pick, [question], self._timeout_s if left_s is None else left_s)
        return answer
