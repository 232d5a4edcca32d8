"""Pages of a slot's accounts that an operator reads around a run in mode `staged`: what waits, and what books hold."""

from onetier.v1 import billing_pb2 as pb

from charging.base.account import Account
from charging.base.localtime import month_text
from charging.base.staged import in_order
from charging.ledger.staging import replayable
from charging.wire import DueAccounts, FetchDue

ACCOUNTS_DEFAULT = 100


def staged_of(request: pb.ListStagedRequest) -> FetchDue:
    """Ask a slot for a page of accounts with money in a stage."""
    most = request.accounts_max or ACCOUNTS_DEFAULT
    return FetchDue(f"{request.domain}/{request.slot}", 0, 0, most, request.page, staged=True)


def books_of(request: pb.BackUpBooksRequest) -> FetchDue:
    """Ask a slot for a page of all of its accounts."""
    most = request.accounts_max or ACCOUNTS_DEFAULT
    return FetchDue(f"{request.domain}/{request.slot}", 0, 0, most, request.page, every=True)


def staged_told(page: DueAccounts, slots: int) -> pb.ListStagedResponse:
    """Tell what waits."""
    told = pb.ListStagedResponse(next_page=page.next, slots=slots)
    for account in page.accounts:
        for row in in_order(account.open.staged):
            told.staged.add(
                account_id=account.account_id,
                request_key=row.key,
                stage=row.stage,
                kind=row.kind,
                amount=row.amount,
                settles=sum(share.amount for share in row.shares),
                at_ms=row.at_ms,
                period=f"{month_text(row.month)}/{account.terms.cycle_day}",
                kept="" if replayable(account, row) else _why(account),
            )
    return told


def books_told(page: DueAccounts) -> pb.BackUpBooksResponse:
    """Tell what books hold, of accounts that are here."""
    told = pb.BackUpBooksResponse(next_page=page.next)
    for account in page.accounts:
        if account.terms.status != "moved":
            books = [pb.BookAmount(book_id=each.book_id, unit=each.unit, amount=each.amount) for each in account.books]
            told.accounts.add(account_id=account.account_id, version=account.version, books=books)
    return told


def _why(account: Account) -> str:
    terms = account.terms
    return f"moved to {terms.status_reason}" if terms.status == "moved" else terms.status
