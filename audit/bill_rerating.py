"""Rates the discounts of a bill again: on the sums that it was made of, by the contracts and catalogues of then.

That a bill explains what it takes off proves nothing: whoever makes a bill can explain anything.
"""

from collections.abc import Mapping, Sequence

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.localtime import month_text
from charging.bills.bill import DISCOUNT
from charging.errors import Fault
from charging.ledger import buckets
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.entry import Entry
from charging.ledger.posted_sums import LineHead, lines_of
from charging.plans.timeline import Timeline
from charging.rating.closing import ended_ms, sums_of
from charging.rating.period_discounts import period_discounts

NO_CONTRACT = "what is left of the journal does not show the contract of a member of its bill"
Taken = dict[LineHead, int]


def until_closed(before: Account, entry: Entry) -> Account:
    """Give the state that an entry led to before it closed a period: fees that fell due come in it."""
    state = before
    for event in entry.events:
        if isinstance(event, PeriodClosed):
            break
        state = buckets.after(state, event.apply(state), event, entry.time_ms)
    return state


def discounts_again(
    timelines: Sequence[Timeline], closed: PeriodClosed, account: Account, contracts: Mapping[str, Contract]
) -> list[str] | None:
    """Say what discounts of a bill differ from what each of the catalogues gives; None = it can't be told."""
    bill = closed.bill
    if bill is None:
        return []
    known = [contracts[member] for member in account.members if member in contracts]
    if len(known) < len(account.members):
        return None
    told = {head: amount for head, amount in lines_of(bill).items() if head.kind == DISCOUNT}
    newest: Taken | None = None
    for timeline in timelines:
        try:
            again = _rated(timeline, closed.month, account, known)
        except Fault:
            continue
        if again == told:
            return []
        newest = again if newest is None else newest
    if newest is None:
        return None
    heads = [head for head in dict.fromkeys((*told, *newest)) if told.get(head, 0) != newest.get(head, 0)]
    what = f"bill {bill.number} of {month_text(closed.month)}"
    return [f"{what}: {head} is {told.get(head, 0)}; rated again it gives {newest.get(head, 0)}" for head in heads]


def _rated(timeline: Timeline, month: int, account: Account, contracts: Sequence[Contract]) -> Taken:
    """Give all discounts that lines of the bill have: those that were posted, and those of the bill itself."""
    timeline.plan_at(ended_ms(account, month) - 1)
    sums = sums_of(account, month)
    found: Taken = {}
    for each in (*sums, *period_discounts(timeline.plan_at, contracts, account, month).lines):
        if each.kind == DISCOUNT:
            head = LineHead(each.item, each.member, each.kind, each.rule, each.level, each.origin)
            found[head] = found.get(head, 0) + each.amount
    return found
