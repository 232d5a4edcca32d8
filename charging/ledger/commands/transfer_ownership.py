"""Give the account to another customer: its members, contracts, books and history go on."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.asked import FilledIn
from charging.base.fields import AttributeMap, Reason
from charging.base.fieldtypes import NAME, TEXT
from charging.base.localtime import month_at
from charging.errors import Refused
from charging.ledger import dues
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent, TermChange
from charging.ledger.passing import with_payer
from charging.ledger.standing import require_open


class CustomerChanged(BaseEvent, frozen=True, tag="customer"):
    """The account is another customer's, whose attributes hold from here on."""

    account_id: str
    domain: str
    before: str
    after: str
    customer_attributes: dict[str, str]
    reason: str
    month: int = 0
    """The running period, months since the year 0: from it on the account pays for itself, and for nobody else."""

    rerates = True
    leads = True

    def apply(self, account: Account) -> Account:
        """Set the customer and what discount rules read of it; who paid for the old one, or was paid for, is over."""
        state = replace(account, customer_id=self.after).with_terms(customer_attributes=self.customer_attributes)
        if self.month and (account.open.payers or account.open.payees):
            return with_payer(state, self.month, "").with_open(payees=())
        return state

    def changes(self) -> tuple[TermChange, ...]:
        """Give the customer."""
        return (("customer_id", self.before, self.after),)

    def words(self) -> str:
        """Name both, and say the reason."""
        return f"customer {self.before or '(none)'} → {self.after}: {self.reason}".removesuffix(": ")


class TransferOwnership(BaseAction, frozen=True, tag="transfer_ownership"):
    """Change the customer. The platform fills in what the catalogue asks for it."""

    customer_id: Annotated[str, NAME]
    from_customer_id: Annotated[str, TEXT]
    """Customer that it is decided on; "" = whoever it is."""
    customer_attributes: AttributeMap
    """Of the new customer; nothing of the old one's stays."""
    with_bills: bool
    """The new customer takes over what is owed by bills."""
    reason: Reason
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE

    traits = Traits(
        sender=PLATFORM,
        permissions=("transfer_ownership",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Change it, and take the fees from the account's books.

        Refused CUSTOMER_UNCHANGED, CUSTOMER_CHANGED, BILLS_OPEN while something is owed by bills that the new customer
        does not take over, and as `charging.ledger.dues.posted` refuses. Raises `VersionMoved` when a contract changed
        since it was rated.
        """
        require_open(account)
        before = account.customer_id
        if self.from_customer_id not in ("", before):
            text = f"the account is not of customer {self.from_customer_id} any more; read it and decide anew"
            raise Refused("CUSTOMER_CHANGED", text, facts={"customer": before})
        if before == self.customer_id:
            raise Refused("CUSTOMER_UNCHANGED", f"the account is of customer {before} already")
        if account.open.bills and not self.with_bills:
            text = "bills of the old customer are not settled: settle them first, or let the new one take them over"
            raise Refused("BILLS_OPEN", text)
        if 0 < self.dues.base_version < account.terms_version:
            raise VersionMoved  # Also where nothing is due: another contract may bring something.
        fees = dues.posted(account, self.dues, now_ms)
        changed = CustomerChanged(
            account.account_id,
            account.terms.domain,
            before,
            self.customer_id,
            self.customer_attributes,
            self.reason,
            month_at(account.terms.zone, account.terms.cycle_day, now_ms),
        )
        return Effect((*fees, changed), dues.net(fees))
