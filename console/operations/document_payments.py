"""How a bill was settled after it was made: what its account's history tells, newest first, until all is found."""

from datetime import date, timedelta

from onetier.v1 import service_desk_pb2 as desk

from charging.base.localtime import day_of, zone_of
from charging.bills.bill import Bill
from console.operations.billing_calls import BillsCaller
from documents.document import Payment
from onetier_client import AsyncClient, requests

PAGE_LINES = 500
PAGES_MAX = 200
"""Of the history that is read for one bill."""
DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)


async def payments_of(client: AsyncClient, identity: str, bill: Bill, caller: BillsCaller) -> tuple[Payment, ...]:
    """Find what settled a bill, oldest first.

    Looks back until it adds up to the bill, to the day it was made, or through `PAGES_MAX` pages.
    """
    found: list[Payment] = []
    # The day before in UTC is before it everywhere.
    since_ms = (day_of(bill.made_day) - 1) * DAY_MS
    cursor = 0
    for _ in range(PAGES_MAX):
        asked = requests.query(
            identity, "history", PAGE_LINES, cursor=cursor, channel=caller.channel, actor=caller.actor
        )
        page = (await client.ask(asked)).history
        clock = zone_of(page.time_zone or "UTC")
        for line in page.lines:
            day = (_EPOCH + timedelta(days=clock.day(line.time_ms // 1000))).isoformat()
            found += [Payment(day, each.how, each.amount, line.request_key) for each in _of(line, bill.number)]
        cursor = page.next_cursor
        settled = sum(each.amount for each in found) == bill.payable
        if settled or not cursor or (page.lines and page.lines[-1].time_ms < since_ms):
            break
    return tuple(reversed(found))


def _of(line: desk.HistoryLine, number: str) -> list[desk.BillSettled]:
    return [each for each in line.settled if each.bill == number]
