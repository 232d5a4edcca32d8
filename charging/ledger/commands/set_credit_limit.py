"""Change how far the money of an account may go below zero."""

from charging.base.account import MAIN_BOOK, Account
from charging.base.fields import CREDIT_LIMIT, CreditLimit, Reason
from charging.base.money import show
from charging.errors import Refused
from charging.ledger import funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, TermChange
from charging.ledger.standing import require_open


class CreditSet(BaseEvent, frozen=True, tag="credit"):
    """How far money may go below zero from here on, micro-units."""

    credit_limit: int
    reason: str
    before: int
    """How far until then."""

    rerates = False
    regrants = True

    def apply(self, account: Account) -> Account:
        """Set the limit."""
        return account.with_terms(credit_limit=self.credit_limit)

    def changes(self) -> tuple[TermChange, ...]:
        """Give the limit."""
        return (("credit_limit", str(self.before), str(self.credit_limit)),)

    def words(self) -> str:
        """Say the reason, or the limit."""
        return self.reason or f"credit limit {self.credit_limit}"


class SetCreditLimit(BaseAction, frozen=True, tag="credit"):
    """Change how far money may go below zero, micro-units."""

    credit_limit: CreditLimit
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_credit_limit",),
        predictable=True,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what may be owed."""
        return self.credit_limit

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Change the credit limit. Refused CREDIT_IN_USE when what is owed or kept needs more than the new limit."""
        require_open(account)
        CREDIT_LIMIT.check(self.credit_limit, "credit_limit")
        main = funds.book_of(account, MAIN_BOOK)
        if (
            main is not None
            and main.amount - main.reserved < -self.credit_limit
            and (self.credit_limit < account.terms.credit_limit)
        ):
            owed = main.reserved - main.amount
            text = f"{show(owed)} {account.terms.currency} of credit are in use"
            raise Refused("CREDIT_IN_USE", text, facts={"in_use": str(owed)})
        return Effect((CreditSet(self.credit_limit, self.reason, account.terms.credit_limit),))
