"""What decoding gives: usage in one form, whatever switch wrote it, and what could not be read, each with its place."""

from msgspec import Struct

RAW_BYTES_MAX = 65_536
"""Of one record in a file."""
NOT_WHOLE = "FILE_NOT_WHOLE"
"""The reason for which a file is held that was cut off, or whose totals disagree with what is in it."""


class RecordPlace(Struct, frozen=True, array_like=True, gc=False):
    """Where a record stands in its file."""

    position: int
    """Number of its line where the file has lines, the first being 1; else the byte at which it begins."""
    raw: bytes
    """As the switch wrote it."""
    record: int = -1
    """Position of the record of which this is a part, such as one container of many; -1 = it is a whole one."""


class CallPart(Struct, frozen=True, array_like=True, gc=False):
    """Which part of a call a record is, where a switch writes long calls in parts."""

    chain: bytes
    """What all parts of the call have alike; a switch that was started anew may use it again for another call."""
    number: int
    more: bool
    """Another part follows."""


class ReplacedCharge(Struct, frozen=True, array_like=True, gc=False):
    """What was charged for a part of a use."""

    request_key: str
    """Of the command that charged it."""
    start_ms: int
    """When the part began, UTC."""
    quantity: int
    """Base units."""


class DetailRecord(Struct, frozen=True, array_like=True, gc=False):
    """One use of a service as a switch recorded it (call detail record, TS 32.240)."""

    identity: str
    """Who pays for it, in its one spelling."""
    service: str
    start_ms: int
    """UTC."""
    quantity: int
    """Base units of the service: seconds, bytes, events."""
    other_party: str
    visited: str
    partner: str
    attributes: tuple[tuple[str, str], ...]
    """By name, in order."""
    place: RecordPlace
    part: CallPart | None = None
    """None = it is a whole use."""
    alike: bytes = b""
    """What it has in common with a record that another switch wrote of the same call; empty = nobody asks."""
    replaces: ReplacedCharge | None = None
    """It is a whole call, of which a part was charged; None = nothing of it was."""


class UnreadRecord(Struct, frozen=True, array_like=True, gc=False):
    """A record that is none, with a reason for programs and a sentence for people."""

    reason: str
    why: str
    place: RecordPlace


class DroppedRecord(Struct, frozen=True, array_like=True, gc=False):
    """A record that the format says is not charged."""

    rule: str
    place: RecordPlace


FoundRow = tuple[dict[str, str], RecordPlace] | UnreadRecord
"""The fields of a record by name, as text, or why there are none."""


class UnusableFile(Exception):
    """A file of which nothing is charged: it is not whole, or not in this format."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(why)
        self.reason = reason
        self.why = why
