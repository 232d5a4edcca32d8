"""The catalogue through time: every published version of the nation and of one region, and which holds when.

A version once published never changes. At a moment the version with the latest `effective_from` that is not after it is
in force (of equals the higher version), for the nation and the region each. A charge is rated by what was in force when
the event began, however late it arrives.
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from charging.base.localtime import LocalTime
from charging.catalogue.document import Catalogue, unpack
from charging.catalogue.merge import merge
from charging.catalogue.published import CatalogueRef
from charging.plans.compile import FOREVER_MS, boundaries, compile_plan
from charging.plans.plan import Plan
from charging.plans.unrated import Unrated


class Timeline:
    """Gives the plan for a moment; a plan is compiled when first asked for, and kept."""

    def __init__(
        self, national: Sequence[tuple[int, Catalogue]], region: Sequence[tuple[int, Catalogue]], zone: str
    ) -> None:
        self._national = sorted(national, key=_age)
        self._region = sorted(region, key=_age)
        self.local = LocalTime(zone)
        """Clock of the region, also before there is any catalogue."""
        self._starts = sorted({at for at, _ in (*self._national, *self._region)})
        self._pieces: dict[int, tuple[list[int], list[Plan | None]]] = {}
        self._last: Plan | None = None

    @classmethod
    def build(cls, refs: Sequence[CatalogueRef], domain: str, time_zone: str) -> "Timeline":
        """Make it from what the directory has published; refs of other domains are left out.

        Raises `msgspec.ValidationError` when a content is no catalogue.
        """
        opened = [(ref, unpack(ref.content)) for ref in refs if ref.domain in ("", domain)]
        national = [(ref.effective_from_ms, _stamp(ref, doc)) for ref, doc in opened if not ref.domain]
        region = [(ref.effective_from_ms, _stamp(ref, doc)) for ref, doc in opened if ref.domain]
        return cls(national, region, time_zone)

    def plan_at(self, time_ms: int) -> Plan:
        """Give the plan in force at a moment, UTC; it may be compiled now, which takes a while for the first time.

        Raises `Unrated` CATALOGUE_MISSING when no national version is.
        """
        last = self._last
        if last is not None and last.from_ms <= time_ms < last.to_ms:
            return last
        # Two steps: the versions in force make a piece, merged when first asked for; in it entries begin and end to be
        # in force by their own dates, and each stretch between two such cuts has a plan of its own. -1 = before all
        # versions.
        piece = bisect_right(self._starts, time_ms) - 1
        if piece not in self._pieces:
            self._pieces[piece] = self._open(piece)
        cuts, plans = self._pieces[piece]
        if not cuts:
            raise self._missing()
        index = bisect_right(cuts, time_ms) - 1
        plan = plans[index]
        if plan is None:
            plan = plans[index] = self._compile(piece, cuts[index], cuts[index + 1])
        self._last = plan
        return plan

    def _pair(self, piece: int) -> tuple[Catalogue | None, Catalogue | None]:
        start = self._starts[piece] if piece >= 0 else -1
        return _newest(self._national, start), _newest(self._region, start)

    def _open(self, piece: int) -> tuple[list[int], list[Plan | None]]:
        national, region = self._pair(piece)
        if national is None:
            return [], []
        start = self._starts[piece]
        end = self._starts[piece + 1] if piece + 1 < len(self._starts) else FOREVER_MS
        inner = [cut for cut in boundaries(merge(national, region), self.local) if start < cut < end]
        cuts = [start, *inner, end]
        return cuts, [None] * (len(cuts) - 1)

    def _missing(self) -> Unrated:
        first = (
            f"version {self._national[0][1].version} begins at {self._national[0][0]} ms" if self._national else "none"
        )
        return Unrated(
            "CATALOGUE_MISSING",
            "no national catalogue was in force when the event began",
            facts={"nearest": f"national catalogue: {first}"},
        )

    def _compile(self, piece: int, start: int, end: int) -> Plan:
        national, region = self._pair(piece)
        if national is None:
            raise self._missing()
        return compile_plan(merge(national, region), self.local, start, start, end)


def together(
    national: Sequence[tuple[int, Catalogue]], region: Sequence[tuple[int, Catalogue]]
) -> list[tuple[Catalogue, Catalogue]]:
    """Give every national and regional version that are in force at one moment, in order of time."""
    nation, regional = sorted(national, key=_age), sorted(region, key=_age)
    found: list[tuple[Catalogue, Catalogue]] = []
    for start in sorted({at for at, _ in (*nation, *regional)}):
        one, two = _newest(nation, start), _newest(regional, start)
        if one is not None and two is not None:
            found.append((one, two))
    return found


def _age(entry: tuple[int, Catalogue]) -> tuple[int, int]:
    return entry[0], entry[1].version


def _newest(versions: Sequence[tuple[int, Catalogue]], time_ms: int) -> Catalogue | None:
    found = None
    for at, document in versions:
        if at <= time_ms:
            found = document
    return found


def _stamp(ref: CatalogueRef, document: Catalogue) -> Catalogue:
    """Let the publication's own number and domain count, should the file say otherwise."""
    if document.version == ref.version and document.domain == ref.domain:
        return document
    return msgspec.structs.replace(document, version=ref.version, domain=ref.domain)
