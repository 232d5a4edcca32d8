"""The accounts of a slot in memory: hot ones unpacked, cold ones packed, the rest in their snapshots.

A cell is dropped only when its own snapshot in the private unit is as new as the cell; a delta is not enough. Both
tiers are clocks (second chance): an access sets a flag, nothing is moved.
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from charging.base.account import Account, sharing
from domainservers.base.collections import ACCOUNT
from domainservers.base.fetcher import Fetcher, bucket_of, read_keys
from storage.unit import Record, Stored, Unit

COLLECTION = ACCOUNT.name
PACKED_MIN = 64
"""Fewer would let a cell go while the caller still works on it."""
TRIM_STEPS = 8
BUCKETS = 64
"""Partitions of a slot's snapshots; part of the data, never change it."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Account).decode


class Cell:
    """One account in memory."""

    __slots__ = ("account_id", "changed", "delta", "listed", "saved", "seq", "state", "used")

    def __init__(self, account_id: str, state: "Account | bytes | None", seq: int, saved: int) -> None:
        self.account_id = account_id
        self.state = state
        """None: there is no such account."""
        self.seq = seq
        """Group of its newest entry, decided but perhaps not applied; -1 none."""
        self.saved = saved
        """`seq` of the snapshot in the private unit."""
        self.changed = False
        """Since the newest snapshot round began."""
        self.delta = -1
        """Number of the newest delta that holds it, `domainservers.snapshots.deltas`."""
        self.used = True
        self.listed = False
        """It stands in the ring of packed ones, where a cell may stand once only."""


CellState = tuple[Cell, Account | bytes | None, int]
"""A cell with what it held and the sequence of its newest entry, at some moment."""


def partition_of(slot: str) -> Callable[[str], str]:
    """Which partition of the `account` collection holds an account of a slot."""
    names = [f"{slot}/{bucket:02d}" for bucket in range(BUCKETS)]
    return lambda account_id: names[bucket_of(account_id, BUCKETS)]


def partitions(slot: str) -> list[str]:
    """All partitions of a slot's snapshots."""
    return [f"{slot}/{bucket:02d}" for bucket in range(BUCKETS)]


async def read_accounts(unit: Unit, slot: str, account_ids: Sequence[str]) -> dict[str, Stored]:
    """Read the snapshots that a private unit has of a slot's accounts. Raises `StoreUnavailable`."""
    return await read_keys(unit, COLLECTION, partition_of(slot), account_ids)


def fetcher(
    unit: Unit, slot: str, take: Callable[[str, Stored | None], None], lost: Callable[[Sequence[str]], None]
) -> Fetcher:
    """Make a reader of a slot's snapshots as they are wanted."""
    return Fetcher(unit, COLLECTION, partition_of(slot), take, lost)


def bundle(states: Sequence[CellState]) -> bytes:
    """Pack many states at once: an array of account id, state and sequence each."""
    return _pack([(cell.account_id, Raw(state) if type(state) is bytes else state, seq) for cell, state, seq in states])


def unpack_account(packed: bytes) -> Account:
    """Read a packed account."""
    return _unpack(packed)


