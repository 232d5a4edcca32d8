"""A rule of dunning as used: for whom it is, what paying late costs, which steps there are, and when none is taken."""

from dataclasses import dataclass

from charging.base.account import Account
from charging.base.dunning import DunningStep
from charging.base.openbills import LateRule
from charging.catalogue.dunning import DunningWhen
from charging.plans.bands import OUTSIDE, BandTable


@dataclass(slots=True, eq=False)
class CompiledDunning:
    """One rule, ready to be asked."""

    rule_id: str
    when: DunningWhen
    late: LateRule
    steps: tuple[DunningStep, ...]
    quiet: BandTable | None

    def is_for(self, account: Account) -> bool:
        """Say whether an account meets its conditions."""
        terms, when = account.terms, self.when
        return (
            (not when.payment_modes or terms.payment_mode in when.payment_modes)
            and all(terms.attributes.get(name) in values for name, values in when.account.items())
            and all(terms.customer_attributes.get(name) in values for name, values in when.customer.items())
        )

    def quiet_until_ms(self, now_ms: int) -> int:
        """Give the moment until which no step is taken, UTC; 0 = one may be taken now."""
        if self.quiet is None:
            return 0
        now_s = now_ms // 1000
        index, change_s = self.quiet.at(now_s)
        if index == OUTSIDE:
            return 0
        return (self.quiet.next_switch(now_s) or change_s) * 1000


def dunning_of(rules: tuple[CompiledDunning, ...], account: Account) -> CompiledDunning | None:
    """Give the rule of an account; None = it is not dunned, and paying late costs it nothing."""
    return next((rule for rule in rules if rule.is_for(account)), None)
