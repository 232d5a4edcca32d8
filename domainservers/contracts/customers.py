"""Accounts by customer: a partition for each customer in the unit that all domains share, a record for each account.

The owner of an account writes its record behind the journal when the account is opened, when it arrives from another
domain, and when it becomes another customer's, whose list it moves to; whoever has an account of the customer reads
all. A record is a function of its entry: replay writes it again.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import msgspec

from charging.base.account import Account
from charging.errors import Invalid
from charging.ledger.commands.transfer_ownership import CustomerChanged
from charging.ledger.event import BaseArrival, BaseEvent
from charging.wire import CustomerRow, CustomerRows
from domainservers.base.behind import RecordsBehind
from domainservers.base.collections import CUSTOMER
from storage.unit import Record, Unit

COLLECTION = CUSTOMER.name
ROWS_MAX = 20_000
"""That are read for one page: what comes before it is read too."""

_LISTED = (BaseArrival, CustomerChanged)
"""What stands in the list of a customer, or leaves it."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(CustomerRow).decode


def customer_record(account: Account, time_ms: int) -> Record | None:
    """Make the record of an account that is there from `time_ms` on; None when it names no customer."""
    if not account.customer_id:
        return None
    row = CustomerRow(account.account_id, account.terms.domain, time_ms)
    return Record(COLLECTION, account.customer_id, account.account_id, _pack(row), account.version + 1)


def _moved(event: CustomerChanged, version: int, time_ms: int) -> list[Record]:
    """Make the records by which an account leaves one customer's list and stands in another's."""
    row = CustomerRow(event.account_id, event.domain, time_ms)
    records = [Record(COLLECTION, event.after, event.account_id, _pack(row), version)]
    if event.before:
        records.append(Record(COLLECTION, event.before, event.account_id, None, version))
    return records


class CustomerIndex(RecordsBehind):
    """As one slot writes and reads it."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit, "accounts of customers")

    def note(self, events: Iterable[BaseEvent], version: int, time_ms: int) -> None:
        """Write the records that an applied entry brings or moves; `version` is the account's after it."""
        for event in events:
            if isinstance(event, BaseArrival):
                record = customer_record(event.account, time_ms)
                if record is not None:
                    self.write(record)
            elif isinstance(event, CustomerChanged):
                for record in _moved(event, version, time_ms):
                    self.write(record)

    def decided(
        self,
        events: Sequence[BaseEvent],
        version: int,
        time_ms: int,
        when_applied: Callable[[Callable[[], None]], None],
    ) -> None:
        """Write the records of an entry in the open group once it is applied."""
        for event in events:
            if isinstance(event, _LISTED):
                when_applied(partial(self.note, events, version, time_ms))
                return

    async def page(self, customer_id: str, after: str, rows_max: int) -> CustomerRows:
        """Give a page of a customer's accounts, by id, behind the id `after`.

        What this slot has not written yet is in it. Raises `StoreUnavailable`, `Invalid` LIST_TOO_LONG.
        """
        due = {key: record for (partition, key), record in self.due.items() if partition == customer_id}
        found: dict[str, CustomerRow] = {
            key: _unpack(record.value) for key, record in due.items() if record.value is not None
        }
        if not customer_id:
            return CustomerRows("", (), False)
        read = 0
        async for page in self.unit.scan(COLLECTION, customer_id):
            read += len(page)
            for stored in page:
                if stored.key > after and stored.key not in due:
                    found.setdefault(stored.key, _unpack(stored.value))
            # One more than asked for tells that there is another page.
            if len([key for key in found if key > after]) > rows_max + len(self.due):
                break
            if read > ROWS_MAX:
                text = f"at most {ROWS_MAX} accounts of one customer"
                raise Invalid("LIST_TOO_LONG", f"the list goes no further than {text}", fields={"page_cursor": text})
        rows = [found[key] for key in sorted(found) if key > after]
        return CustomerRows(customer_id, tuple(rows[:rows_max]), len(rows) > rows_max)
