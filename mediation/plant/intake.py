"""A landed file → its batch: decoded, freed of duplicates, all of it in one commit.

What is kept of a record depends on nothing but the file, its format, the keys that were known before, and whether it
began by now: whoever is killed here begins again and ends where it would have. A batch never changes once it is there,
for its request keys name what was sent.
"""

from collections.abc import Sequence

import numpy as np

from mediation.decoding.decoder import Decoded, Decoder, FoundRecord
from mediation.duplicates import runs
from mediation.duplicates.keys import columns, content_of, key_of
from mediation.formats.format import Format
from mediation.plant.assembler import CallAssembler
from mediation.plant.batches import KeyedRecord, write_batch
from mediation.plant.files import LANDED, LandedFile
from mediation.plant.home import digest_of
from mediation.plant.known import KnownKeys
from mediation.plant.plant import Plant
from mediation.plant.recycling import late_part
from mediation.plant.suspense import Suspended, aside_of
from mediation.records import DroppedRecord, UnreadRecord, UnusableFile

CONFLICT = "RECORD_CONFLICT"
SUSPECTED = "CALL_SUSPECTED"
AHEAD = "EVENT_TIME_INVALID"
_DAY_MS = 86_400_000


class Intake:
    """Takes the files of one plant in."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._folder = plant.folder
        self._work = plant.work
        self._assembler = CallAssembler(plant.parts)
        self._known = KnownKeys(plant.folder, plant.work)

    def take(self, file: LandedFile, decoder: Decoder, now_ms: int) -> None:
        """Decode a landed file and commit what became of it: a batch, or that the whole file is held.

        Raises `OSError` when the bytes can't be read or written; nothing is changed then.
        """
        found = self._decode(file, decoder)
        if found is not None:
            self._commit(file, decoder.form, found, now_ms)

    def take_again(self, file: LandedFile, decoder: Decoder, now_ms: int) -> int:
        """Decode a file once more for the records that could not be read; gives how many can be read now.

        The others of the file stay what they are. Raises `OSError`.
        """
        unread = {each.position for each in self._plant.suspense.all(digest=file.digest) if not each.record}
        found = (self._decode(file, decoder) or []) if unread else []
        readable = [each for each in found if not isinstance(each, UnreadRecord) and not unread.isdisjoint(_at(each))]
        if readable:
            self._commit(file, decoder.form, readable, now_ms)
        return len(readable)

    def _decode(self, file: LandedFile, decoder: Decoder) -> list[FoundRecord] | None:
        """Decode a file; None = nothing of it can be used, and it is held if nothing of it was used before."""
        content = self._folder.landed(file.digest).read_bytes()
        try:
            if digest_of(content) != file.digest:
                raise UnusableFile("FILE_CHANGED", "its bytes in the landing are not those that were taken")
            return list(decoder.decode(content))
        except UnusableFile as unusable:
            if file.state == LANDED:
                with self._plant.commit():
                    self._plant.files.hold(file.digest, unusable.reason, unusable.why)
            return None

    def _commit(self, file: LandedFile, form: Format, found: Sequence[FoundRecord], now_ms: int) -> None:
        decoded = [each for each in found if isinstance(each, Decoded)]
        keys = [key_of(form.format, each.key) for each in decoded]
        rows = columns([key + content_of(each.record) for key, each in zip(keys, decoded, strict=True)])
        days = np.array([each.record.start_ms // _DAY_MS for each in decoded], np.int64)
        # Where the key holds the time, equal keys are of one day; else a correction may have moved the use to another.
        known = self._known.seek(rows, days, set(form.start.columns()) <= set(form.key))
        aside = [_unread(file, each, now_ms) for each in found if isinstance(each, UnreadRecord)]
        aside += [_conflict(file, decoded[at], keys[at], now_ms) for at in np.flatnonzero(known == runs.OTHER)]
        fresh = np.flatnonzero(known == runs.NEW)
        ready = [KeyedRecord(keys[at], decoded[at].record) for at in fresh if decoded[at].record.start_ms <= now_ms]
        aside += [_ahead(file, decoded[at], keys[at], now_ms) for at in fresh if decoded[at].record.start_ms > now_ms]
        plant, number = self._plant, self._work.next_number()
        assembled = self._assembler.take(ready, file.digest, number, form.parts, now_ms)
        uses, suspected = assembled.uses, list[KeyedRecord]()
        if form.alike is not None:
            uses, suspected = plant.likeness.divide(uses, form.alike.within_s)
        aside += [_suspected(file.digest, row, now_ms) for row in suspected]
        aside += [late_part(file.digest, row, now_ms) for row in assembled.late]
        if uses:
            write_batch(self._folder.batch(number), uses)
        made = self._known.write(rows[:, fresh], days[fresh])
        with plant.commit():
            self._known.name(made)
            if uses:
                self._work.add(number, file.digest, len(uses))
            plant.parts.keep(assembled.parts)
            plant.likeness.add(uses)
            released = plant.suspense.release(file.digest, {at for each in found for at in _at(each)})
            plant.suspense.keep(aside)
            dropped = sum(isinstance(each, DroppedRecord) for each in found)
            # A record that was one while nobody could read it may be several uses now.
            records = len(found) - (0 if file.state == LANDED else released)
            plant.files.decoded(file.digest, records, int((known == runs.SAME).sum()), dropped)
        for day in {day for _, day, _ in made}:
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


def _conflict(file: LandedFile, decoded: Decoded, key: bytes, now_ms: int) -> Suspended:
    why = "another record with the same key says something else: look at both, then charge one by hand"
    return aside_of(file.digest, KeyedRecord(key, decoded.record), CONFLICT, why, now_ms)


def _ahead(file: LandedFile, decoded: Decoded, key: bytes, now_ms: int) -> Suspended:
    why = "it says that it began later than now: mend the format's zone, or wait"
    return aside_of(file.digest, KeyedRecord(key, decoded.record), AHEAD, why, now_ms)


def _suspected(digest: str, row: KeyedRecord, now_ms: int) -> Suspended:
    why = "another switch may have recorded the same call, its clock apart: recycle by this reason to charge it, too"
    return aside_of(digest, row, SUSPECTED, why, now_ms)


def _at(each: FoundRecord) -> tuple[int, int]:
    """Give where it stands, and where the record begins of which it is a part."""
    place = each.record.place if isinstance(each, Decoded) else each.place
    return place.position, place.record
