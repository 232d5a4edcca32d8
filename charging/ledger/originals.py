"""What the journal says of a charge that is to be refunded, or of a payment that is to be reversed.

`charged_fact` reads the entry of a charge and `with_original` puts it into the command. Steps of a session are given
back once it has ended, less what its later steps gave back by themselves (`Falls`).
"""

from collections.abc import Sequence

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY
from charging.ledger.command import Command
from charging.ledger.commands.pay import Paid
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.remember import REMEMBERED
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.top_up import TopUp
from charging.ledger.entry import Entry
from charging.ledger.events import Booked, SessionStepped
from charging.ledger.kinds import TAGS
from charging.ledger.outcome import ChargedFact, Done, PaymentFact, unpack_outcome
from charging.ledger.rewards import BonusGiven
from charging.ledger.spreading import charged_in
from charging.ledger.staging import MoneyStaged


class Falls:
    """What steps of a session gave back by themselves of what earlier ones had taken, as where more costs less.

    Made by walking the account's entries back, newest first: what falls is of what was taken last before it.
    """

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self._amount: dict[str, int] = {}
        self._money: dict[str, int] = {}
        self._units: dict[str, int] = {}
        self._accruals: dict[str, int] = {}

    def pass_over(self, entry: Entry) -> None:
        """Note the next older entry, if it is a step of the session."""
        for event in entry.events:
            if isinstance(event, SessionStepped) and event.session.session_id == self.session_id:
                self.left_of(event, entry.time_ms)

    def left_of(self, event: SessionStepped, time_ms: int) -> ChargedFact | None:
        """Give what is left of what a step took, after the newer ones that were passed over; None when nothing is."""
        rows = event.postings
        amounts = _left([("", row.amount) for row in rows], self._amount)
        money = _left([pair for row in rows for pair in row.postings], self._money)
        units = _left([pair for row in rows for pair in row.units], self._units)
        accruals = _left([pair for row in rows for pair in row.accruals], self._accruals)
        if not (money or units or accruals):
            return None
        billed = tuple(each for each in event.billed() if each.amount > 0)
        left = sum(amount for _, amount in amounts)
        return ChargedFact(left, money, accruals, units, time_ms, self.session_id, billed)


def _left(changes: list[tuple[str, int]], falls: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """Give what is left of a step's changes after later falls; its own are added for the steps before it."""
    totals: dict[str, int] = {}
    for key, change in changes:
        totals[key] = totals.get(key, 0) + change
    left: list[tuple[str, int]] = []
    for key, total in totals.items():
        rest = total - falls.pop(key, 0)
        if rest < 0:
            falls[key] = -rest
        elif rest:
            left.append((key, rest))
    return tuple(left)


def charged_fact(entry: Entry, falls: Falls | None = None) -> ChargedFact | None:
    """Read what an entry charged; None when it charged nothing (a refusal, a top-up, a mere reservation).

    `falls` of a session passed over all newer entries; without it a step's whole charge is told.
    """
    if entry.charged is not None:
        return entry.charged if entry.charged.paid is None else None
    charged = charged_in(entry.events)
    if charged:
        return _all_of(charged, entry.time_ms)
    for event in entry.events:
        if isinstance(event, SessionStepped):
            return (falls or Falls(event.session.session_id)).left_of(event, entry.time_ms)
    return None


def kept_fact(entry: Entry) -> ChargedFact | None:
    """Read what an account takes along of an entry when it is ported: what a refund or a reversal of it needs."""
    if entry.charged is not None:
        return entry.charged
    charged = charged_fact(entry)
    if charged is None and (paid := payment_fact(entry)).amount:
        return ChargedFact(0, (), (), paid=paid)
    return charged


def _all_of(charged: Sequence[Charged], time_ms: int) -> ChargedFact:
    """Give what the uses of one entry took together: one, or those of a batch."""
    return ChargedFact(
        sum(event.charge.amount for event in charged),
        _left([pair for event in charged for pair in event.postings], {}),
        _left([pair for event in charged for pair in event.charge.accruals], {}),
        _left([pair for event in charged for pair in event.units], {}),
        time_ms,
        billed=tuple(each for event in charged for each in event.billed()),
    )


def payment_fact(entry: Entry | None) -> PaymentFact:
    """Read what an entry took in: a payment, or money that was topped up; what was refused never came."""
    if entry is not None and entry.kind == REMEMBERED:
        return _remembered(entry)
    if entry is None or not entry.events:
        return PaymentFact()
    for event in entry.events:
        if isinstance(event, Paid):
            return PaymentFact(event.amount, event.kind, MAIN_BOOK, event.shares, entry.time_ms)
        if isinstance(event, MoneyStaged) and event.row.amount:
            row = event.row
            return PaymentFact(row.amount, row.kind, MAIN_BOOK, row.shares, entry.time_ms, bonuses=_bonuses(entry))
        if isinstance(event, Booked) and entry.kind == TAGS[TopUp] and event.kind != "lapse":
            (book_id, amount), *_ = event.postings
            if _unit_of(entry, book_id) != MONEY:
                break  # Nobody paid units in.
            return PaymentFact(amount, event.kind, book_id, (), entry.time_ms, bonuses=_bonuses(entry))
    return PaymentFact(time_ms=entry.time_ms, other=True)


def _remembered(entry: Entry) -> PaymentFact:
    """Read what was done under a key before a port; a refusal did nothing."""
    if entry.charged is not None and entry.charged.paid is not None:
        return entry.charged.paid
    done = isinstance(unpack_outcome(entry.outcome), Done)
    return PaymentFact(time_ms=entry.time_ms, other=True) if done else PaymentFact()


def _bonuses(entry: Entry) -> tuple[tuple[str, str, int], ...]:
    return tuple((each.rule, each.book_id, each.amount) for each in entry.events if isinstance(each, BonusGiven))


def _unit_of(entry: Entry, book_id: str) -> str:
    told = unpack_outcome(entry.outcome)
    moved = told.movements if isinstance(told, Done) else ()
    return next((each.unit for each in moved if each.book_id == book_id), MONEY)


def with_original(command: Command, entry: Entry | None, falls: Falls | None = None, *, whole: bool = True) -> Command:
    """Fill a refund or a reversal with what the journal says; `entry` is the one found under its original's key.

    `whole` says that the journal has all of the account's past: then what is not in it never came.
    """
    action = command.action
    if isinstance(action, Refund):
        return replace(command, action=replace(action, original=None if entry is None else charged_fact(entry, falls)))
    if isinstance(action, ReversePayment) and (entry is not None or whole):
        return replace(command, action=replace(action, original=payment_fact(entry)))
    return command
