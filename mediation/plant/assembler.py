"""Parts of calls that a file brings → calls that are whole, and what waits for other parts.

Nothing is written here: whoever asks writes calls and parts in one commit, so they can't disagree.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from mediation.assembling.chains import JoinedCall, StoredPart, calls_of
from mediation.formats.format import PartsRule
from mediation.plant.batches import KeyedRecord
from mediation.plant.parts import PartBook
from mediation.records import DetailRecord

IN_SUSPENSE = -1
_HOUR_MS = 3_600_000
_pack = msgspec.msgpack.Encoder().encode
_record = msgspec.msgpack.Decoder(DetailRecord).decode


class Assembled(Struct):
    """What became of records of one file."""

    uses: list[KeyedRecord] = field(default_factory=list)
    """To be charged: whole ones as they were, and calls that are whole now."""
    parts: list[StoredPart] = field(default_factory=list)
    """To be kept."""
    late: list[KeyedRecord] = field(default_factory=list)
    """Parts of calls that were charged without them."""


class WaitingCall(Struct, frozen=True):
    """A call that waits for parts, as people look at it."""

    identity: str
    start_ms: int
    """UTC, of the first part that is there."""
    seconds: int
    """Of the parts that are there."""
    there: tuple[int, ...]
    missing: tuple[int, ...]
    until_ms: int
    digest: str
    """File of the last part that is there."""


class CallAssembler:
    """Of one plant."""

    def __init__(self, book: PartBook) -> None:
        self._book = book

    def take(
        self, rows: Sequence[KeyedRecord], digest: str, batch: int, rule: PartsRule | None, now_ms: int
    ) -> Assembled:
        """Join the parts among records of a file with those that are there; `batch` is where calls go."""
        made = Assembled([row for row in rows if rule is None or row.record.part is None])
        if rule is None or len(made.uses) == len(rows):
            return made
        until_ms = now_ms + rule.wait_h * _HOUR_MS
        chains: dict[bytes, list[StoredPart]] = {}
        for row in rows:
            if (part := _stored(row, digest, until_ms)) is not None:
                chains.setdefault(part.chain, []).append(part)
        for chain, mine in chains.items():
            there = [part for part in self._book.of(chain) if (part.digest, part.position) not in _places(mine)]
            for call in calls_of([*there, *mine], rule):
                _decide(call, mine, batch, made)
        return made

    def overdue(self, rules: Mapping[str, PartsRule], now_ms: int) -> dict[str, list[JoinedCall]]:
        """Give calls that are not waited for any more, by the file of their last part; `rules` by file."""
        found: dict[str, list[JoinedCall]] = {}
        for chain in self._book.overdue(now_ms):
            parts = self._book.of(chain)
            rule = rules.get(parts[-1].digest)
            for call in calls_of(parts, rule) if rule is not None else ():
                # Beside charged ones stands a part that waits when the rule is another one by now.
                left = tuple(part for part in call.parts if not part.batch)
                if left and max(part.until_ms for part in left) <= now_ms:
                    found.setdefault(left[-1].digest, []).append(JoinedCall(left, call.missing))
        return found


def waiting_calls(parts: Sequence[StoredPart], rules: Mapping[str, PartsRule | None]) -> list[WaitingCall]:
    """Give the calls that parts wait for, oldest first; `rules` by file."""
    found: list[WaitingCall] = []
    for _, group in groupby(parts, key=lambda part: part.chain):
        mine = list(group)
        rule = rules.get(mine[-1].digest)
        for call in calls_of(mine, rule) if rule is not None else ():
            found.append(_waiting(call))
    return sorted(found, key=lambda call: (call.start_ms, call.identity))


def _waiting(call: JoinedCall) -> WaitingCall:
    first, last = call.parts[0], call.parts[-1]
    return WaitingCall(
        _record(first.record).identity,
        first.start_ms,
        sum(part.seconds for part in call.parts),
        tuple(part.number for part in call.parts),
        call.missing,
        max(part.until_ms for part in call.parts),
        last.digest,
    )


def call_of(call: JoinedCall, place_of: StoredPart) -> KeyedRecord:
    """Give a call as one use: of its first part what it says, of all how long it was; it stands where one part does."""
    records = [_record(part.record) for part in call.parts]
    seconds = sum(record.quantity for record in records)
    whole = replace(records[0], quantity=seconds, place=_record(place_of.record).place, part=None)
    return KeyedRecord(call.parts[0].key, whole)


def taken(call: JoinedCall, batch: int) -> list[StoredPart]:
    """Give the parts of a call as they are once it is in a batch."""
    return [replace(part, batch=batch) for part in call.parts]


def _decide(call: JoinedCall, mine: Sequence[StoredPart], batch: int, made: Assembled) -> None:
    places = _places(mine)
    fresh = [part for part in call.parts if (part.digest, part.position) in places]
    if not fresh:
        return
    if call.charged:
        # Kept beside the others, too, so that it is known again; what it is worth a person or a re-rating says.
        made.parts += [replace(part, batch=IN_SUSPENSE) for part in fresh]
        made.late += [KeyedRecord(part.key, replace(_record(part.record), part=None)) for part in fresh]
    elif call.missing:
        made.parts += fresh
    else:
        made.parts += taken(call, batch)
        made.uses.append(call_of(call, fresh[0]))


def _stored(row: KeyedRecord, digest: str, until_ms: int) -> StoredPart | None:
    record, part = row.record, row.record.part
    if part is None:
        return None
    return StoredPart(
        digest=digest,
        position=record.place.position,
        chain=part.chain,
        number=part.number,
        start_ms=record.start_ms,
        more=int(part.more),
        until_ms=until_ms,
        batch=0,
        key=row.key,
        record=_pack(record),
        seconds=record.quantity,
    )


def _places(parts: Sequence[StoredPart]) -> set[tuple[str, int]]:
    return {(part.digest, part.position) for part in parts}
