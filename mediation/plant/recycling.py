"""What waits in a plant → batches: records of suspense whose cause is mended, calls whose time to wait is up."""

from collections.abc import Mapping
from itertools import groupby

import msgspec

from mediation.formats.format import Format
from mediation.plant.assembler import IN_SUSPENSE, CallAssembler, call_of, taken
from mediation.plant.batches import KeyedRecord, write_batch
from mediation.plant.latecalls import LATE, LateCalls
from mediation.plant.plant import Plant
from mediation.plant.suspense import Suspended, aside_of
from mediation.records import DetailRecord

FOR_PEOPLE = frozenset(("RECORD_CONFLICT", "BATCH_TAKEN", "REQUEST_KEY_REUSED", "OUTCOME_UNREADABLE", LATE))
"""Reasons for which a second try can't be right, it may be charged already: a person has to look, or, of parts that
came late, the line does (`mediation.plant.latecalls`)."""
MISSING = "PARTS_MISSING"
BY_NAME = frozenset(("CALL_SUSPECTED", MISSING, "INTERNAL", "ANSWER_MALFORMED", "ANSWER_UNEXPECTED", "UNKNOWN"))
"""Reasons that a person decides: they are tried again when they are named. Of a defect between the front door and the
owner nobody knows whether it came before the charge or after it: the outcome of the request key tells."""
_record = msgspec.msgpack.Decoder(DetailRecord).decode


class Recycler:
    """Of one plant. `forms` are its formats, by the name of the source."""

    def __init__(self, plant: Plant, forms: Mapping[str, Format]) -> None:
        self._plant = plant
        self._forms = forms
        self._assembler = CallAssembler(plant.parts)
        self._late = LateCalls(plant, forms)

    def recycle(self, reason: str, now_ms: int) -> int:
        """Put records that wait for a reason ("" = for any that can be mended) into new batches, file by file.

        Gives how many. Their keys are known already: nobody else has them. What is still ahead of `now_ms` waits on.
        """
        plant, count = self._plant, 0
        if reason in ("", LATE):
            count += self._late.join()
        never = FOR_PEOPLE if reason else FOR_PEOPLE | BY_NAME
        waiting = [each for each in plant.suspense.all(reason) if each.record and each.reason not in never]
        for digest, group in groupby(waiting, key=lambda each: each.digest):
            rows = [KeyedRecord(each.key, _record(each.record)) for each in group]
            mine, number = [row for row in rows if row.record.start_ms <= now_ms], self._plant.work.next_number()
            file = plant.files.get(digest)
            if not mine or file is None:
                continue
            form = self._forms.get(file.source)
            made = self._assembler.take(mine, digest, number, form.parts if form is not None else None, now_ms)
            if made.uses:
                write_batch(self._plant.folder.batch(number), made.uses)
            with plant.commit():
                if made.uses:
                    self._plant.work.add(number, digest, len(made.uses))
                plant.suspense.release(digest, [row.record.place.position for row in mine])
                plant.suspense.keep([late_part(digest, row, now_ms) for row in made.late])
                plant.parts.keep(made.parts)
            count += len(mine)
        return count

    def overdue(self, now_ms: int) -> int:
        """Wait no longer for calls whose time is up: as their format says, what is there is charged or put aside.

        Gives how many calls.
        """
        plant, count = self._plant, 0
        rules = {
            file.digest: form.parts
            for file in plant.files.all()
            if (form := self._forms.get(file.source)) is not None and form.parts is not None
        }
        for digest, calls in self._assembler.overdue(rules, now_ms).items():
            charged = rules[digest].missing == "charge"
            number = self._plant.work.next_number()
            rows = [call_of(call, call.parts[-1]) for call in calls]
            if charged:
                write_batch(self._plant.folder.batch(number), rows)
            with plant.commit():
                if charged:
                    self._plant.work.add(number, digest, len(rows))
                else:
                    plant.suspense.keep([_incomplete(digest, row, now_ms) for row in rows])
                plant.parts.keep(part for call in calls for part in taken(call, number if charged else IN_SUSPENSE))
            count += len(calls)
        return count


def late_part(digest: str, row: KeyedRecord, now_ms: int) -> Suspended:
    """Put a part aside whose call was charged without it."""
    why = "its call was charged without it: the line charges the difference once that charge is known"
    return aside_of(digest, row, LATE, why, now_ms)


def _incomplete(digest: str, row: KeyedRecord, now_ms: int) -> Suspended:
    why = "parts of the call are missing and did not come in time: recycle by this reason to charge what is there"
    return aside_of(digest, row, MISSING, why, now_ms)
