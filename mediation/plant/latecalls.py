"""Parts that came after their call was charged → the whole call, which replaces what was charged.

The whole is set aside by the owner and rated with its cycle (`onetier mediation rerate --late`), so that what comes
after costs the difference: one connection fee, steps and minimums as of one call. A part waits in suspense as long as
nothing of its call is charged yet, or the charge of it is itself in suspense.
"""

from collections.abc import Mapping, Sequence

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from mediation.assembling.chains import JoinedCall, StoredPart, calls_of
from mediation.formats.format import Format
from mediation.plant.assembler import call_of
from mediation.plant.batches import KeyedRecord, write_batch
from mediation.plant.plant import Plant
from mediation.plant.work import CHARGED, RecordBatch, by_file
from mediation.records import ReplacedCharge

LATE = "PART_LATE"
_Places = dict[tuple[str, int], StoredPart]
_Batches = Mapping[str, Sequence[RecordBatch]]
"""Charged ones, by file."""


class WholeCall(Struct, frozen=True):
    """A call with parts that came late."""

    digest: str
    """Of the file in which the first of the late parts stands: there the call stands, too."""
    use: KeyedRecord
    late: tuple[StoredPart, ...]


class LateCalls:
    """Of one plant. `forms` are its formats, by the name of the source."""

    def __init__(self, plant: Plant, forms: Mapping[str, Format]) -> None:
        self._plant = plant
        self._forms = forms

    def join(self) -> int:
        """Put whole calls into new batches, file by file, in the place of parts that came late; gives how many."""
        plant, by_digest = self._plant, dict[str, list[WholeCall]]()
        for whole in self._wholes(self._waiting()):
            by_digest.setdefault(whole.digest, []).append(whole)
        for digest, calls in by_digest.items():
            number = plant.work.next_number()
            write_batch(plant.folder.batch(number), [call.use for call in calls])
            with plant.commit():
                plant.work.add(number, digest, len(calls))
                for part in (part for call in calls for part in call.late):
                    plant.suspense.release(part.digest, [part.position])
                    plant.parts.keep([replace(part, batch=number)])
        return sum(len(calls) for calls in by_digest.values())

    def chains(self) -> set[bytes]:
        """Name the calls of which parts came late and wait."""
        return {part.chain for part in self._waiting().values()}

    def _waiting(self) -> _Places:
        """Give the parts that wait in suspense, by file and position."""
        found: _Places = {}
        for each in self._plant.suspense.all(LATE):
            part = self._plant.parts.at(each.digest, each.position)
            if part is not None:
                found[each.digest, each.position] = part
        return found

    def _wholes(self, waiting: _Places) -> list[WholeCall]:
        found: list[WholeCall] = []
        charged = by_file(self._plant.work.batches(CHARGED)) if waiting else {}
        for chain in dict.fromkeys(part.chain for part in waiting.values()):
            parts = self._plant.parts.of(chain)
            file = self._plant.files.get(parts[-1].digest)
            form = self._forms.get(file.source) if file is not None else None
            for call in calls_of(parts, form.parts) if form is not None and form.parts is not None else ():
                late = tuple(part for part in call.parts if (part.digest, part.position) in waiting)
                if late and (whole := self._whole(call, late, charged)) is not None:
                    found.append(whole)
        return found

    def _whole(self, call: JoinedCall, late: tuple[StoredPart, ...], batches: _Batches) -> WholeCall | None:
        """Give a call with its late parts; None = nothing of it is charged, or other parts than are known to be."""
        charged = self._charged(call, batches)
        parts = tuple(part for part in call.parts if part.batch)
        if charged is None or sum(part.seconds for part in parts if part not in late) != charged.quantity:
            # Of a call that was charged as several uses, or whose whole is itself in suspense, only one would be
            # replaced, and the seconds of the others charged twice.
            return None
        whole = call_of(JoinedCall(parts, ()), late[0]).record
        return WholeCall(late[0].digest, KeyedRecord(late[0].key, replace(whole, replaces=charged)), late)

    def _charged(self, call: JoinedCall, batches: _Batches) -> ReplacedCharge | None:
        """Find what the call was charged as, the newest of it when parts came late before."""
        keys = [part.key for part in call.parts]
        mine = [batch.number for digest in {part.digest for part in call.parts} for batch in batches.get(digest, ())]
        for number in sorted(mine, reverse=True):
            rows = pl.scan_parquet(self._plant.folder.details(number)).filter(pl.col("key").is_in(keys))
            for row in rows.select("request_key", "start_ms", "quantity").collect().iter_rows():
                return ReplacedCharge(*row)
        return None
