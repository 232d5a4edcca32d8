"""Reads of the journal that somebody asked for: pages of history and of outcomes, and what a key came to."""

from charging import wire
from charging.errors import Fault
from charging.ledger.approvals import outcome_now
from charging.wire import FetchCustomer, FetchDetail, FetchHistory, FetchOutcomes, Lookup
from domainservers.accounts.accounts import Accounts, Cell
from domainservers.contracts.customers import CustomerIndex
from domainservers.desk.answers import key_reused, pack_fault, stored, told_again, told_by_account
from domainservers.journal.groups import Groups, ReplySink
from domainservers.journal.keys import POSITIONS_PER_GROUP
from domainservers.reads.details import detail_page
from domainservers.reads.histories import Tell, history_page
from domainservers.reads.outcomes import PAGE_OUTCOMES_MAX, page
from domainservers.reads.past import Past
from domainservers.reads.readers import Readers
from domainservers.snapshots.key_records import KeyRecords

CUSTOMER_ROWS_MAX = 1_000
JournalRead = FetchHistory | FetchDetail | FetchCustomer | FetchOutcomes | Lookup


class Telling:
    """Of one slot: a task a read, in turn with other long reads."""

    def __init__(
        self,
        past: Past,
        readers: Readers,
        accounts: Accounts,
        groups: Groups,
        key_records: KeyRecords,
        customers: CustomerIndex,
        slot: str,
        domain: str,
        outcomes_keep_ms: int,
        line: Tell,
    ) -> None:
        """`line` tells an entry, whosever it is."""
        self._past = past
        self._readers = readers
        self._accounts = accounts
        self._groups = groups
        self._key_records = key_records
        self._customers = customers
        self._slot = slot
        self._domain = domain
        self._outcomes_keep_ms = outcomes_keep_ms
        self._line = line

    def tell(self, sink: ReplySink, place: int, ask: JournalRead, cell: Cell) -> None:
        """Answer a read of an account that is in memory."""
        if isinstance(ask, FetchHistory):
            work = self._history(sink, place, ask, cell)
        elif isinstance(ask, FetchDetail):
            work = self._detail(sink, place, ask, cell)
        elif isinstance(ask, FetchCustomer):
            work = self._customer(sink, place, ask, cell)
        elif isinstance(ask, Lookup):
            work = self._lookup(sink, place, ask, cell)
        else:
            work = self._outcomes(sink, place, ask, cell)

        def failed(fault: Fault) -> None:
            sink.answer(place, pack_fault(fault))

        self._readers.begin(work, failed)

    async def _history(self, sink: ReplySink, place: int, ask: FetchHistory, cell: Cell) -> None:
        past = self._past
        if ask.key:
            entry = await past.known(cell.account_id, ask.key)
            told = wire.History(() if entry is None else (self._line(entry),))
            self._groups.reply(cell.seq, sink, place, wire.pack(told))
            return
        newest = await past.applied(cell.seq)
        if ask.before_position:
            newest = min(newest, ask.before_position // POSITIONS_PER_GROUP)
        async with past.turns.reader(sink.deadline):
            told = await history_page(past.frames, past.turns, cell.account_id, newest, ask, self._line)
        sink.answer(place, wire.pack(told))

    async def _detail(self, sink: ReplySink, place: int, ask: FetchDetail, cell: Cell) -> None:
        past = self._past
        newest = await past.applied(cell.seq)
        async with past.turns.reader(sink.deadline):
            told = await detail_page(past.frames, past.turns, cell.account_id, newest, ask, self._slot)
        sink.answer(place, wire.pack(told))

    async def _customer(self, sink: ReplySink, place: int, ask: FetchCustomer, cell: Cell) -> None:
        await self._past.applied(cell.seq)
        account = self._accounts.state(cell)
        customer_id = account.customer_id if account is not None else ""
        most = max(1, min(ask.rows_max, CUSTOMER_ROWS_MAX))
        async with self._past.turns.reader(sink.deadline):
            rows = await self._customers.page(customer_id, ask.after, most)
        sink.answer(place, wire.pack(rows))

    async def _outcomes(self, sink: ReplySink, place: int, ask: FetchOutcomes, cell: Cell) -> None:
        past = self._past
        newest = await past.applied(cell.seq)
        most = min(ask.outcomes_max, PAGE_OUTCOMES_MAX)
        keep_ms, keep_seq = self._outcomes_keep_ms, self._key_records.first_seq
        async with past.turns.reader(sink.deadline):
            told = await page(past.frames, past.turns, cell.account_id, newest, ask.from_seq, most, keep_ms, keep_seq)
        sink.answer(place, wire.pack(told))

    async def _lookup(self, sink: ReplySink, place: int, ask: Lookup, cell: Cell) -> None:
        # The index holds every key whose outcome must still be known, so an unknown key costs no walk of the chain.
        position = self._past.position_of(cell.account_id, ask.key)
        entry, _ = await self._past.find(cell.account_id, ask.key) if position >= 0 else (None, False)
        account = self._accounts.state(cell)
        if entry is None:
            kept = told_by_account(account, ask.key, ask.digest)
            self._groups.reply(cell.seq, sink, place, kept or wire.pack(wire.Unknown(ask.key)))
            return
        if ask.digest not in (b"", entry.digest):
            raise key_reused()
        decided = outcome_now(account, ask.key)
        if decided is not None:
            self._groups.reply(cell.seq, sink, place, told_again(decided))
            return
        body = stored(entry, self._domain, account)
        self._groups.reply(position // POSITIONS_PER_GROUP, sink, place, body)
