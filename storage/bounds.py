"""Checks that every store makes before it takes anything in, so that a bad value never fails its neighbours' batch."""

from collections.abc import Sequence

from storage.unit import (
    PAYLOAD_BYTES_MAX,
    RECORDS_PER_PUT_MAX,
    VALUE_BYTES_MAX,
    Collections,
    Group,
    Head,
    Record,
    StoreRejected,
)

KEY_BYTES_MAX = 1_024
"""Of a partition, key or journal name in UTF-8. Cassandra allows 64 kB; nothing here needs more than a line."""
_INT64 = 1 << 63


def check_records(records: Sequence[Record], known: Collections) -> None:
    """Raise `StoreRejected` for anything a store can't keep."""
    if len(records) > RECORDS_PER_PUT_MAX:
        raise StoreRejected(f"{len(records)} records in one put; at most {RECORDS_PER_PUT_MAX} are taken.")
    for record in records:
        check_place(record.collection, record.partition, known)
        check_name("key", record.key)
        if record.value is not None and len(record.value) > VALUE_BYTES_MAX:
            raise StoreRejected(
                f"The value of {record.collection}/{record.partition}/{record.key} has {len(record.value)} bytes; "
                f"at most {VALUE_BYTES_MAX} are taken."
            )
        check_int("timestamp", record.timestamp)


def check_place(collection: str, partition: str, known: Collections) -> None:
    """Raise `StoreRejected` for a collection that no room of the process brought, or a partition name out of bounds."""
    if collection not in known:
        raise StoreRejected(f"No collection is called {collection!r}; there are {', '.join(sorted(known))}.")
    check_name("partition", partition)


def check_swap(journal: str, segment: int, head: Head, group: Group | None) -> None:
    """Raise `StoreRejected` for a swap that a store can't keep."""
    check_name("journal", journal)
    check_name("owner", head.owner or "-")
    if not 0 <= segment < 1 << 31:
        raise StoreRejected(f"Segment {segment} is not in 0 … 2³¹-1.")
    check_int("epoch", head.epoch)
    check_int("seq", head.seq)
    if group is None:
        return
    check_int("seq", group.seq)
    if len(group.payload) > PAYLOAD_BYTES_MAX:
        raise StoreRejected(
            f"The group {journal}/{segment}/{group.seq} has {len(group.payload)} bytes; "
            f"at most {PAYLOAD_BYTES_MAX} are taken."
        )


def check_name(what: str, name: str) -> None:
    """Raise `StoreRejected` for an empty or overlong name, or one that is no UTF-8."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise StoreRejected(f"The {what} {name!a} is no valid Unicode.") from None
    if not 1 <= size <= KEY_BYTES_MAX:
        raise StoreRejected(f"The {what} has {size} bytes; 1 to {KEY_BYTES_MAX} are taken.")


def check_int(what: str, value: int) -> None:
    """Raise `StoreRejected` for a number beyond 64 bits. The lowest one is Cassandra's mark for "no timestamp"."""
    if not -_INT64 < value < _INT64:
        raise StoreRejected(f"The {what} {value} does not fit 64 bits.")
