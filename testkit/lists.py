"""Lists of many accounts or numbers, as owners in memory tell them."""

import time
from collections.abc import Mapping

from charging.base.contract import Contract
from charging.wire import CustomerRow, CustomerRows, DueAccounts, RestingRow, RestingRows
from testkit.ledger import Desk


def owing(desk: Desk, slot: str) -> DueAccounts:
    """Give those who owe something, all of them in the first slot of their domain."""
    domain, _, number = slot.partition("/")
    accounts = [each for each in desk.accounts.values() if each.terms.domain == domain and number == "0"]
    return DueAccounts(tuple([each for each in accounts if each.open.bills or each.open.dunned]))


def customer(desk: Desk, account_id: str, rows_max: int, after: str) -> CustomerRows:
    """Give a page of the accounts of the customer of an account."""
    customer_id = desk.accounts[account_id].customer_id
    found = sorted(each.account_id for each in desk.accounts.values() if each.customer_id == customer_id != "")
    ids = [each for each in found if each > after]
    rows = [CustomerRow(each, desk.accounts[each].terms.domain, desk.now_ms) for each in ids[:rows_max]]
    return CustomerRows(customer_id, tuple(rows), len(ids) > rows_max)


def resting(contracts: Mapping[str, Contract], slot: str, rows_max: int, after: str) -> RestingRows:
    """Give a page of the numbers that rest in the region of a slot, by number."""
    now_ms = time.time_ns() // 1_000_000
    found = [each for each in contracts.values() if each.status == "ended" and now_ms < each.rests_until_ms]
    mine = sorted([each for each in found if each.domain == slot.partition("/")[0]], key=lambda each: each.identity)
    left = [each for each in mine if each.identity > after]
    rows = [
        RestingRow(each.identity, each.account_id, each.valid_to_ms, each.rests_until_ms, each.kept_for)
        for each in left[:rows_max]
    ]
    return RestingRows(tuple(rows), 0, rows[-1].number if len(left) > rows_max else "")
