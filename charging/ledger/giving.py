"""Offerings that one subscriber buys for another: what travels with the money, and what becomes of both.

The platform decides a subscription on the contract of whoever gets it, by the catalogue of the region that serves it,
and rates its fees there. The giver's owner takes what they come to and sends both on their way, as a transfer goes. In
one entry the other owner takes the money in, begins the subscription and posts the fees, out of that money alone. When
contract or account have changed meanwhile, so that it would be something else, it is refused and the money goes back.
"""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.contract import Contract, Subscription
from charging.errors import Invalid, Refused
from charging.ledger import dues, revising
from charging.ledger.dues import Dues
from charging.ledger.effect import VersionMoved
from charging.ledger.event import BaseEvent
from charging.ledger.events import ContractSet
from charging.ledger.within import check_contract

PATH = "give_offering"


class GivenOffering(Struct, frozen=True, array_like=True, gc=False):
    """A subscription as it was decided for somebody who does not pay for it."""

    before: Contract
    """Of whoever gets it, as it was decided on."""
    added: Subscription
    dues: Dues
    """What it costs there: fees, no credits."""

    def price(self) -> int:
        """Give what the giver pays for it, micro-units."""
        return self.dues.at_stake()


pack_given = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(GivenOffering).decode


def read_given(packed: bytes) -> GivenOffering:
    """Read what travels with the money. Raises `Invalid` GIFT_OUTDATED what an older or newer tier has packed."""
    try:
        return _read(packed)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid("GIFT_OUTDATED", "what was given can't be read here") from error


def check_given(given: GivenOffering, known: Contract | None) -> None:
    """Hold a gift against the contract that its owner has. Refused GIFT_OUTDATED for another one.

    Not stale: nobody would decide it anew, and an answer that is not kept could be another one the next time.
    """
    if known != given.before:
        raise outdated(given, "has another contract by now")


def begun(account: Account, given: GivenOffering, amount: int, words: str, now_ms: int) -> tuple[BaseEvent, ...]:
    """Give what begins at an account whose main book has the money already; `words` name who gave it.

    Refused GIFT_OUTDATED, and what `charging.ledger.revising` and `charging.ledger.dues` refuse.
    """
    before = revising.required(account, given.before)
    if given.price() != amount or any(due.credit for due in given.dues.fees):
        raise outdated(given, "has a price that was not paid")
    after = revising.started(before, given.added, now_ms, PATH)
    check_contract(after)
    try:
        fees = dues.posted_from(account, given.dues, MAIN_BOOK)
    except VersionMoved as moved:
        raise outdated(given, "would pay other fees by now") from moved
    told = f"{revising.told(before, after, now_ms)}; {words}"[: revising.TOLD_CHARS_MAX]
    return (ContractSet(replace(after, version=account.version + 1), told), *fees)


def outdated(given: GivenOffering, why: str) -> Refused:
    """The refusal of a gift that would be something else than was decided."""
    text = f"{given.added.offering!r} was not given, for who was to get it {why}"
    return Refused("GIFT_OUTDATED", text, facts={"offering": given.added.offering})
