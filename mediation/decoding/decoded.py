"""What decoding makes of a record."""

from msgspec import Struct

from mediation.records import DetailRecord, DroppedRecord, UnreadRecord


class Decoded(Struct, frozen=True, gc=False):
    """A record and what its key is made of."""

    record: DetailRecord
    key: tuple[str, ...]


FoundRecord = Decoded | DroppedRecord | UnreadRecord
