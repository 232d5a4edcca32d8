"""Bills as records of the private unit, for ever: written once their group is applied, again when it is replayed.

A bill is found by its account and period. Partitions hold a month of a sixty-fourth of the slot, so that none grows
with the years.
"""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from charging.bills.bill import Bill
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.event import BaseEvent
from domainservers.accounts.accounts import BUCKETS
from domainservers.base.behind import RecordsBehind
from domainservers.base.collections import BILL_RECORDS
from domainservers.base.fetcher import bucket_of
from storage.unit import Record, Unit

COLLECTION = BILL_RECORDS.name
GATHER_S = 0.05
"""A run makes some hundred bills meanwhile; whoever asks for one of them finds it before it is written."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Bill).decode


def partition_of(slot: str, account_id: str, month: int) -> str:
    """Give the partition of the bill of an account for a period, which begins in this month since the year 0."""
    return f"{slot}/{bucket_of(account_id, BUCKETS):02d}/{month}"


def partitions_of(slot: str, months: Iterable[int]) -> list[str]:
    """Give all partitions of these periods."""
    return [f"{slot}/{bucket:02d}/{month}" for month in months for bucket in range(BUCKETS)]


def bill_record(slot: str, event: PeriodClosed, time_ms: int) -> Record | None:
    """Make the record of a closed period; None where nothing was billed. `time_ms` is the entry's."""
    if event.bill is None:
        return None
    account_id = event.bill.account
    return Record(COLLECTION, partition_of(slot, account_id, event.month), account_id, _pack(event.bill), time_ms)


async def read_bills(unit: Unit, slot: str, account_id: str, months: Sequence[int]) -> list[Bill]:
    """Read the bills of an account that there are of these periods, in their order. Raises `StoreUnavailable`."""

    async def one(month: int) -> Bill | None:
        found = await unit.get(COLLECTION, partition_of(slot, account_id, month), [account_id])
        return _unpack(found[account_id].value) if account_id in found else None

    bills = await asyncio.gather(*(one(month) for month in months))
    return [bill for bill in bills if bill is not None]


class BillRecords(RecordsBehind):
    """Those of one slot."""

    def __init__(self, slot: str, unit: Unit) -> None:
        super().__init__(unit, "bills", GATHER_S)
        self._slot = slot

    def note(self, events: Iterable[BaseEvent], time_ms: int) -> None:
        """Write the bills of an applied entry behind."""
        for event in events:
            if isinstance(event, PeriodClosed):
                record = bill_record(self._slot, event, time_ms)
                if record is not None:
                    self.write(record)

    def pending(self, account_id: str, month: int) -> Bill | None:
        """Give a bill that is not written yet."""
        record = self.due.get((partition_of(self._slot, account_id, month), account_id))
        return _unpack(record.value) if record is not None and record.value is not None else None
