"""Asks that name an identity: reads, and the other half of a transfer. Its contract says whose account it is."""

from collections.abc import Callable

from msgspec.structs import replace

from charging.base.account_id import asked_for
from charging.base.subject import kind_of
from charging.errors import Fault
from charging.wire import (
    Ask,
    Commit,
    FetchBills,
    FetchCustomer,
    FetchDetail,
    FetchDue,
    FetchHistory,
    FetchOutcomes,
    FetchResting,
    Inspect,
    Locate,
    Lookup,
    Pull,
)
from domainservers.accounts.accounts import Cell
from domainservers.base.surroundings import Surroundings
from domainservers.contracts.contracts import Contracts
from domainservers.desk.answers import pack_fault, unknown_identity
from domainservers.desk.item import Item, item_of
from domainservers.desk.pulling import Pulling
from domainservers.journal.groups import ReplySink
from domainservers.reads.due import DueReads
from domainservers.reads.resting import RestingReads
from domainservers.reads.telling import JournalRead
from domainservers.slot.loading import Loading
from domainservers.subjects.instructing import Instructing


class SlotAsking:
    """Answers reads of one slot, each once through its sink: at once when all is in memory, else when it was read."""

    def __init__(
        self,
        cells: dict[str, Cell],
        contracts: Contracts,
        loading: Loading,
        around: Surroundings,
        pulling: Pulling,
        *,
        tell: Callable[[ReplySink, int, JournalRead, Cell], None],
        receive: Callable[[Item], None],
        instructing: Instructing,
        due: DueReads,
        resting: RestingReads,
    ) -> None:
        """`tell` answers a read of the journal, `receive` takes a commit whose account is known, `instructing` answers
        what is asked of subjects, `due` who is billed, and with what, `resting` which numbers rest."""
        self._cells = cells
        self._contracts = contracts
        self._loading = loading
        self._around = around
        self._pulling = pulling
        self._tell = tell
        self._receive = receive
        self._instructing = instructing
        self._due = due
        self._resting = resting

    def read(self, sink: ReplySink, place: int, ask: Ask) -> None:
        """Answer a read, or take a commit that names only the identity; the slot is known to be ours."""
        if isinstance(ask, Pull):
            self._pull(sink, place, ask)
        elif isinstance(ask, Locate):
            self._with_account(sink, place, ask.identity, lambda cell: self._locate(sink, place, ask, cell))
        elif isinstance(ask, Commit):
            self._commit(sink, place, ask)
        elif isinstance(ask, Inspect):
            self._instructing.inspect(sink, place, ask.subject_id)
        elif isinstance(ask, FetchDue):
            self._due.due(sink, place, ask)
        elif isinstance(ask, FetchResting):
            self._resting.tell(sink, place, ask)
        elif isinstance(ask, FetchBills):
            self._with_account(sink, place, ask.identity, lambda cell: self._due.bills(sink, place, ask, cell))
        elif isinstance(ask, FetchHistory) and kind_of(ask.identity):
            self._instructing.read(sink, place, ask.identity, lambda cell: self._tell(sink, place, ask, cell))
        elif isinstance(ask, FetchHistory | FetchDetail | FetchCustomer | FetchOutcomes | Lookup):
            self._with_account(sink, place, ask.identity, lambda cell: self._tell(sink, place, ask, cell))

    def _commit(self, sink: ReplySink, place: int, ask: Commit) -> None:
        def found(cell: Cell) -> None:
            self._receive(item_of(sink, place, ask.identity, replace(ask.command, account_id=cell.account_id)))

        self._with_account(sink, place, ask.identity, found)

    def _locate(self, sink: ReplySink, place: int, ask: Locate, cell: Cell) -> None:
        self._pulling.pull(sink, place, ask.identity, cell, located=True)

    def _pull(self, sink: ReplySink, place: int, ask: Pull) -> None:
        identity = ask.identity
        known = self._contracts.get(identity)
        account_id = known.contract.account_id if known is not None and known.contract else asked_for(identity)
        cell = self._cells.get(account_id)
        if cell is None:
            self._with_account(sink, place, identity, lambda _: self._pull(sink, place, ask))
            return
        self._around.look()
        self._pulling.pull(sink, place, identity, cell, moved=ask.moved)

    def _with_account(self, sink: ReplySink, place: int, identity: str, then: Callable[[Cell], None]) -> None:
        """Call `then` with the identity's account once contract and account are in memory."""
        account_id = asked_for(identity)
        if not account_id:
            known = self._contracts.get(identity)
            if known is None:
                self._loading.want_contract(identity, self._again(sink, place, identity, then))
                return
            if known.contract is None:
                sink.answer(place, unknown_identity(identity))
                return
            account_id = known.contract.account_id
        cell = self._cells.get(account_id)
        if cell is not None:
            then(cell)
        else:
            self._loading.want_account(account_id, self._again(sink, place, identity, then))

    def _again(
        self, sink: ReplySink, place: int, identity: str, then: Callable[[Cell], None]
    ) -> Callable[[Fault | None], None]:
        def resume(fault: Fault | None) -> None:
            if fault is not None:
                sink.answer(place, pack_fault(fault))
            else:
                self._with_account(sink, place, identity, then)

        return resume
