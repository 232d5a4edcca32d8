"""The lists of resting numbers, made anew from the contracts: what an audit found missing there stands there again.

It may run while owners write: what it puts is what they would, with the contract's own timestamp.
"""

from collections.abc import Sequence

from domainservers.base.fetcher import read_keys
from domainservers.contracts import contracts as contracts_of
from domainservers.contracts.contracts import unpack_contract
from domainservers.contracts.resting import COLLECTION, resting_record, rests
from storage.unit import Record, Stored, Unit


async def relist(shared: Unit, now_ms: int) -> int:
    """Write the records that are missing or otherwise in a shared unit, and give how many. Raises `StoreUnavailable`.

    `now_ms` is UTC: a rest that is over by then is left out.
    """
    count = 0
    for bucket in range(contracts_of.BUCKETS):
        async for page in shared.scan(contracts_of.COLLECTION, contracts_of.partition_name(bucket)):
            wanted: list[Record] = []
            for stored in page:
                contract = unpack_contract(stored.value)
                if rests(contract) and now_ms < contract.rests_until_ms:
                    wanted.append(resting_record(contract.domain, contract, stored.timestamp))
            missing = await _missing(shared, wanted)
            if missing:
                await shared.put(missing)
            count += len(missing)
    return count


async def _missing(shared: Unit, wanted: Sequence[Record]) -> list[Record]:
    places = {record.key: record.partition for record in wanted}
    found = await read_keys(shared, COLLECTION, places.__getitem__, list(places))
    return [record for record in wanted if not _stands(found.get(record.key), record)]


def _stands(stored: Stored | None, record: Record) -> bool:
    return stored is not None and stored.timestamp >= record.timestamp and stored.value == record.value
