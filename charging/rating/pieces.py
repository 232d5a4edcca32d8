"""Pieces of a session: how long use that is reported counts for one period, and when the next piece begins.

A session costs what one piece would, however often it reports. A call is one piece, rated by its start. Data is used
for days on end, so a service of bytes (or of which the catalogue says `session_time: report`) is rated by the time of
its reports: a piece ends at local midnight, and where before that something else begins or ends that the price looks
at, a subscription, a book of units, a band, a version of the catalogue. So each day has its caps and its allowances.
What is reported at the end or later begins a new piece at that time; quota is granted up to the end, so that use is
reported there: its validity time (3GPP TS 32.299, RFC 8506) is that of the piece.
"""

from charging.base.account import MONEY, Account
from charging.base.contract import Contract
from charging.base.lateness import LATE_MS_MAX
from charging.base.localtime import DAY_S
from charging.base.usage import Usage
from charging.plans.plan import Plan
from charging.rating.rating import price_of

DAY_MS = DAY_S * 1000
PIECE_MS_MAX = LATE_MS_MAX - 2 * DAY_MS
"""A piece that is rated by its start ends too, while what it counts for is kept."""


def piece_end(plan: Plan, contract: Contract, account: Account, usage: Usage) -> int:
    """Give the moment (ms) at which the piece of a session must end that begins as this usage does."""
    start_ms = usage.start_ms
    service = plan.services.get(usage.service)
    if service is None or not service.by_report:
        return start_ms + PIECE_MS_MAX
    ends = [plan.local.next_day(start_ms // 1000) * 1000, plan.to_ms]
    for held in contract.subscriptions:
        ends += (held.valid_from_ms, held.valid_to_ms)
        if not held.valid_to_ms and held.offering in plan.limited:
            ends.append(held.valid_from_ms + plan.limited[held.offering])
    for book in account.books:
        if book.unit == service.unit or (book.unit == MONEY and book.allowance):
            ends += (book.valid_from_ms, book.valid_to_ms)
    ends += _band_ends_ms(plan, contract, account, usage)
    return min(end for end in ends if end > start_ms)


def _band_ends_ms(plan: Plan, contract: Contract, account: Account, usage: Usage) -> list[int]:
    """Give when bands change, of the price and of allowances. What takes time is cut there by rating itself."""
    start_s = usage.start_ms // 1000
    names = tuple([held.offering for held in plan.valid_subscriptions(contract, usage.start_ms)])
    profile = plan.profile(usage.service, names)
    price = price_of(profile, usage, contract, account)
    tables = [grant.allowance.table for grant in profile.grants]
    tables += [plan.allowances[book.allowance].table for book in account.books if book.allowance in plan.allowances]
    if price is not None and not price.timed:
        tables.append(price.table)
    return [table.next_switch(start_s) * 1000 for table in tables if table is not None]
