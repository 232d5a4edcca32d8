"""A landed file → its batch: decoded, freed of duplicates, all of it in one commit.

What is kept of a record depends on nothing but the file, its format, the keys that were known before, and whether it
began by now: whoever is killed here begins again and ends where it would have. A batch never changes once it is there,
for its request keys name what was sent.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

import msgspec
import numpy as np
from numpy.typing import NDArray

from mediation.decoding.decoder import Decoded, Decoder, FoundRecord
from mediation.duplicates import runs
from mediation.duplicates.keys import Columns, columns, content_of, key_of
from mediation.plant.batches import KeyedRecord, write_batch
from mediation.plant.files import LANDED, LandedFile
from mediation.plant.home import digest_of
from mediation.plant.plant import Plant
from mediation.plant.suspense import Suspended
from mediation.records import DetailRecord, DroppedRecord, UnreadRecord, UnusableFile
from runtime.durable import sync_folder

RUNS_OF_DAY_MAX = 8
"""More are joined to one, so that a look at a day's keys stays a look at a few files."""
CONFLICT = "RECORD_CONFLICT"
FOR_PEOPLE = frozenset((CONFLICT, "BATCH_TAKEN", "REQUEST_KEY_REUSED"))
"""Reasons for which a second try can't be right, it may be charged already: a person has to look."""
AHEAD = "EVENT_TIME_INVALID"
_DAY_MS = 86_400_000
_pack = msgspec.msgpack.Encoder().encode
_record = msgspec.msgpack.Decoder(DetailRecord).decode