class Accounts:
    """Cells by account id, within the bounds of two tiers."""

    def __init__(self, slot: str, hot_max: int, packed_max: int) -> None:
        self.cells: dict[str, Cell] = {}
        self.changed: list[Cell] = []
        """Since the newest snapshot round began."""
        self.pinned = False
        """No cell leaves memory: recovery works on many at once."""
        self._partition_of = partition_of(slot)
        self._hot: deque[Cell] = deque()
        self._packed: deque[Cell] = deque()
        self._hot_max = hot_max
        self._packed_max = max(packed_max, PACKED_MIN)

    def take(self, account_id: str, stored: Stored | None) -> Cell:
        """Take a snapshot in (None: no such account) and give its cell; an account that is here stays as it is.

        What is in memory is newer than any snapshot, so a read that comes late changes nothing.
        """
        cell = self.cells.get(account_id)
        if cell is not None:
            return cell
        if stored is None:
            cell = Cell(account_id, None, -1, -1)
        else:
            cell = Cell(account_id, stored.value, stored.timestamp, stored.timestamp)
        self.cells[account_id] = cell
        self._cool(cell)
        return cell

    def state(self, cell: Cell) -> Account | None:
        """The newest state of a cell, unpacked; None = there is no such account.

        The cell counts as used. Raises one of `journal.groups.DEFECTS` when the packed state can't be read.
        """
        cell.used = True
        state = cell.state
        if type(state) is bytes:
            account = sharing(_unpack(state))
            cell.state = account
            self._heat(cell)
            return account
        return state  # type: ignore[return-value]

    def change(self, cell: Cell, account: Account, seq: int) -> None:
        """Set a new state, decided in group `seq`, which may still be open."""
        if type(cell.state) is Account:
            cell.state = account
        else:
            cell.state = sharing(account)
            self._heat(cell)
        # As `touch`, without another call for each charge.
        cell.seq = seq
        if not cell.changed:
            cell.changed = True
            self.changed.append(cell)

    def put_packed(self, cell: Cell, packed: bytes, seq: int) -> None:
        """Set a new state that stays packed, as a subject's does, decided in group `seq`."""
        cell.state = packed
        self.touch(cell, seq)

    def touch(self, cell: Cell, seq: int) -> None:
        """Note an entry that left the state as it was."""
        cell.seq = seq
        if not cell.changed:
            cell.changed = True
            self.changed.append(cell)

    def _heat(self, cell: Cell) -> None:
        self._hot.append(cell)
        while len(self._hot) > self._hot_max:
            coldest = self._hot.popleft()
            if coldest.used:
                coldest.used = False
                self._hot.append(coldest)
                continue
            if type(coldest.state) is Account:
                coldest.state = _pack(coldest.state)
            self._cool(coldest)

    def _cool(self, cell: Cell) -> None:
        """Let a cell stand among the packed ones, and let go of those that have been there for longest."""
        if not cell.listed:
            cell.listed = True
            self._packed.append(cell)
        for _ in range(TRIM_STEPS):
            if self.pinned or len(self._packed) <= self._packed_max:
                return
            oldest = self._packed.popleft()
            if oldest.seq > oldest.saved and type(oldest.state) is not Account:
                self._packed.append(oldest)
                continue
            oldest.listed = False
            if type(oldest.state) is not Account:  # Else it is hot again; its place is in the other ring.
                del self.cells[oldest.account_id]

    def restore(self, stored: Stored, delta: int) -> Cell:
        """Take a state from a delta at recovery, older deltas first."""
        cell = self.cells.get(stored.key)
        if cell is None:
            cell = self.cells[stored.key] = Cell(stored.key, None, -1, -1)
            self._cool(cell)
        cell.state, cell.seq, cell.delta = stored.value, stored.timestamp, delta
        return cell

    def capture(self, delta: int) -> list[CellState]:
        """Give the states changed since the last capture, as they are now, and count from here on.

        They go into delta `delta`, which must become durable: nothing else holds them. A state of None, no such
        account, is among them and needs no record.
        """
        states: list[CellState] = []
        for cell in self.changed:
            cell.changed = False
            cell.delta = delta
            states.append((cell, cell.state, cell.seq))
        self.changed = []
        return states

    def record(self, state: CellState) -> Record:
        """Make the snapshot record of a captured state."""
        cell, value, seq = state
        body = value if type(value) is bytes else _pack(value)
        return Record(COLLECTION, self._partition_of(cell.account_id), cell.account_id, body, seq)


def saved(states: Sequence[CellState]) -> None:
    """Note that snapshots are durable."""
    for cell, _, seq in states:
        if cell.saved < seq:
            cell.saved = seq


def resting(cells: Sequence[Cell], delta: int) -> list[CellState]:
    """Give the cells whose newest delta is this one, as they are."""
    return [(cell, cell.state, cell.seq) for cell in cells if cell.delta == delta]
