"""Which accounts of a slot are due for a bill, and the bills that were made: what a billing run and its readers ask.

Who is due is a question about state, so nothing is remembered of a run: an account whose period is closed is not due
any more, and whoever asks again begins anew. A page is read partition by partition; what is in memory is newer than its
snapshot, so both are looked at.
"""

import asyncio
from collections.abc import Callable, Sequence

from charging import wire
from charging.base.account import Account
from charging.base.contract import Contract
from charging.bills.bill import Bill
from charging.errors import Fault, Invalid
from domainservers.accounts.accounts import BUCKETS, Accounts, Cell, unpack_account
from domainservers.bills.records import BillRecords, read_bills
from domainservers.contracts.contracts import Contracts
from domainservers.desk.answers import pack_fault
from domainservers.journal.groups import Groups, ReplySink
from domainservers.journal.quarantine import Quarantine
from domainservers.reads.listing import AccountListing
from domainservers.reads.readers import Readers
from storage.unit import Unit

DUE_MAX = 500
"""Accounts of one page."""
PAGE_BYTES_MAX = 2_000_000
"""Of the accounts of one page, packed, as far as that is known; one that is larger comes alone."""
ANSWER_BYTES_MAX = 2 * PAGE_BYTES_MAX
"""Of a page with what is told beside: contracts have up to `CONTRACT_BYTES_MAX` each, and no tier passes on so many."""
MEMBERS_TOLD_MAX = 20
"""Of one account on a page, whose contracts are told with it."""
CONTRACTS_AT_ONCE = 100
"""Contracts that are read together."""
BILLS_MAX = 24
"""Periods of which bills are read at once."""
BREATH_STATES = 64
"""Other work of the process has its turn after so many states that may have to be unpacked."""

WantContract = Callable[[str, Callable[[Fault | None], None]], None]
"""Reads the contract of an identity into memory, and tells that it is there, or why it can't be had."""


