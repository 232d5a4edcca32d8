"""Discounts of a whole bill (`applies_to: [bill]`): lines that the close adds to what was posted, at their level.

Three rounds, each on what the one before left: rules that name items, on each item of each member; rules that a
contract has (by a subscription or an agreement, or because they ask for either), on all that the member brought; all
others, on the bill. Within a round by stage, priority and id, as everywhere (`charging.rating.discounts`). What a rule
takes off is spread over the sums that it takes it from, by largest remainder, so each part keeps the tax of its day.

Rules must hold at the last moment of the period. Nothing is taken off adjustments and late fees.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.contract import Contract
from charging.base.discounted import DiscountedPeriod
from charging.base.usage import Charge, Step
from charging.bills.bill import DISCOUNT, FEE, USAGE, WHOLE_BILL
from charging.bills.spreading import split
from charging.bills.sums import BillSum
from charging.ledger.accruals import added
from charging.plans.plan import Plan
from charging.rating.fees import bill

Head = tuple[str, str, int, str]
"""Item, member, day of its taxes, origin: what one sum is of, whatever its kind."""
DISCOUNTED = (USAGE, FEE, DISCOUNT)
"""Kinds of sums that rules take from, and look at."""


class BillDiscounts(Struct, frozen=True):
    """What is taken off a bill, and why."""

    lines: tuple[BillSum, ...] = ()
    """Micro-units: negative, but for what a bill before took off and what came late takes back."""
    accruals: tuple[tuple[str, int], ...] = ()
    """What limits over a period have counted."""
    steps: tuple[Step, ...] = ()
    """What each round looked at, and each rule took, exactly."""
    seen: tuple[DiscountedPeriod, ...] = ()
    """What is to be remembered of it, and of periods before that it changed."""


NO_DISCOUNTS = BillDiscounts()


class _Rounds:
    """What is left of the sums as rules take from them."""

    def __init__(self, plan: Plan, account: Account, sums: Iterable[BillSum], time_ms: int) -> None:
        self._plan = plan
        self._account = account
        self._time_ms = time_ms
        self.left: dict[Head, int] = {}
        # In an order of their own: what is taken off whom must not hang on what was posted first.
        for each in sorted(sums, key=_place):
            if each.kind in DISCOUNTED:
                head = each.item, each.member, each.day, each.origin
                self.left[head] = self.left.get(head, 0) + each.amount
        self.taken: dict[tuple[Head, str, str], int] = {}
        self.accruals: list[tuple[str, int]] = []
        self.steps: list[Step] = []

    def run(self, heads: Sequence[Head], contract: Contract, item: str, base: str) -> None:
        """Take from some sums what the rules of one base say of them together; nothing from what gives back."""
        amount = sum(self.left[head] for head in heads)
        if amount <= 0:
            return
        charge = bill(self._plan, contract, self._account, self._time_ms, item, amount, base)
        off = amount - charge.amount
        if off <= 0 or not any(step.kind == "discount" for step in charge.steps):
            return
        self._account = replace(self._account, accumulators=added(self._account.accumulators, charge.accruals))
        self.accruals += charge.accruals
        first, *others = charge.steps
        self.steps += (replace(first, detail=f"{first.detail} of {contract.identity}"), *others)
        for (rule, level), part in _by_rule(charge, off):
            if not part:
                continue
            weights = [max(0, self.left[head]) for head in heads]
            for head, share in zip(heads, split(part, weights), strict=True):
                if share:
                    self.left[head] -= share
                    key = head, level, rule
                    self.taken[key] = self.taken.get(key, 0) + share


def bill_discounts(
    plan: Plan, contracts: Sequence[Contract], account: Account, sums: Sequence[BillSum], time_ms: int
) -> BillDiscounts:
    """Give what rules take off the sums of a period; `time_ms` is its last moment, UTC."""
    if not any("bill" in rule.targets for rule in plan.rules.values()):
        return NO_DISCOUNTS
    own = account.account_id
    by_member = {"" if own.endswith(each.identity) else each.identity: each for each in contracts}
    rounds = _Rounds(plan, account, sums, time_ms)
    members = list(dict.fromkeys(head[1] for head in rounds.left))
    for member in members:
        items = dict.fromkeys(head[0] for head in rounds.left if head[1] == member)
        for item in items:
            rounds.run(_heads(rounds.left, member, item), _of(by_member, member, account), item, "item")
    for member in members:
        if member in by_member:
            rounds.run(_heads(rounds.left, member), by_member[member], WHOLE_BILL, "member")
    rounds.run(list(rounds.left), _of(by_member, "", account), WHOLE_BILL, "account")
    lines = tuple(
        BillSum(item, member, DISCOUNT, day, -amount, level, rule, origin)
        for ((item, member, day, origin), level, rule), amount in rounds.taken.items()
    )
    return BillDiscounts(lines, tuple(rounds.accruals), tuple(rounds.steps))


def _place(each: BillSum) -> tuple[str, str, int, str]:
    return each.item, each.member, each.day, each.origin


def _heads(left: Mapping[Head, int], member: str, item: str = "") -> list[Head]:
    return [head for head in left if head[1] == member and item in ("", head[0])]


def _of(by_member: Mapping[str, Contract], member: str, account: Account) -> Contract:
    """Give the contract of a member; of one that left, one that has nothing."""
    nothing = Contract(member or identity_of(account.account_id), account.account_id, account.terms.domain)
    return by_member.get(member, nothing)


def _by_rule(charge: Charge, off: int) -> list[tuple[tuple[str, str], int]]:
    """Share what is taken off in whole micro-units among the rules, by what each took exactly."""
    rules = [step for step in charge.steps if step.kind == "discount"]
    common = 1
    for step in rules:
        common *= step.denominator if common % step.denominator else 1
    weights = [-step.numerator * (common // step.denominator) for step in rules]
    return list(zip([(step.rule, step.level) for step in rules], split(off, weights), strict=True))
