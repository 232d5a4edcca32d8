"""Replace the attributes and agreements of an account and its customer."""

from charging.base.account import Account, Terms
from charging.base.fields import Agreements, AttributeMap
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, TermChange
from charging.ledger.standing import require_open


class ProfileSet(BaseEvent, frozen=True, tag="profile"):
    """What discount rules read on the levels A and C was replaced."""

    attributes: dict[str, str]
    customer_attributes: dict[str, str]
    agreements: tuple[str, ...]
    changed: tuple[TermChange, ...]

    rerates = True

    def apply(self, account: Account) -> Account:
        """Replace all three."""
        return account.with_terms(
            attributes=self.attributes,
            customer_attributes=self.customer_attributes,
            agreements=self.agreements,
        )

    def changes(self) -> tuple[TermChange, ...]:
        """Give each attribute that differs, and the agreements when they do."""
        return self.changed

    def words(self) -> str:
        """Say what was set."""
        return "profile set"


class SetProfile(BaseAction, frozen=True, tag="profile"):
    """Replace the attributes and agreements that discount rules read on the levels A and C."""

    account_attributes: AttributeMap
    customer_attributes: AttributeMap
    agreements: Agreements

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_account_profile",),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Replace attributes and agreements."""
        require_open(account)
        changed = self._changed(account.terms)
        return Effect((ProfileSet(self.account_attributes, self.customer_attributes, self.agreements, changed),))

    def _changed(self, before: Terms) -> tuple[TermChange, ...]:
        attributes = attribute_changes("account_attributes", before.attributes, self.account_attributes)
        customers = attribute_changes("customer_attributes", before.customer_attributes, self.customer_attributes)
        if before.agreements == self.agreements:
            return (*attributes, *customers)
        agreements = ("agreements", ", ".join(before.agreements), ", ".join(self.agreements))
        return (*attributes, *customers, agreements)


def attribute_changes(name: str, before: dict[str, str], after: dict[str, str]) -> tuple[TermChange, ...]:
    """Give the attributes that differ, each under its name."""
    return tuple(
        (f"{name}.{key}", before.get(key, ""), after.get(key, ""))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )
