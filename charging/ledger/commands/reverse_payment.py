"""Take a payment back: a chargeback, or one whose fate its sender does not know. What is left of its bonuses goes, too.

What the owner looks up is only the journal entry under `of_key` (`charging.ledger.originals`). Whether there was one or
not, the key is remembered (`Open.reversed`): a payment that comes after its own reversal is refused, however late.
"""

from hashlib import blake2b
from typing import Annotated

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.asked import FilledIn
from charging.base.fields import Reason, RequestKey
from charging.base.openbills import OpenBill, OpenItem, Share, find
from charging.base.receivables import RECEIVABLE, bill_of, with_bills, with_shares
from charging.base.staged import in_order
from charging.errors import Refused
from charging.ledger import funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg, Settlement
from charging.ledger.outcome import PaymentFact
from charging.ledger.reversals import REVERSAL_KEEP_MS, REVERSALS_MAX
from charging.ledger.rewards import taken_back
from charging.ledger.settling import free_of, settled_by, total
from charging.ledger.staging import MoneyReplayed, reckoned
from charging.ledger.standing import require_here

CHARGED_BACK = "charged_back"
"""Item of what had been paid into the balance, was spent, and was taken back."""
CLAIM_PREFIX, CLAIM_CHARS_MAX = "R-", 64
"""What names such a claim among the bills: the payment's key behind this, or what stands for a longer one."""


