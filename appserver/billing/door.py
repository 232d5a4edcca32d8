"""What every billing call needs: its region's reference data, whether the caller may, and questions to owners."""

from collections.abc import Callable, Sequence
from functools import partial

import grpc
from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import PickLink, Question, ask_all
from appserver.billing.parts import Ask
from appserver.billing.plans import Plans
from appserver.billing.reading import BillingRequest
from appserver.billing.regions import check_domain
from appserver.billing.telling import expect
from charging.base.identity import normalise
from charging.errors import Denied
from charging.ledger.permission import Policy, names_another
from charging.wire import Answer, BusinessData, FetchReference, Pull, Reference, Unchanged
from runtime.pace import RunPace
from runtime.principal import principal_of

IdentityRequest = pb.BillAccountsRequest | pb.ReadBillsRequest | pb.ReadCustomerBillRequest
TIMEOUT_S_MAX = 600.0
WAY_BACK_S = 0.25
"""Of a call's time, kept for its reply."""


class BillingDoor:
    """The surroundings of billing calls. `wall_ms` is UTC, `timeout_s` for calls that name no deadline;
    `pace` is at which bills are made beside the business.

    Numbers are read as `country` writes them, like those of all other calls.
    """

    def __init__(
        self, pick: PickLink, wall_ms: Callable[[], int], timeout_s: float, country: str, pace: RunPace
    ) -> None:
        self._pick = pick
        self._wall_ms = wall_ms
        self._timeout_s = timeout_s
        self._country = country
        self._pace = pace
        self._plans = Plans()

    async def _domain_of(self, identity: str, context: grpc.aio.ServicerContext) -> str:
        (answer,) = await self._ask([Question(identity, Pull(identity))], context)
        return expect(BusinessData, answer).account.terms.domain

    def _name(self, request: IdentityRequest) -> None:
        """Name whom a request is about as the number plan does. Raises `Invalid` IDENTITY_MALFORMED, and like it."""
        request.identity = normalise(request.identity, self._country)

    def _asker(self, context: grpc.aio.ServicerContext) -> Ask:
        return partial(self._ask, context=context)

    async def _reference(self, domain: str, context: grpc.aio.ServicerContext) -> Reference:
        """Ask for the region's newest reference data. Raises `NotFound` DOMAIN_UNKNOWN."""
        check_domain(domain)
        ask = FetchReference(domain, self._plans.revision(domain))
        (answer,) = await self._ask([Question(f"domain:{domain}", ask)], context)
        held = self._plans.held(domain)
        if isinstance(answer, Unchanged) and held is not None:
            return held
        reference = expect(Reference, answer)
        self._plans.take(reference)
        return reference

    def _permit(
        self,
        name: str,
        request: BillingRequest,
        reference: Reference,
        context: grpc.aio.ServicerContext,
    ) -> None:
        """Raises what `Policy.permit` raises."""
        principal = principal_of(context).name
        another = names_another(principal, request.actor)
        Policy(reference.grants).permit(principal, name, request.channel, "", reference.domain, another)

    def _may(self, name: str, request: BillingRequest, reference: Reference, context: grpc.aio.ServicerContext) -> bool:
        """Say whether `_permit` raises nothing."""
        try:
            self._permit(name, request, reference, context)
        except Denied:
            return False
        return True

    async def _ask(self, questions: Sequence[Question], context: grpc.aio.ServicerContext) -> list[Answer]:
        left_s = context.time_remaining()
        if left_s is None:
            return await ask_all(self._pick, questions, self._timeout_s)
        # What some slots answered in time must reach the caller, too.
        return await ask_all(self._pick, questions, max(min(left_s, TIMEOUT_S_MAX) - WAY_BACK_S, left_s / 2))
