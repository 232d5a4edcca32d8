"""How long a plant keeps records, and what is removed of it: bytes as they came, their second copies, records and what
was charged for each, parts of calls. Numbers stay, for the proof, and so do the keys of uses, which name nobody: a
record that is sent again years later is a duplicate still.

Only a file of which everything is settled is removed: charged, and nothing in suspense or waiting for parts; nor is
one with a part of a call of which another part came late, and waits to be charged with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Struct

from mediation.collecting.landing import backup_path
from mediation.line import PlantRules
from mediation.plant.batches import keys_alone
from mediation.plant.files import DECODED, LandedFile
from mediation.plant.latecalls import LateCalls
from mediation.plant.plant import Plant
from mediation.plant.removed import RemovedFile
from mediation.plant.work import CHARGED, OPEN, REMOVED, RecordBatch, by_file
from mediation.proving import FileProof, Prover
from mediation.records import DetailRecord

DAY_MS = 86_400_000
KEPT, ERASED = "kept long enough", "erased"
_record = msgspec.msgpack.Decoder(DetailRecord).decode


class RemovedRecords(Struct):
    """What a rule did."""

    files: int = 0
    records: int = 0
    left: tuple[str, ...] = ()
    """Names of files that it would have removed, and that are not settled."""


class PlantKeeper:
    """Of one plant; its only writer."""

    def __init__(self, plant: Plant, rules: PlantRules) -> None:
        self._plant = plant
        self._rules = rules

    def keep(self, days: int, now_ms: int) -> RemovedRecords:
        """Remove what was taken so many days ago."""
        until_ms = now_ms - days * DAY_MS
        return self._remove([each for each in self._files() if each.taken_ms < until_ms], KEPT, now_ms)

    def erase(self, identity: str, now_ms: int) -> RemovedRecords:
        """Remove every file in which a record of somebody stands."""
        work = self._plant.work
        batches = by_file(work.batches(CHARGED) + work.batches(OPEN))
        named = [each for each in self._files() if self._names(each, batches.get(each.digest, ()), identity)]
        return self._remove(named, ERASED, now_ms)

    def _files(self) -> Iterator[LandedFile]:
        gone = self._plant.removed.all()
        return (file for file in self._plant.files.all() if file.digest not in gone)

    def _names(self, file: LandedFile, batches: Iterable[RecordBatch], identity: str) -> bool:
        """Say whether a record of somebody stands in a file, whose batches are these."""
        plant = self._plant
        for batch in batches:
            frame = pl.scan_parquet(plant.folder.batch(batch.number)).filter(pl.col("identity") == identity)
            if frame.select(pl.len()).collect().item():
                return True
        aside = (each.record for each in plant.suspense.all(digest=file.digest) if each.record)
        parts = (part.record for part in plant.parts.of_file(file.digest))
        return any(_record(packed).identity == identity for packed in (*aside, *parts))

    def _remove(self, files: Sequence[LandedFile], why: str, now_ms: int) -> RemovedRecords:
        done, plant = RemovedRecords(), self._plant
        self._finish()
        prover, copies = Prover(plant, self._rules.formats), self._copies()
        proofs = [prover.proof(file) for file in files]
        late = LateCalls(plant, self._rules.formats).chains()
        for proof in proofs:
            file = proof.file
            if not _settled(proof) or any(part.chain in late for part in plant.parts.of_file(file.digest)):
                done.left = (*done.left, file.name)
                continue
            counts = (proof.records, proof.charged, proof.set_aside, proof.duplicates, proof.dropped, proof.joined)
            for copy in copies.get(file.digest, ()):
                copy.unlink(missing_ok=True)
            with plant.commit():
                plant.removed.add(RemovedFile(file.digest, now_ms, why, *counts))
            done.files += 1
            done.records += proof.records
        self._finish()
        return done

    def _finish(self) -> None:
        """Remove what is nobody's any more, also what a rule that was killed left."""
        plant = self._plant
        plant.remove_unnamed()
        for batch in plant.work.batches(REMOVED):
            keys_alone(plant.folder.batch(batch.number))
        plant.forget()

    def _copies(self) -> dict[str, list[Path]]:
        """Give the second copies by file: one may have been seen under several names, at several sources."""
        found: dict[str, list[Path]] = {}
        for source in self._rules.sources:
            if source.backup:
                for seen in self._plant.files.names(source.source):
                    copy = backup_path(Path(source.backup), source.source, seen.digest, seen.name)
                    found.setdefault(seen.digest, []).append(copy)
        return found


def _settled(proof: FileProof) -> bool:
    """Say whether everything of a file has its end. Parts that wait for others have none yet."""
    waits = proof.suspended or proof.waiting or proof.parts_waiting
    return proof.file.state == DECODED and not waits and not proof.differences
