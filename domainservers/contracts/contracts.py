"""Contracts of a slot's members: cached, changed in memory first, written to the shared unit once their group is
applied, after the orders they came by.

The slot's owner is the only writer of the records of its members, so their cache needs no expiry; that of an identity
which is to join is read anew. What is not written yet is pinned and answers every read.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice

import msgspec
from msgspec import Struct

from charging.base.contract import Contract
from charging.errors import Refused
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.events import ContractSet
from charging.ledger.kinds import Event
from domainservers.base.collections import CONTRACT
from domainservers.base.fetcher import Fetcher, bucket_of, read_keys
from domainservers.contracts.order_records import order_record
from domainservers.contracts.resting import resting_record, rests
from runtime.telemetry import logger
from storage.unit import Record, Stored, StoreRejected, StoreUnavailable, Unit

log = logger("domainservers.contracts.contracts")

COLLECTION = CONTRACT.name
BUCKETS = 1_024
"""Partitions of the nation's contracts; part of the data, never change it."""
RECORDS_PER_WRITE_MAX = 2_000
RETRY_MS = 200
REJECTED_RETRY_MS = 5_000

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Contract).decode
_PARTITIONS = [f"{bucket:04d}" for bucket in range(BUCKETS)]


def partition_of(identity: str) -> str:
    """Partition of the `contract` collection that holds an identity."""
    return _PARTITIONS[bucket_of(identity, BUCKETS)]


def partition_name(bucket: int) -> str:
    """Name of the `contract` collection's partition for a bucket, 0 to `BUCKETS` - 1."""
    return _PARTITIONS[bucket]


def unpack_contract(packed: bytes) -> Contract:
    """Read a contract record's value."""
    return _unpack(packed)


async def read_contracts(unit: Unit, identities: Sequence[str]) -> dict[str, Stored]:
    """Read the records that a shared unit has of identities. Raises `StoreUnavailable`."""
    return await read_keys(unit, COLLECTION, partition_of, identities)


def fetcher(unit: Unit, take: Callable[[str, Stored | None], None], lost: Callable[[Sequence[str]], None]) -> Fetcher:
    """Make a reader of contracts as they are wanted."""
    return Fetcher(unit, COLLECTION, partition_of, take, lost)


class Known(Struct, frozen=True):
    """A contract, or that there is none, and the timestamp of its record."""

    contract: Contract | None
    timestamp: int
    changed_ms: int = 0
    """When it was decided; 0 = as read."""
    lists: tuple[str, ...] = ()
    """Regions in whose lists of resting numbers it has to stand, or may stand and must not: they are written, too."""


