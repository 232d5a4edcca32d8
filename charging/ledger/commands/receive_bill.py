"""Take over the bill of an account that this one pays for, under a key derived from its closing."""

from charging.base.account import MAIN_BOOK, Account
from charging.base.bounds import AMOUNT_MAX, TIME_MS_MAX
from charging.errors import Invalid, Refused
from charging.ledger import funds
from charging.ledger.action import DOMAIN_SERVER, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.passing import BillAssumed
from charging.ledger.standing import require_open


class ReceiveBill(BaseAction, frozen=True, tag="receive_bill"):
    """Second half of a bill that is passed on, at its payer; `charging.ledger.passing`."""

    from_account: str
    number: str
    amount: int
    """Micro-units that are left to pay."""
    currency: str
    of_ms: int
    """A moment of the period that it is for, UTC."""
    sent_ms: int
    """When the first half was journaled: tells whether the key may be forgotten again."""

    traits = Traits(
        sender=DOMAIN_SERVER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take it over. Refused, so that it is owed where it was made: ACCOUNT_CLOSED, ACCOUNT_MOVED, PAYEE_UNKNOWN,
        CURRENCY_MISMATCH, BOOK_UNKNOWN.
        """
        require_open(account)
        if not (0 < self.amount <= AMOUNT_MAX and 0 < self.of_ms <= TIME_MS_MAX):
            raise Invalid("BILL_WRONG", "a bill that is passed on asks for something, for some time")
        if self.from_account not in account.open.payees:
            raise Refused("PAYEE_UNKNOWN", f"the account does not pay for {self.from_account}")
        if self.currency != account.terms.currency:
            raise funds.other_currency("bill", self.currency, account)
        if funds.book_of(account, MAIN_BOOK) is None:
            raise Refused("BOOK_UNKNOWN", "the account has no main book", facts={"book": MAIN_BOOK})
        return Effect((BillAssumed(self.from_account, self.number, self.amount, self.of_ms),), self.amount)
