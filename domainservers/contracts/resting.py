"""Numbers that rest, by region: a record for each, in the shared unit beside the contracts, written before them.

A record is made of the contract that let the number go, and goes when the number is free or taken; both are written
before the contract's own record and with its timestamp. So whoever dies between the two has not written the contract
either, and the replay writes both. What is told of a record is held against the registry of holders first, since that
alone decides who may have the number: one that the registry does not know to rest is not told. A rest that is over by
time nobody writes down; whoever reads the list clears its record away.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from charging.base.contract import Contract
from charging.wire import RestingRow, RestingRows
from domainservers.base.collections import RESTING
from domainservers.base.fetcher import bucket_of
from domainservers.contracts.registry import AT_ONCE_MAX, Registry, Rest
from storage.unit import Record, Stored, Unit

COLLECTION = RESTING.name
BUCKETS = 256
"""Partitions of a region's resting numbers, so that none grows large; part of the data, never change it."""
ROWS_MAX = 500
"""Of one page: each is held against its holder's record."""
PARTITIONS_MAX = 64
"""That are read for one page; a page of a list that is nearly empty may so be empty, and yet name a next one."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(RestingRow).decode


def rests(contract: Contract) -> bool:
    """Say whether a contract let its number go, to rest."""
    return contract.status == "ended" and contract.rests_until_ms > 0


def partition_of(domain: str, identity: str) -> str:
    """Give the partition of a number that rests in a region."""
    return partition_name(domain, bucket_of(identity, BUCKETS))


def partition_name(domain: str, bucket: int) -> str:
    """Give the name of a region's partition for a bucket, 0 to `BUCKETS` - 1."""
    return f"{domain}/{bucket:03d}"


def unpack_resting(packed: bytes) -> RestingRow:
    """Read a record's value."""
    return _unpack(packed)


def resting_record(domain: str, contract: Contract, timestamp: int) -> Record:
    """Make the record in a region's list of a contract that is written with this timestamp; where its number does not
    rest there, it is a deletion."""
    value = None
    if contract.domain == domain and rests(contract):
        row = RestingRow(
            contract.identity, contract.account_id, contract.valid_to_ms, contract.rests_until_ms, contract.kept_for
        )
        value = _pack(row)
    return Record(COLLECTION, partition_of(domain, contract.identity), contract.identity, value, timestamp)


class RestingNumbers:
    """The lists of regions, as one slot reads them."""

    def __init__(self, shared: Unit, registry: Registry) -> None:
        self._shared = shared
        self._registry = registry

    async def page(self, domain: str, bucket: int, after: str, rows_max: int, now_ms: int) -> RestingRows:
        """Give a page of the numbers that rest in a region, from a partition on, in it behind the number `after`.

        In a fixed order that means nothing. `now_ms` is UTC. Raises `StoreUnavailable`.
        """
        most = max(1, min(rows_max, ROWS_MAX))
        found: list[RestingRow] = []
        for at in range(bucket, min(bucket + PARTITIONS_MAX, BUCKETS)):
            rows = await self._partition(partition_name(domain, at), after if at == bucket else "", now_ms)
            room = most - len(found)
            found += await self._confirmed(rows[:room])
            if len(rows) > room:
                return RestingRows(tuple(found), at, rows[room - 1].number)
            if len(found) == most and at + 1 < BUCKETS:
                return RestingRows(tuple(found), at + 1)
        following = bucket + PARTITIONS_MAX
        return RestingRows(tuple(found), following if following < BUCKETS else 0)

    async def _partition(self, partition: str, after: str, now_ms: int) -> list[RestingRow]:
        """Read the numbers of a partition whose rest is not over, and clear the records of those whose rest is."""
        rows: list[RestingRow] = []
        over: list[Stored] = []
        async for page in self._shared.scan(COLLECTION, partition):
            for stored in page:
                row = _unpack(stored.value)
                if row.rests_until_ms <= now_ms:
                    over.append(stored)
                elif row.number > after:
                    rows.append(row)
            await asyncio.sleep(0)
        if over:
            # Contracts of a number have rising timestamps, and one that rests again comes after one that served: so
            # nothing but a deletion ever has the next timestamp.
            await self._shared.put([Record(COLLECTION, partition, s.key, None, s.timestamp + 1) for s in over])
        return rows

    async def _confirmed(self, rows: Sequence[RestingRow]) -> list[RestingRow]:
        """Leave those out that rest no more, or not yet, by the registry."""
        kept: list[RestingRow] = []
        for start in range(0, len(rows), AT_ONCE_MAX):
            some = rows[start : start + AT_ONCE_MAX]
            known = await asyncio.gather(*(self._registry.rest(row.number) for row in some))
            kept += [row for row, rest in zip(some, known, strict=True) if _agree(row, rest)]
        return kept


def _agree(row: RestingRow, rest: Rest | None) -> bool:
    return rest is not None and rest.until_ms == row.rests_until_ms and row.account_id in rest.accounts