class DueReads:
    """Of one slot."""

    def __init__(
        self,
        slot: str,
        unit: Unit,
        accounts: Accounts,
        quarantine: Quarantine,
        groups: Groups,
        readers: Readers,
        bills: BillRecords,
        contracts: Contracts,
        want_contract: WantContract,
    ) -> None:
        self._slot = slot
        self._contracts = contracts
        self._want_contract = want_contract
        self._unit = unit
        self._accounts = accounts
        self._listing = AccountListing(slot, unit, accounts)
        self._quarantine = quarantine
        self._groups = groups
        self._readers = readers
        self._bills = bills

    def due(self, sink: ReplySink, place: int, ask: wire.FetchDue) -> None:
        """Answer with a page of the accounts that are due."""
        self._readers.begin(self._due(sink, place, ask), lambda fault: sink.answer(place, pack_fault(fault)))

    def bills(self, sink: ReplySink, place: int, ask: wire.FetchBills, cell: Cell) -> None:
        """Answer with the bills of an account that is in memory."""
        work = self._tell_bills(sink, place, ask, cell)
        self._readers.begin(work, lambda fault: sink.answer(place, pack_fault(fault)))

    async def _due(self, sink: ReplySink, place: int, ask: wire.FetchDue) -> None:
        first, after = _place(ask, self._slot)
        name = _list_of(ask, self._slot)
        most = max(1, min(ask.accounts_max, DUE_MAX))
        found: list[Account] = []
        marks: list[str] = []
        size, seen = 0, 0
        async for bucket, partition in self._listing.partitions(name, first, after):
            for account_id in partition.behind(after if bucket == first else ""):
                seen += 1
                if seen % BREATH_STATES == 0:
                    await asyncio.sleep(0)
                state = self._listing.newest(account_id, partition)
                account = self._account(account_id, state) if state is not None else None
                if account is None or not _wanted(account, ask):
                    continue
                size += len(state) if isinstance(state, bytes) else 1_000
                if found and (len(found) >= most or size > PAGE_BYTES_MAX):
                    if _by_period_alone(ask):
                        self._listing.leave(name, bucket, partition)
                    await self._tell(sink, place, ask, found, marks, more=True)
                    return
                found.append(account)
                marks.append(f"{name}|{bucket}|{account_id}")
        await self._tell(sink, place, ask, found, marks, more=False)

    async def _tell(
        self,
        sink: ReplySink,
        place: int,
        ask: wire.FetchDue,
        found: Sequence[Account],
        marks: Sequence[str],
        *,
        more: bool,
    ) -> None:
        """Answer once what the accounts say is journaled: a backup must hold nothing that a next owner never saw.

        `marks` are where the page behind each account begins, `more` = there is one behind the last. Of a page that is
        too large contracts are left out, then accounts: the next page has those.
        """
        contracts = await self._contracts_of(found) if ask.contracts else ()
        cells = [self._accounts.cells.get(account.account_id) for account in found]
        newest = max((cell.seq for cell in cells if cell is not None), default=0)
        following = marks[-1] if more else ""
        body = wire.pack(wire.DueAccounts(tuple(found), following, contracts))
        while len(body) > ANSWER_BYTES_MAX and (contracts or len(found) > 1):
            if contracts:
                contracts = ()
            else:
                found = found[: len(found) // 2]
                following = marks[len(found) - 1]
            body = wire.pack(wire.DueAccounts(tuple(found), following, contracts))
        self._groups.reply(newest, sink, place, body)

    async def _contracts_of(self, accounts: Sequence[Account]) -> tuple[tuple[Contract, ...] | None, ...]:
        """Give the contracts of the members of each account, as a pull would tell them.

        They are looked at after the accounts: where one has changed in between, what is made of both is stale. Where
        one can't be read none of its account is told: whoever pulls it hears why.
        """
        few = [account.members if len(account.members) <= MEMBERS_TOLD_MAX else None for account in accounts]
        missing = [
            each for members in few if members is not None for each in members if self._contracts.get(each) is None
        ]
        for start in range(0, len(missing), CONTRACTS_AT_ONCE):
            for read in [self._read(member) for member in missing[start : start + CONTRACTS_AT_ONCE]]:
                await read
        return tuple([self._known(members) if members is not None else None for members in few])

    def _known(self, members: Sequence[str]) -> tuple[Contract, ...] | None:
        """Give them if all are in memory: one may not be to be read, or forgotten again."""
        told: list[Contract] = []
        for member in members:
            known = self._contracts.get(member)
            if known is None:
                return None
            if known.contract is not None and known.contract.status != "ended":
                told.append(known.contract)
        return tuple(told)

    def _read(self, member: str) -> "asyncio.Future[None]":
        read: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._want_contract(member, lambda _: None if read.done() else read.set_result(None))
        return read

    def _account(self, account_id: str, state: Account | bytes) -> Account | None:
        """Unpack a state; None for what is no account, or can't be served: nobody can bill it until it is mended."""
        if self._quarantine.rows and self._quarantine.holds(account_id):
            return None
        if isinstance(state, Account):
            return state
        try:
            return unpack_account(state)
        except ValueError:
            return None

    async def _tell_bills(self, sink: ReplySink, place: int, ask: wire.FetchBills, cell: Cell) -> None:
        if len(ask.months) > BILLS_MAX:
            raise Invalid("LIST_TOO_LONG", f"at most {BILLS_MAX} periods at once", fields={"months": str(BILLS_MAX)})
        pending = [self._bills.pending(cell.account_id, month) for month in ask.months]
        unwritten = [bill for bill in pending if bill is not None]
        written = await read_bills(self._unit, self._slot, cell.account_id, ask.months)
        numbers = {bill.number for bill in written}
        bills = (*written, *[bill for bill in unwritten if bill.number not in numbers])
        told = wire.Bills(cell.account_id, tuple(sorted(bills, key=_by_period)))
        self._groups.reply(cell.seq, sink, place, wire.pack(told))


def _by_period_alone(ask: wire.FetchDue) -> bool:
    """Say whether a list may be a little older than its page: who was billed, or charged, since then is told so."""
    return not (ask.every or ask.staged or ask.owing)


def _wanted(account: Account, ask: wire.FetchDue) -> bool:
    if ask.every or ask.staged:
        return ask.every or bool(account.open.staged)
    if ask.owing:
        return bool(account.open.bills or account.open.dunned) and account.terms.status != "moved"
    return is_due(account, ask.month, ask.cycle_day)


def is_due(account: Account, month: int, cycle_day: int) -> bool:
    """Say whether an account has a period to close, up to this one: one of its cycle day that is not closed yet."""
    terms = account.terms
    return terms.cycle_day == cycle_day and 0 < terms.closed < month and terms.status != "moved"


def _by_period(bill: Bill) -> str:
    return bill.period


def _list_of(ask: wire.FetchDue, slot: str) -> str:
    for name, asked in (("all", ask.every), ("staged", ask.staged), ("owing", ask.owing)):
        if asked:
            return f"{slot}|{name}"
    return f"{slot}|{ask.month}|{ask.cycle_day}"


def _place(ask: wire.FetchDue, slot: str) -> tuple[int, str]:
    """Read where a page begins: partition, and the account before. Raises `Invalid` PAGE_TOKEN_FOREIGN."""
    if not ask.after:
        return 0, ""
    mine = f"{_list_of(ask, slot)}|"
    bucket, bar, account_id = ask.after.removeprefix(mine).partition("|")
    if not (ask.after.startswith(mine) and bar and bucket.isdecimal() and len(bucket) < 3 and int(bucket) < BUCKETS):
        wanted = "what the page before of the same list gave, to the letter"
        raise Invalid(
            "PAGE_TOKEN_FOREIGN", f"no page of this list begins there: give {wanted}", fields={"page": wanted}
        )
    return int(bucket), account_id