class PaymentReversed(BaseEvent, frozen=True, tag="reversed"):
    """A payment was taken back, or forbidden before it came."""

    of_key: str
    kind: str
    """Of the payment; "" = none had come."""
    amount: int
    """Micro-units."""
    shares: tuple[Share, ...]
    """What it had settled, and is owed again."""
    postings: tuple[tuple[str, int], ...]
    """What was taken back from books, positive."""
    claim: int
    """What of its rest was spent: it is owed from now on, as a bill of its own."""
    at_ms: int
    """By the owner's clock."""
    forgets: tuple[str, ...]
    """Reversals so old that nobody repeats what they reversed."""
    reason: str

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Owe again what it settled, take the rest back, and remember the key."""
        state = replace(account, books=funds.shift(account.books, self.postings, -1))
        state = _owed_again(state, self.shares, self.at_ms)
        if self.claim:
            rows = (OpenItem(CHARGED_BACK, "", self.claim, self.claim),)
            claim = OpenBill(_claim_number(state, self.of_key), "", self.at_ms, self.claim, rows)
            state = with_bills(state, (*state.open.bills, claim))
        kept = [row for row in state.open.reversed if row[0] not in self.forgets]
        return state.with_open(reversed=(*kept, (self.of_key, self.at_ms)))

    def settles(self) -> tuple[Settlement, ...]:
        """Tell what is owed again."""
        return settled_by(self.shares, "reversed", -1)

    def legs(self) -> tuple[Leg, ...]:
        """Post what is owed again, and what books lose, to the kind of the payment."""
        taken = sum([amount for _, amount in self.postings])
        legs = [Leg(f"book:{book_id}", -amount) for book_id, amount in self.postings]
        owed = total(self.shares) + self.claim
        return (*legs, Leg(self.kind or "payment", taken + owed), Leg(RECEIVABLE, -owed))

    def words(self) -> str:
        """Say the reason, or the key."""
        return self.reason or f"reversal of {self.of_key}"


class ReversePayment(BaseAction, frozen=True, tag="reverse_payment"):
    """Take a payment back, whatever became of it. `original` is filled in by the owner from its journal."""

    of_key: RequestKey
    """Request key of the payment, or of the money that was topped up."""
    reason: Reason
    original: Annotated[PaymentFact | None, FilledIn()] = None

    sees_stages = True
    traits = Traits(
        sender=PLATFORM,
        permissions=("reverse_payment",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give the payment's amount, once the owner has found it."""
        return self.original.amount if self.original is not None else 0

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def original_key(self) -> str:
        """Give the payment's, until what the journal says of it is filled in."""
        return self.of_key if self.original is None else ""

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take it back; what is staged comes in first, so it goes the way that it would have gone.

        Refused REVERSED_ALREADY, REVERSAL_TOO_LATE, REVERSALS_FULL, NOT_A_PAYMENT.
        """
        require_here(account)
        fact = self.original if self.original is not None else PaymentFact()
        waiting = _first(account, self.of_key, fact)
        account = reckoned(account)
        if any(key == self.of_key for key, _ in account.open.reversed):
            raise Refused("REVERSED_ALREADY", f"the payment {self.of_key!r} was reversed before")
        if fact.other:
            raise Refused("NOT_A_PAYMENT", f"what was done under the key {self.of_key!r} is no payment")
        if fact.amount and fact.time_ms + REVERSAL_KEEP_MS < now_ms:
            raise Refused("REVERSAL_TOO_LATE", "the payment is too old; adjust the account instead")
        forgets = tuple([key for key, at_ms in account.open.reversed if at_ms + REVERSAL_KEEP_MS < now_ms])
        if len(account.open.reversed) - len(forgets) >= REVERSALS_MAX:
            raise Refused("REVERSALS_FULL", f"{REVERSALS_MAX} payments were reversed in half a year")
        postings, claim = _taken_back(account, fact)
        event = PaymentReversed(
            self.of_key, fact.kind, fact.amount, fact.shares, postings, claim, now_ms, forgets, self.reason
        )
        return Effect((*waiting, event, *taken_back(event.apply(account), fact.bonuses)), fact.amount)


def _first(account: Account, of_key: str, fact: PaymentFact) -> tuple[MoneyReplayed, ...]:
    """Give what comes in before a reversal: the payment itself, and what settles the bills that are owed again by it.

    So they are reopened where they are settled by then: nobody is late for days on which nothing was owed.
    """
    again = {share.number for share in fact.shares}
    return tuple(
        MoneyReplayed(row)
        for row in in_order(account.open.staged)
        if (row.key == of_key and row.amount) or any(share.number in again for share in row.shares)
    )


def _taken_back(account: Account, fact: PaymentFact) -> tuple[tuple[tuple[str, int], ...], int]:
    """Say what books give back of what a payment left in one, and what of it is gone."""
    left = fact.amount - total(fact.shares)
    postings: list[tuple[str, int]] = []
    for book_id in dict.fromkeys((fact.book_id, MAIN_BOOK)):
        book = funds.book_of(account, book_id)
        part = min(left, free_of(account, book)) if book is not None else 0
        if part:
            postings.append((book_id, part))
            left -= part
    return tuple(postings), left


def _claim_number(account: Account, of_key: str) -> str:
    """Name a claim so that no other bill of the account has its number: shares of one would settle both."""
    number, tries = CLAIM_PREFIX + of_key, 0
    while len(number) > CLAIM_CHARS_MAX or bill_of(account, number) is not None:
        tries += 1
        number = CLAIM_PREFIX + blake2b(f"{of_key}/{tries}".encode(), digest_size=16).hexdigest()
    return number


def _owed_again(account: Account, shares: tuple[Share, ...], now_ms: int) -> Account:
    """Give the account with shares open again, their bills too where they were settled."""
    bills = list(account.open.bills)
    for share in shares:
        if find(bills, share.number) is not None:
            continue
        old = bill_of(account, share.number)
        if old is None:
            mine = total([each for each in shares if each.number == share.number])
            old = OpenBill(share.number, "", now_ms, mine, ())
        bills.append(replace(old, items=(), counted_ms=now_ms))
    rows = {(bill.number, row.item, row.service) for bill in bills for row in bill.items}
    for share in shares:
        if (share.number, share.item, share.service) in rows:
            continue
        rows.add((share.number, share.item, share.service))
        at = next(at for at, bill in enumerate(bills) if bill.number == share.number)
        row = OpenItem(share.item, share.service, share.amount, 0)
        bills[at] = replace(bills[at], items=(*bills[at].items, row))
    return with_shares(account.with_open(bills=tuple(bills)), shares, now_ms, 1, 0)
