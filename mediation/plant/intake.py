"""A landed file → its batches, one of each piece: decoded, freed of duplicates, all of it in one commit.

What is kept of a record depends on nothing but the file, its format, the keys that were known before, and whether it
began by now: whoever is killed here begins again and ends where it would have. A batch never changes once it is there,
for its request keys name what was sent.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from msgspec import Struct, field
from numpy.typing import NDArray

from mediation.assembling.chains import StoredPart
from mediation.decoding.decoder import Decoder
from mediation.decoding.pieces import Piece, frame_of
from mediation.duplicates import runs
from mediation.duplicates.keys import key_rows
from mediation.formats.format import Format
from mediation.plant.assembler import CallAssembler
from mediation.plant.batches import KeyedRecord, write_uses
from mediation.plant.files import LANDED, LandedFile
from mediation.plant.known import KnownKeys, MadeRun
from mediation.plant.plant import Plant
from mediation.plant.recycling import late_part
from mediation.plant.suspense import Suspended, aside_of
from mediation.records import UnreadRecord, UnusableFile

CONFLICT = "RECORD_CONFLICT"
SUSPECTED = "CALL_SUSPECTED"
AHEAD = "EVENT_TIME_INVALID"
_DAY_MS = 86_400_000


class TakenFile(Struct):
    """What pieces of a file brought so far: written where it belongs, and named by one commit at its end."""

    batches: list[tuple[int, int]] = field(default_factory=list)
    """Number and records of each."""
    runs: list[MadeRun] = field(default_factory=list)
    parts: list[StoredPart] = field(default_factory=list)
    likely: list[KeyedRecord] = field(default_factory=list)
    """Uses that others may be held against."""
    aside: list[Suspended] = field(default_factory=list)
    positions: set[int] = field(default_factory=set)
    """Of records that may have been in suspense, and aren't any more."""
    records: int = 0
    duplicates: int = 0
    dropped: int = 0