class Intake:
    """Takes the files of one plant in."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._folder = plant.folder
        self._work = plant.work

    def take(self, file: LandedFile, decoder: Decoder, now_ms: int) -> None:
        """Decode a landed file and commit what became of it: a batch, or that the whole file is held.

        Raises `OSError` when the bytes can't be read or written; nothing is changed then.
        """
        found = self._decode(file, decoder)
        if found is not None:
            self._commit(file, decoder.form.format, found, now_ms)

    def take_again(self, file: LandedFile, decoder: Decoder, now_ms: int) -> int:
        """Decode a file once more for the records that could not be read; gives how many can be read now.

        The others of the file stay what they are. Raises `OSError`.
        """
        unread = {each.position for each in self._plant.suspense.all(digest=file.digest) if not each.record}
        found = (self._decode(file, decoder) or []) if unread else []
        readable = [each for each in found if not isinstance(each, UnreadRecord) and not unread.isdisjoint(_at(each))]
        if readable:
            self._commit(file, decoder.form.format, readable, now_ms)
        return len(readable)

    def recycle(self, reason: str, now_ms: int) -> int:
        """Put records that wait for a reason ("" = for any that can be mended) into new batches, file by file.

        Gives how many. Their keys are known already: nobody else has them. What is still ahead of `now_ms` waits on.
        """
        plant, count = self._plant, 0
        waiting = [each for each in plant.suspense.all(reason) if each.record and each.reason not in FOR_PEOPLE]
        for digest, group in groupby(waiting, key=lambda each: each.digest):
            rows = [KeyedRecord(each.key, _record(each.record)) for each in group]
            mine, number = [row for row in rows if row.record.start_ms <= now_ms], self._work.next_number()
            if not mine:
                continue
            write_batch(self._folder.batch(number), mine)
            with plant.commit():
                self._work.add(number, digest, len(mine))
                plant.suspense.release(digest, [row.record.place.position for row in mine])
            count += len(mine)
        return count

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

    def _commit(self, file: LandedFile, format_name: str, found: Sequence[FoundRecord], now_ms: int) -> None:
        decoded = [each for each in found if isinstance(each, Decoded)]
        keys = [key_of(format_name, each.key) for each in decoded]
        rows = columns([key + content_of(each.record) for key, each in zip(keys, decoded, strict=True)])
        days = np.array([each.record.start_ms // _DAY_MS for each in decoded], np.int64)
        known = self._known(rows, days)
        aside = [_unread(file, each, now_ms) for each in found if isinstance(each, UnreadRecord)]
        aside += [_conflict(file, decoded[at], keys[at], now_ms) for at in np.flatnonzero(known == runs.OTHER)]
        fresh = np.flatnonzero(known == runs.NEW)
        ready = [KeyedRecord(keys[at], decoded[at].record) for at in fresh if decoded[at].record.start_ms <= now_ms]
        aside += [_ahead(file, decoded[at], keys[at], now_ms) for at in fresh if decoded[at].record.start_ms > now_ms]
        plant, number = self._plant, self._work.next_number()
        if ready:
            write_batch(self._folder.batch(number), ready)
        made = self._write_runs(number, rows[:, fresh], days[fresh])
        with plant.commit():
            for name, day, size in made:
                self._work.add_run(name, day, size)
            if ready:
                self._work.add(number, file.digest, len(ready))
            released = plant.suspense.release(file.digest, {at for each in found for at in _at(each)})
            plant.suspense.keep(aside)
            dropped = sum(isinstance(each, DroppedRecord) for each in found)
            # A record that was one while nobody could read it may be several uses now.
            records = len(found) - (0 if file.state == LANDED else released)
            plant.files.decoded(file.digest, records, int((known == runs.SAME).sum()), dropped)
        for day in {day for _, day, _ in made}:
            self._join(day)

    def _known(self, rows: Columns, days: NDArray[np.int64]) -> runs.Found:
        found = runs.within(rows)
        for day in np.unique(days):
            mine = np.flatnonzero(days == day)
            mine = mine[runs.in_order(rows[:, mine])]
            for name in self._work.runs(_day(int(day))):
                there = runs.seek(runs.read_run(self._folder.run(name)), rows[:, mine])
                # A conflict with what is known outweighs that the file itself has the record twice.
                found[mine] = np.maximum(found[mine], there)
        return found

    def _write_runs(self, number: int, rows: Columns, days: NDArray[np.int64]) -> list[tuple[str, str, int]]:
        made: list[tuple[str, str, int]] = []
        for each in np.unique(days):
            mine = np.flatnonzero(days == each)
            day = _day(int(each))
            made.append(self._write_run(f"{day}/{number}", day, rows[:, mine]))
        return made

    def _write_run(self, name: str, day: str, rows: Columns) -> tuple[str, str, int]:
        path = self._folder.run(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # Of somebody who was killed before the commit.
        runs.write_run(path, rows)
        sync_folder(path.parent)
        return name, day, rows.shape[1]

    def _join(self, day: str) -> None:
        names = self._work.runs(day)
        if len(names) <= RUNS_OF_DAY_MAX:
            return
        rows = runs.merged(runs.read_run(self._folder.run(name)) for name in names)
        made = self._write_run(f"{day}/{names[-1].rpartition('/')[2]}+", day, rows)
        with self._plant.commit():
            self._work.drop_runs(names)
            self._work.add_run(*made)
        for name in names:
            self._folder.run(name).unlink(missing_ok=True)


def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y%m%d")


def _unread(file: LandedFile, unread: UnreadRecord, now_ms: int) -> Suspended:
    place = unread.place
    return Suspended(file.digest, place.position, unread.reason, unread.why, place.raw, b"", b"", now_ms)


def _conflict(file: LandedFile, decoded: Decoded, key: bytes, now_ms: int) -> Suspended:
    why = "another record with the same key says something else: look at both, then charge one by hand"
    return _aside(file, decoded, key, CONFLICT, why, now_ms)


def _ahead(file: LandedFile, decoded: Decoded, key: bytes, now_ms: int) -> Suspended:
    why = "it says that it began later than now: mend the format's zone, or wait"
    return _aside(file, decoded, key, AHEAD, why, now_ms)


def _aside(file: LandedFile, decoded: Decoded, key: bytes, reason: str, why: str, now_ms: int) -> Suspended:
    record = decoded.record
    return Suspended(file.digest, record.place.position, reason, why, record.place.raw, key, _pack(record), now_ms)


def _at(each: FoundRecord) -> tuple[int, int]:
    """Give where it stands, and where the record begins of which it is a part."""
    place = each.record.place if isinstance(each, Decoded) else each.place
    return place.position, place.record
