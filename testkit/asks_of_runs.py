"""What a billing run asks of an owner in memory: who is due, with their contracts, and pages that are closed."""

from collections.abc import Callable, Mapping

from charging.base.account_id import identity_of, slot_of
from charging.base.contract import Contract
from charging.errors import Fault
from charging.ledger.command import Command
from charging.wire import (
    AccountsClosed,
    Answer,
    CloseAccounts,
    Done,
    DueAccounts,
    Failed,
    FetchDue,
    Pull,
    Stale,
    failed,
)
from domainservers.reads.due import is_due
from testkit.ledger import Desk


def due(
    desk: Desk, ask: FetchDue, known: Mapping[str, Contract], intercept: Callable[[object], Answer | None] | None
) -> DueAccounts:
    """Give a page of who is due; accounts are in the slot that their ids name, others in all.

    Members of whom `intercept` says that they can't be pulled come without their contracts.
    """
    found = [
        account
        for account_id, account in sorted(desk.accounts.items())
        if slot_of(account_id) in ("", ask.slot) and is_due(account, ask.month, ask.cycle_day)
    ]
    page = tuple([account for account in found if account.account_id > ask.after][: ask.accounts_max])

    def own(members: tuple[str, ...]) -> tuple[Contract, ...] | None:
        if intercept is not None and any(isinstance(intercept(Pull(each)), Failed) for each in members):
            return None
        return tuple([known[each] for each in members if each in known and known[each].status != "ended"])

    following = page[-1].account_id if page and page[-1] is not found[-1] else ""
    return DueAccounts(page, following, tuple([own(each.members) for each in page]) if ask.contracts else ())


def closed(ask: CloseAccounts, commit: Callable[[str, Command], Answer]) -> AccountsClosed:
    """Commit each close of a page; `commit` is told the identity, too."""

    def one(command: Command) -> Done | Stale | Failed:
        try:
            answer = commit(identity_of(command.account_id), command)
        except Fault as fault:
            return failed(fault)
        assert isinstance(answer, Done | Stale | Failed)
        return answer

    return AccountsClosed(tuple([one(ask.command(close)) for close in ask.closes]))
