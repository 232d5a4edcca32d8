"""What decoding gives: usage in one form, whatever switch wrote it, and what could not be read, each with its place."""

from msgspec import Struct

RAW_BYTES_MAX = 65_536
"""Of one record in a file."""


class RecordPlace(Struct, frozen=True, array_like=True, gc=False):
    """Where a record stands in its file."""

    position: int
    """Number of its line where the file has lines, the first being 1; else the byte at which it begins."""
    raw: bytes
    """As the switch wrote it."""


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


class UnreadRecord(Struct, frozen=True, array_like=True, gc=False):
    """A record that is none, with a reason for programs and a sentence for people."""

    reason: str
    why: str
    place: RecordPlace


class DroppedRecord(Struct, frozen=True, array_like=True, gc=False):
    """A record that the format says is not charged."""

    rule: str
    place: RecordPlace
