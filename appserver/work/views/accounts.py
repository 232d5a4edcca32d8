"""An account as a whole, by its id too, with its members a page at a time and what each may use at most."""

from appserver.batches.pending import Pending
from appserver.reference import DomainReference
from appserver.replies import accounts as replies
from appserver.work.batch_time import BatchTime
from appserver.work.items import QueryItem
from appserver.work.views.pages import cursor_after, name_in
from charging.base.account import Account
from charging.base.localtime import DAY_S
from charging.plans.compiled import CompiledAllowance
from charging.plans.plan import Plan
from charging.wire import BusinessData


class AccountViews:
    """Answers the query "account"."""

    def __init__(self, pending: Pending, time: BatchTime) -> None:
        self._pending = pending
        self._time = time

    def show(self, item: QueryItem, data: BusinessData, reference: DomainReference) -> None:
        """Answer with the account and a page of its members. Raises `Invalid` PAGE_FOREIGN, PAGE_MALFORMED."""
        account, query, now_ms = data.account, item.query, self._time.now_ms
        last = name_in(query, account.account_id)
        left = [member for member in sorted(account.members) if member > last]
        page = left[: query.lines_max]
        plan = reference.timeline.plan_at(now_ms)
        capped = capped_allowances(plan, account)
        reply = self._pending.reply(item)
        if reply is None:
            return
        following = cursor_after(page[-1], 0, query, account.account_id) if len(left) > len(page) else ""
        replies.fill_account(reply.account, account, page, following)
        day = _day(plan, now_ms)
        for row in reply.account.members:
            for each in capped:
                period_key = each.member_counter.key(row.identity, account.terms.cycle_day, day)
                replies.fill_cap(row.limits.add(), each, period_key, account.accumulators.get(period_key, 0))
            replies.fill_spending(row, account, now_ms)


def capped_allowances(plan: Plan, account: Account) -> list[CompiledAllowance]:
    """Give the shared allowances with a cap for each member that the account has used, or holds by a member's contract.

    Contracts of other members are not at hand; what nobody has drawn on yet has its cap in the usage of a member.
    """
    counted = {key.partition("@")[0].partition("|")[0] for key in account.accumulators}
    return [each for each in plan.allowances.values() if each.member_cap and each.counter.escaped in counted]


def _day(plan: Plan, now_ms: int) -> int:
    now_s = now_ms // 1000
    return (now_s + plan.local.offset(now_s)) // DAY_S
