"""Offerings that one subscriber gives another → commands for the giver's owner, decided on whoever gets them."""

from msgspec.structs import replace

from appserver.accounts.receiver import Receiver
from appserver.reference import DomainReference
from appserver.work.revisions import decided_on
from charging.errors import Invalid
from charging.ledger.commands.give_offering import GiveOffering, OfferingTerms
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.giving import PATH, GivenOffering, pack_given
from charging.ledger.revising import required
from charging.rating.selling import NAMES_SHOWN_MAX

FIELD = f"{PATH}.offering"


def given_on(order: GiveOffering, identity: str, receiver: Receiver, now_ms: int) -> GiveOffering:
    """Complete a gift by what it costs, and by the subscription that it is for its receiver.

    Raises `Invalid` OFFERING_NOT_GIVEN, and for its receiver what `subscribe` raises: the owner is asked afterwards,
    but what is known to be refused takes no money first.
    """
    account, contract, reference = receiver.account, receiver.contract, receiver.reference
    required(account, contract)
    fee = _fee(order.offering, reference, now_ms)
    wanted = Subscribe(order.offering, "now", 0, 0, order.subscription_attributes, 0, order.quantity)
    ready = decided_on(wanted, contract, account, reference, now_ms, path=FIELD)
    assert isinstance(ready, Subscribe)
    ready.of(contract, now_ms)
    given = GivenOffering(contract, ready.added(), ready.dues)
    terms = OfferingTerms(
        given.price(), account.terms.currency, fee, identity, given.added.valid_to_ms, pack_given(given)
    )
    return replace(order, terms=terms)


def _fee(offering: str, reference: DomainReference, now_ms: int) -> int:
    """Give what giving an offering costs beside its price, micro-units. Raises `Invalid` OFFERING_NOT_GIVEN."""
    given = reference.timeline.plan_at(now_ms).given if reference.sells else {}
    if offering not in given:
        text = f"one of {', '.join(sorted(given)[:NAMES_SHOWN_MAX]) or 'none: nothing may be given there'}"
        message = f"offering {offering[:64]!r} may not be given to others: give {text}"
        raise Invalid("OFFERING_NOT_GIVEN", message, fields={FIELD: text})
    return given[offering]
