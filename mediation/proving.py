"""The proof of a plant: whatever came in is charged, part of a call, duplicate, dropped by rule or suspended, by file.

Nothing is taken from the counts that the plant keeps: the landed bytes are decoded anew, batches and details are read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from mediation.assembling.chains import StoredPart
from mediation.decoding.decoder import Decoder
from mediation.decoding.pieces import Piece
from mediation.duplicates.keys import KEY_BYTES
from mediation.formats.format import Format
from mediation.plant.files import DECODED, HELD, LandedFile
from mediation.plant.home import CHANGED
from mediation.plant.plant import Plant
from mediation.plant.removed import RemovedFile
from mediation.plant.work import CHARGED, by_file
from mediation.records import UnusableFile

_KEYS = np.dtype(("S", KEY_BYTES))


class _Found(Struct):
    """What decoding makes of a file."""

    uses: pl.DataFrame
    """Key and position of each."""
    records: int
    dropped: int


class FileProof(Struct, frozen=True):
    """What became of the records of one file, and what does not agree."""

    file: LandedFile
    records: int = 0
    charged: int = 0
    set_aside: int = 0
    """Of the charged, those that were taken at no price, and cost what they do since their cycle was rated anew."""
    duplicates: int = 0
    dropped: int = 0
    suspended: int = 0
    waiting: int = 0
    """To be charged: their batch is open."""
    joined: int = 0
    """Parts of calls: the call stands where another of its parts does, or waits for parts."""
    parts_waiting: int = 0
    """Of these, those whose call waits."""
    removed: str = ""
    """Rule by which its records were removed: then the numbers are those of that moment; "" = they are there."""
    differences: tuple[str, ...] = ()


class Prover:
    """Proves one plant."""

    def __init__(self, plant: Plant, formats: Mapping[str, Format]) -> None:
        """`formats` are those of the plant's sources, by the name of the source."""
        self._plant = plant
        self._decoders = {source: Decoder(form) for source, form in formats.items()}
        batches = plant.work.batches()
        self._batches = by_file(batches)
        self._suspended = frozenset(each.key for each in plant.suspense.all() if each.key)
        known = [_keys(pl.read_parquet(plant.folder.batch(each.number), columns=["key"])) for each in batches]
        self._keys = np.unique(np.concatenate([np.zeros(0, _KEYS), *known]))
        aside = np.array([*plant.parts.keys(), *self._suspended], _KEYS)
        self._seen = np.unique(np.concatenate([self._keys, aside]))
        """Beside them those that wait, and those of parts of a call, which is in a batch by the key of one of them."""
        charged = [plant.folder.details(each.number) for each in batches if each.state == CHARGED]
        taken = [_keys(pl.read_parquet(path, columns=["key"])) for path in charged]
        _, times = np.unique(np.concatenate([np.zeros(0, _KEYS), *taken]), return_counts=True)
        self.doubled = int((times > 1).sum())
        """Keys that were charged twice."""
        self._removed = plant.removed.all()

    def files(self) -> Iterator[FileProof]:
        """Prove file by file, in the order in which they were taken."""
        return map(self.proof, self._plant.files.all())

    def proof(self, file: LandedFile) -> FileProof:
        """Prove one file."""
        gone = self._removed.get(file.digest)
        if gone is not None:
            return _of_removed(file, gone)
        decoder = self._decoders.get(file.source)
        if decoder is None:
            return FileProof(file, differences=(f"source {file.source} is not there any more: add it again",))
        return self._prove(file, decoder)

    def _prove(self, file: LandedFile, decoder: Decoder) -> FileProof:
        try:
            with self._plant.folder.read(file.digest) as content:
                found = _found(decoder.pieces(content))
        except UnusableFile as unusable:
            wrong = () if file.state == HELD and unusable.reason != CHANGED else (f"it can't be used: {unusable.why}",)
            return FileProof(file, differences=wrong)
        if file.state != DECODED:
            return FileProof(file, found.records, differences=(f"it is {file.state}, and could be decoded",))
        return self._count(file, found)

    def _count(self, file: LandedFile, found: _Found) -> FileProof:
        plant = self._plant
        suspended = [each.position for each in plant.suspense.all(digest=file.digest)]
        charged: list[int] = []
        aside = 0
        waiting: list[int] = []
        wrong: list[str] = []
        for batch in self._batches.get(file.digest, ()):
            rows = pl.read_parquet(plant.folder.batch(batch.number), columns=["key", "position"])
            if batch.state == CHARGED:
                details = pl.read_parquet(plant.folder.details(batch.number), columns=["key", "position", "set_aside"])
                aside += int(details["set_aside"].sum())
                charged += details["position"].to_list()
                if not np.isin(_keys(details), _keys(rows)).all() or len(details) != batch.charged:
                    wrong.append(f"the details of batch {batch.number} are not those of its records")
            else:
                waiting += rows["position"].to_list()
        stated, parts = {*charged, *waiting, *suspended}, plant.parts.of_file(file.digest)
        joined = [part for part in parts if part.position not in stated]
        if alone := self._without_call(joined):
            wrong.append(f"{alone} of its parts are said to be in a call, and no call is there")
        places = Counter((*charged, *waiting, *suspended, *(part.position for part in joined)))
        if twice := [place for place, count in places.items() if count > 1]:
            wrong.append(f"{len(twice)} of its records are in two places, such as that at {twice[0]}")
        doubles = found.uses.filter(~found.uses["position"].is_in(list(places)))["key"].to_list()
        lost = sum(not _among(self._seen, key) for key in doubles)
        if lost:
            wrong.append(f"{lost} of its records are nowhere, and no duplicates of any")
        proof = FileProof(
            file,
            found.records,
            len(charged),
            aside,
            len(doubles) - lost,
            found.dropped,
            len(suspended),
            len(waiting),
            len(joined),
            sum(not part.batch for part in parts),
        )
        total = proof.charged + proof.duplicates + proof.dropped + proof.suspended + proof.waiting + proof.joined
        if total != proof.records:
            wrong.append(f"{proof.records} records came in and {total} are accounted for")
        if (file.records, file.duplicates, file.dropped) != (proof.records, proof.duplicates, proof.dropped):
            wrong.append("the counts that the plant keeps of it are others")
        return replace(proof, differences=tuple(wrong))

    def _without_call(self, parts: Sequence[StoredPart]) -> int:
        """Count parts that neither wait nor have a part beside them whose key a batch or the suspense has."""
        alone = 0
        for part in parts:
            if part.batch:
                call = [other.key for other in self._plant.parts.of(part.chain) if other.batch == part.batch]
                alone += not any(_among(self._keys, key) or key in self._suspended for key in call)
        return alone


def _among(keys: NDArray[np.bytes_], key: bytes) -> bool:
    sought = np.array([key], _KEYS)
    at = int(np.searchsorted(keys, sought)[0])
    return at < len(keys) and bool(keys[at] == sought[0])


def _of_removed(file: LandedFile, gone: RemovedFile) -> FileProof:
    proof = FileProof(file, gone.records, gone.charged, gone.set_aside, gone.duplicates, gone.dropped)
    return replace(proof, joined=gone.joined, removed=gone.why)


def _found(pieces: Iterable[Piece]) -> _Found:
    """Raises `UnusableFile`."""
    found = _Found(pl.DataFrame(schema={"key": pl.Binary, "position": pl.Int64}), 0, 0)
    for piece in pieces:
        found.uses.extend(piece.uses.select("key", "position"))
        found.records += piece.count()
        found.dropped += len(piece.dropped)
    return found


def _keys(frame: pl.DataFrame) -> NDArray[np.bytes_]:
    return np.array(frame["key"].to_list(), _KEYS)
