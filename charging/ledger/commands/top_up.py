"""Deposit, payment, voucher: add to a book of an account, money or free units, with the bonuses that come with it."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.base.asked import Asked, FilledIn
from charging.base.fields import BookId, Priority, Unit
from charging.base.fieldtypes import TEXT, Amount, Moment, Text, check_validity, refusal
from charging.base.staged import DEPOSIT, StagedMoney
from charging.ledger import rewards
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.adding import Addition, after, first_money, prepared
from charging.ledger.effect import Effect
from charging.ledger.events import Booked, Noticed
from charging.ledger.reversals import refuse_reversed
from charging.ledger.rewards import BONUSES_MAX, BonusPart
from charging.ledger.staging import STAGED, MoneyStaged
from charging.ledger.standing import require_open

_ENDS = "0, or a time after the top-up"
_ADDED = Amount("TOP_UP_NOT_POSITIVE", beside="unit")


class TopUp(BaseAction, frozen=True, tag="topup"):
    """Deposit, payment, bonus, voucher: add to a book, making it if need be."""

    book_id: BookId
    unit: Unit
    amount: Annotated[int, _ADDED]
    """Micro-units of money, base units of anything else."""
    valid_to_ms: Annotated[int, Moment(_ENDS)]
    priority: Priority
    allowance: Annotated[str, TEXT]
    kind: Annotated[str, Text(empty="deposit")]
    valid_from_ms: Annotated[int, Moment()] = 0
    """From when a book that it makes holds; 0 = a pack from its purchase on, plain money whenever."""
    bonuses: Annotated[tuple[BonusPart, ...], FilledIn()] = ()
    """What the catalogue gives besides, as the platform reads it."""
    stage: Annotated[int, FilledIn()] = 0
    """Period of the run in whose stage it waits, months since the year 0; 0 = it comes in at once."""

    stages = True

    traits = Traits(
        sender=PLATFORM,
        permissions=("top_up", "top_up_units"),
        predictable=True,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what it adds, whatever the unit."""
        return self.amount

    def permission(self) -> str:
        """Give free units a name of their own: their limits are no money."""
        return "top_up_units" if self.unit not in ("", MONEY) else "top_up"

    def checked(self, asked: Asked) -> "TopUp":
        """Give it as it is. Raises `Invalid` VALIDITY_OVER when what it adds would never hold."""
        _check_end(self.valid_to_ms, asked.time_ms, "top_up.valid_to_ms")
        check_validity(self.valid_from_ms, self.valid_to_ms, "top_up")
        return self

    def staged(self, month: int) -> "TopUp":
        """Let it wait if it is money that bills are settled from; packs and bound money are no part of a bill run."""
        plain = self.book_id in ("", MAIN_BOOK) and self.unit in ("", MONEY) and not self.allowance
        return replace(self, stage=month) if plain else self

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Add to a book as `charging.ledger.adding` says, then each bonus to its own: one act, in this order.

        Bonuses come at once also where the money itself waits in its stage.
        """
        require_open(account)
        refuse_reversed(account, command.key)
        book_id, unit = self.book_id or MAIN_BOOK, self.unit or MONEY
        _ADDED.read(self.amount, "amount")
        _check_end(self.valid_to_ms, command.time_ms, "valid_to_ms")
        given = Addition(
            book_id, unit, self.amount, self.valid_to_ms, self.priority, self.allowance, self.valid_from_ms
        )
        kind = self.kind or "deposit"
        booked = Booked(kind, ((book_id, self.amount),), "")
        events = [*prepared(account, given, command.time_ms), booked]
        if self.bonuses:
            _check_bonuses(self.bonuses)
            events += rewards.given(account, self.bonuses, after(account, events), command.time_ms)
        if self.stage:
            row = StagedMoney(
                command.key, DEPOSIT, kind, self.amount, booked.postings, (), now_ms, self.stage, booked.reason
            )
            events[events.index(booked)] = MoneyStaged(row)
            events.append(Noticed((STAGED,)))
        return Effect((*events, *first_money(account, unit)), self.amount if unit == MONEY else 0)


def _check_end(valid_to_ms: int, time_ms: int, path: str) -> None:
    if valid_to_ms and valid_to_ms <= time_ms:
        raise refusal("VALIDITY_OVER", path, _ENDS)


def _check_bonuses(bonuses: tuple[BonusPart, ...]) -> None:
    """Look at what the platform read out of the catalogue: the owner trusts no number."""
    for part in bonuses:
        _ADDED.read(part.amount, "bonuses")
    if len(bonuses) > BONUSES_MAX:
        raise refusal("LIST_TOO_LONG", "bonuses", f"at most {BONUSES_MAX}")
