"""The deposit stage and the settlement-instruction stage of an account, and the account as it will be after the replay.

While a run in mode `staged` bills the slot and an account is not closed yet, money that comes in for it is kept beside
its books (`Open.staged`): its entry is in the journal and its answer is a success, but no book and no bill changes.
Every command is decided on the account as it will be (`reckoned`), so what a caller is told, what is switched on again
and what is settled are the same as in mode `direct`; only the posting waits.
"""

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.receivables import RECEIVABLE, with_shares
from charging.base.staged import SETTLEMENT, StagedMoney, in_order
from charging.ledger import buckets, funds
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg, Pair, Settlement, book_legs
from charging.ledger.settling import Settled, numbers, settled_by, total

STAGED = "staged"
"""Notice of an entry whose money waits for the replay."""


class MoneyStaged(BaseEvent, frozen=True, tag="staged"):
    """Money came in and waits for the end of the run; no book holds it yet."""

    row: StagedMoney

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Remember it, and let books keep so much less."""
        books = funds.keep(account.books, self.row.kept_less, -1)
        return replace(account, books=books).with_open(staged=(*account.open.staged, self.row))

    def words(self) -> str:
        """Say the reason, or what it is."""
        return self.row.reason or f"{_what(self.row)}, staged"


class MoneyReplayed(BaseEvent, frozen=True, tag="replayed"):
    """What was staged came in: books gained it, and bills are settled by it as of when it was taken."""

    row: StagedMoney

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Add to the books, settle, and forget the row."""
        row = self.row
        books = funds.keep(account.books, row.kept_less, 1)
        state = replace(account, books=funds.shift(books, row.postings, 1))
        left = list(account.open.staged)
        if row in left:
            left.remove(row)
        state = state.with_open(staged=tuple(left))
        return with_shares(state, row.shares, row.at_ms, -1, 0) if row.shares else state

    def legs(self) -> tuple[Leg, ...]:
        """Post from where the money came to books, and to what is owed."""
        row = self.row
        legs = book_legs(row.postings, 1)
        if row.amount:
            legs = (*legs, Leg(row.kind, -row.amount))
        return (*legs, Leg(RECEIVABLE, total(row.shares))) if row.shares else legs

    def settles(self) -> tuple[Settlement, ...]:
        """Tell what it settled, by how it came in."""
        return settled_by(self.row.shares, self.row.kind or "balance")

    def moved_ms(self, time_ms: int) -> int:
        """Count it in the period in which it was taken."""
        return self.row.at_ms

    def words(self) -> str:
        """Say the reason, or what it is."""
        return self.row.reason or f"{_what(self.row)}, replayed"


def _what(row: StagedMoney) -> str:
    return row.kind or f"settled {numbers(row.shares)}"


def reckoned(account: Account) -> Account:
    """Give an account as it will be once all that is staged is replayed: as it would be now in mode `direct`."""
    for event in all_replayed(account):
        account = buckets.after(account, event.apply(account), event, event.row.at_ms)
    return account


def all_replayed(account: Account) -> tuple[MoneyReplayed, ...]:
    """Give what replays all that is staged: it comes in early before what counts how long a bill is overdue."""
    return tuple([MoneyReplayed(row) for row in in_order(account.open.staged)])


def in_time(account: Account, effect: Effect) -> Effect:
    """Give what was decided on an account as it will be, with all that is staged replayed before what counts so far."""
    if not account.open.staged or not any(event.recounts for event in effect.events):
        return effect
    return replace(effect, events=(*all_replayed(account), *effect.events))


def instructed(settled: Settled, key: str, month: int) -> MoneyStaged:
    """Stage the instruction in place of a settlement that the balance does by itself, with money that is staged."""
    postings: tuple[Pair, ...] = tuple([(book_id, -amount) for book_id, amount in settled.postings])
    return MoneyStaged(StagedMoney(key, SETTLEMENT, "", 0, postings, settled.shares, settled.at_ms, month, ""))


def replayable(account: Account, row: StagedMoney) -> bool:
    """Say whether a row can be replayed: the balance of an account that is closed or moved takes and gives nothing.

    But what a closed account spent, or was paid out, before it was closed, must come in to pay for that.
    """
    status = account.terms.status
    if status != "closed":
        return status != "moved"
    main = funds.book_of(account, MAIN_BOOK)
    return not row.postings or (main is not None and main.amount < 0)