class Contracts:
    """Cache and write-behind of one slot."""

    def __init__(
        self, unit: Unit, cached_max: int, written: Callable[[Sequence[Contract]], Awaitable[None]] | None = None
    ) -> None:
        """`written` is told what is written, before it is no longer due."""
        self._unit = unit
        self._written = written
        self._cached: dict[str, Known] = {}
        self._order: deque[str] = deque()
        self._pinned: dict[str, Known] = {}
        self._due: dict[str, Known] = {}
        self._orders_due: dict[tuple[str, str], Record] = {}
        self._cached_max = cached_max
        self._wake = asyncio.Event()
        self._progress = asyncio.Event()

    def get(self, identity: str) -> Known | None:
        """What is known of an identity; None: ask the unit."""
        return self._pinned.get(identity) or self._cached.get(identity)

    def take(self, identity: str, stored: Stored | None) -> None:
        """Take in what the unit said. That there is no contract is remembered too, until memory is needed."""
        if stored is None:
            self._cache(identity, Known(None, 0))
        else:
            self._cache(identity, Known(_unpack(stored.value), stored.timestamp))

    def forget(self, identity: str) -> None:
        """Ask the unit anew: while an identity was not ours, others wrote its record. What is not written yet stays."""
        self._cached.pop(identity, None)

    def set(self, contract: Contract, now_ms: int) -> Known:
        """Change a contract, decided but not yet applied. The record's timestamp follows any earlier owner's."""
        before = self.get(contract.identity)
        timestamp = max(contract.version, before.timestamp + 1 if before is not None else 0)
        known = Known(contract, timestamp, now_ms, self._lists(contract, before))
        self._pinned[contract.identity] = known
        return known

    def _lists(self, contract: Contract, before: Known | None) -> tuple[str, ...]:
        """Give the regions whose lists of resting numbers have something to write about a contract."""
        if before is None:
            return (contract.domain,)
        lists = set(before.lists) if contract.identity in self._pinned else set()  # Perhaps they are not written yet.
        lists.update(each.domain for each in (before.contract, contract) if each is not None and rests(each))
        return tuple(sorted(lists))

    def applied(self, changed: Iterable[Known]) -> None:
        """Write these behind: their group is applied."""
        for known in changed:
            if known.contract is not None:
                self._due[known.contract.identity] = known
                self.order(known.contract, known.changed_ms)
        self._wake.set()

    def order(self, contract: Contract, changed_ms: int) -> None:
        """Write the order behind, if any, that an applied contract came by."""
        record = order_record(contract, changed_ms)
        if record is not None:
            self._orders_due[record.partition, record.key] = record
            self._wake.set()

    def _cache(self, identity: str, known: Known) -> None:
        if identity not in self._cached:
            self._order.append(identity)
            if len(self._order) > self._cached_max:
                self._cached.pop(self._order.popleft(), None)
        self._cached[identity] = known

    async def write_behind(self) -> None:
        """Write what is due, for ever; the store's absence is waited out, and so is a right that it takes away.

        Orders first, then contracts, some at a time, each after its place in the list of numbers that rest. Ends by
        cancellation alone; what is due then, the next owner finds by its replay.
        """
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due or self._orders_due:
                try:
                    await self._write()
                except StoreUnavailable:
                    await asyncio.sleep(RETRY_MS / 1000)
                    continue
                except StoreRejected as error:
                    log.error("the shared unit refuses contracts", why=str(error))
                    await asyncio.sleep(REJECTED_RETRY_MS / 1000)
                    continue
                self._progress.set()

    async def _write(self) -> None:
        """Write some orders; some contracts when no order is due."""
        orders = list(islice(self._orders_due.items(), RECORDS_PER_WRITE_MAX))
        if orders:
            await self._unit.put([record for _, record in orders])
            for name, record in orders:
                if self._orders_due.get(name) is record:
                    del self._orders_due[name]
            return
        batch = list(islice(self._due.values(), RECORDS_PER_WRITE_MAX))
        listed = [
            resting_record(region, known.contract, known.timestamp)
            for known in batch
            if known.contract is not None
            for region in known.lists
        ]
        if listed:
            await self._unit.put(listed)
        await self._unit.put(records_of(batch))
        if self._written is not None:
            await self._written([known.contract for known in batch if known.contract is not None])
        self._settle(batch)

    def _settle(self, batch: Sequence[Known]) -> None:
        # A contract that was set again while it was written is another object by now, and stays due.
        for known in batch:
            if known.contract is None:
                continue
            identity = known.contract.identity
            if self._due.get(identity) is known:
                del self._due[identity]
            if self._pinned.get(identity) is known:
                del self._pinned[identity]
                self._cache(identity, known)

    async def flush(self) -> None:
        """Wait until all that was applied so far is written, however long the store is away.

        What is applied meanwhile is not waited for.
        """
        awaited = list(self._due.items())
        orders = list(self._orders_due.items())
        while awaited or orders:
            awaited = [(identity, known) for identity, known in awaited if self._due.get(identity) is known]
            orders = [(name, record) for name, record in orders if self._orders_due.get(name) is record]
            if awaited or orders:
                self._progress.clear()
                await self._progress.wait()


def contracts_in(events: Sequence[Event]) -> list[Contract]:
    """The contracts that events set, in order."""
    found: list[Contract] = []
    for event in events:
        if isinstance(event, ContractSet):
            found.append(event.contract)
        elif isinstance(event, MovedIn):
            found += event.contracts
    return found


def records_of(changed: Sequence[Known]) -> list[Record]:
    """Make the records of contracts, in the order given; one that is not there has none."""
    return [
        Record(
            COLLECTION,
            partition_of(known.contract.identity),
            known.contract.identity,
            _pack(known.contract),
            known.timestamp,
        )
        for known in changed
        if known.contract is not None
    ]


def changed(known: Known | None, expected: int) -> Refused | None:
    """Say that a contract is not the one of the version for which a caller wrote another; None = it is.

    `expected` 0 = the caller found no contract.
    """
    version = known.contract.version if known is not None and known.contract is not None else 0
    if version == expected:
        return None
    text = f"the contract is not the one of version {expected} any more; read it and write it anew"
    return Refused("CONTRACT_CHANGED", text, facts={"version": str(version)})
