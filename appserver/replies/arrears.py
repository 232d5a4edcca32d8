"""What an account owes → reply."""

from onetier.v1 import service_desk_pb2 as desk

from charging.base.account import Account
from charging.base.openbills import OpenBill, late_fee, overdue
from charging.ledger.dunning import arrears
from charging.ledger.staging import reckoned


def fill_arrears(view: desk.ArrearsView, account: Account, now_ms: int) -> None:
    """Tell the open bills of an account, and the steps of dunning that hold; `now_ms`, UTC, decides what is overdue.

    What is staged counts: who has paid during a bill run owes nothing, though it is posted after the run.
    """
    account = reckoned(account)
    late, since_ms = arrears(account, now_ms)
    view.account_id = account.account_id
    view.domain = account.terms.domain
    view.status = account.terms.status
    view.currency = account.terms.currency
    view.open = sum(bill.open for bill in account.open.bills)
    view.disputed = sum(bill.disputed for bill in account.open.bills)
    view.overdue = late
    view.overdue_since_ms = since_ms
    view.account_version = account.version
    for bill in account.open.bills:
        _bill(view.bills.add(), bill, now_ms)
    for row in account.open.dunned:
        view.dunning.add(step=row.step.step_id, service_code=row.service, action=row.step.action, since_ms=row.since_ms)


def _bill(into: desk.OpenBill, bill: OpenBill, now_ms: int) -> None:
    into.number = bill.number
    into.period = bill.period
    into.due_ms = bill.due_ms
    into.billed = bill.billed
    into.open = bill.open
    into.disputed = bill.disputed
    into.overdue = overdue(bill, now_ms)
    into.credited = bill.credited
    into.written_off = bill.written_off
    into.late_fee = late_fee(bill, now_ms) - bill.late_billed
    for row in bill.items:
        into.items.add(item=row.item, service_code=row.service, billed=row.billed, open=row.open, disputed=row.disputed)
    for due_ms, amount in bill.instalments:
        into.instalments.add(due_ms=due_ms, amount=amount)