class Intake:
    """Takes the files of one plant in."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._folder = plant.folder
        self._work = plant.work
        self._assembler = CallAssembler(plant.parts)
        self._known = KnownKeys(plant.folder, plant.work)

    def take(self, file: LandedFile, decoder: Decoder, now_ms: int) -> None:
        """Decode a landed file and commit what became of it: batches, or that the whole file is held.

        Raises `OSError` when the bytes can't be read or written; nothing is changed then.
        """
        try:
            with self._folder.read(file.digest) as content:
                taken = self._take(file, decoder, decoder.pieces(content), now_ms)
        except UnusableFile as unusable:
            if file.state == LANDED:
                with self._plant.commit():
                    self._plant.files.hold(file.digest, unusable.reason, unusable.why)
            return
        self._commit(file, taken)

    def take_again(self, file: LandedFile, decoder: Decoder, now_ms: int) -> int:
        """Decode a file once more for the records that could not be read; gives how many can be read now.

        The others of the file stay what they are. Raises `OSError`.
        """
        unread = frozenset(each.position for each in self._plant.suspense.all(digest=file.digest) if not each.record)
        if not unread:
            return 0
        try:
            with self._folder.read(file.digest) as content:
                readable = (piece.readable(unread) for piece in decoder.pieces(content))
                taken = self._take(file, decoder, readable, now_ms)
        except UnusableFile:
            return 0
        if taken.records:
            self._commit(file, taken)
        return taken.records

    def _take(self, file: LandedFile, decoder: Decoder, pieces: Iterable[Piece], now_ms: int) -> TakenFile:
        """Write what pieces of a file bring, as batches and runs that count once they are named."""
        taken, number = TakenFile(), self._work.next_number()
        try:
            for piece in pieces:
                self._take_piece(file, decoder.form, piece, number + len(taken.batches), now_ms, taken)
        except UnusableFile:
            self._known.remove([name for name, _, _ in taken.runs])
            for written, _ in taken.batches:
                self._folder.batch(written).unlink(missing_ok=True)
            raise
        return taken

    def _take_piece(
        self, file: LandedFile, form: Format, piece: Piece, number: int, now_ms: int, taken: TakenFile
    ) -> None:
        rows, days = key_rows(piece.uses), (piece.uses["start_ms"] // _DAY_MS).to_numpy()
        # Where the key holds the time, equal keys are of one day; else a correction may have moved the use to another.
        of_day = set(form.start.columns()) <= set(form.key)
        order = runs.in_order(rows)
        by_key, day_of = rows[:, order], days[order]
        sought = self._known.seek(by_key, day_of, of_day, taken.runs)
        known = np.empty_like(sought)
        known[order] = sought
        later = (piece.uses["start_ms"] > now_ms).to_numpy()
        fresh = known == runs.NEW
        aside = [_unread(file, each, now_ms) for each in piece.unread]
        aside += [_conflict(file, row, now_ms) for row in _keyed(piece, known == runs.OTHER)]
        aside += [_ahead(file, row, now_ms) for row in _keyed(piece, fresh & later)]
        ready = fresh & ~later
        if piece.records is None:
            uses = piece.uses.filter(pl.Series(ready))
        else:
            uses = self._assembled(file, form, _keyed(piece, ready), number, now_ms, taken)
        if len(uses):
            write_uses(self._folder.batch(number), uses)
            taken.batches.append((number, len(uses)))
        taken.runs += self._known.write(by_key[:, sought == runs.NEW], day_of[sought == runs.NEW])
        taken.aside += aside
        taken.records += piece.count()
        taken.duplicates += int((known == runs.SAME).sum())
        taken.dropped += len(piece.dropped)
        if file.state != LANDED:
            taken.positions.update(piece.positions())

    def _assembled(
        self, file: LandedFile, form: Format, ready: Sequence[KeyedRecord], number: int, now_ms: int, taken: TakenFile
    ) -> pl.DataFrame:
        """Join parts of calls, and set aside what may be another record of a known call."""
        assembled = self._assembler.take(ready, file.digest, number, form.parts, now_ms)
        uses, suspected = assembled.uses, list[KeyedRecord]()
        if form.alike is not None:
            uses, suspected = self._plant.likeness.divide(uses, form.alike.within_s)
        taken.aside += [_suspected(file.digest, row, now_ms) for row in suspected]
        taken.aside += [late_part(file.digest, row, now_ms) for row in assembled.late]
        taken.parts += assembled.parts
        taken.likely += uses
        return frame_of([row.record for row in uses], [row.key for row in uses])

    def _commit(self, file: LandedFile, taken: TakenFile) -> None:
        plant = self._plant
        with plant.commit():
            self._known.name(taken.runs)
            for number, records in taken.batches:
                self._work.add(number, file.digest, records)
            plant.parts.keep(taken.parts)
            plant.likeness.add(taken.likely)
            released = plant.suspense.release(file.digest, taken.positions) if taken.positions else 0
            plant.suspense.keep(taken.aside)
            # A record that was one while nobody could read it may be several uses now.
            plant.files.decoded(file.digest, taken.records - released, taken.duplicates, taken.dropped)
        for day in {day for _, day, _ in taken.runs}:
            self._join_runs(day)

    def _join_runs(self, day: str) -> None:
        joined = self._known.joined(day)
        if joined is not None:
            with self._plant.commit():
                self._known.replace(*joined)
            self._known.remove(joined[0])


def _unread(file: LandedFile, unread: UnreadRecord, now_ms: int) -> Suspended:
    place = unread.place
    return Suspended(file.digest, place.position, unread.reason, unread.why, place.raw, b"", b"", now_ms)


def _conflict(file: LandedFile, row: KeyedRecord, now_ms: int) -> Suspended:
    why = "another record with the same key says something else: look at both, then charge one by hand"
    return aside_of(file.digest, row, CONFLICT, why, now_ms)


def _ahead(file: LandedFile, row: KeyedRecord, now_ms: int) -> Suspended:
    why = "it says that it began later than now: mend the format's zone, or wait"
    return aside_of(file.digest, row, AHEAD, why, now_ms)


def _suspected(digest: str, row: KeyedRecord, now_ms: int) -> Suspended:
    why = "another switch may have recorded the same call, its clock apart: recycle by this reason to charge it, too"
    return aside_of(digest, row, SUSPECTED, why, now_ms)


def _keyed(piece: Piece, mask: NDArray[np.bool_]) -> list[KeyedRecord]:
    places = np.flatnonzero(mask).tolist()
    keys = piece.uses["key"].gather(places).to_list()
    return [KeyedRecord(*each) for each in zip(keys, piece.records_at(places), strict=True)]
