"""The catalogues that a job rates by, region by region: as published, or a draft that holds for all time."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct, field

from charging.catalogue.document import Catalogue, pack
from charging.catalogue.published import CatalogueRef
from charging.plans.timeline import Timeline
from directory.directory import Directory
from evidence.keys import KeyRing
from house.stores import STORES
from mediation.columns.rater import ColumnRater
from mediation.rerating.bycolumns import Restater


class Tariffs(Struct, frozen=True):
    """What the accounts of a job are rated by."""

    timelines: dict[str, Timeline]
    """By region."""
    digest: str
    """SHA-256 of all catalogues, clocks and dates that they are made of: who has others rates otherwise."""
    raters: dict[str, ColumnRater] = field(default_factory=dict)
    """By region: what they learned of a catalogue serves all units of a job."""

    def restater(self, region: str) -> Restater:
        """Give what rates accounts of a region anew, and counts how. Raises `KeyError` for no region."""
        plan_of = self.timelines[region].plan_at
        if region not in self.raters:
            self.raters[region] = ColumnRater(plan_of)
        return Restater(plan_of, self.raters[region])


def drafted(draft: Iterable[Catalogue]) -> list[CatalogueRef]:
    """Make what a draft would be if it held for all time."""
    return [CatalogueRef(one.domain, one.version, 0, pack(one)) for one in draft]


async def tariffs(directory_url: str, ring: KeyRing, draft: Sequence[CatalogueRef] | None = None) -> Tariffs:
    """Give the timeline of each region, by the catalogues as published, or by a draft. Raises `StoreUnavailable`."""
    unit = await STORES.open_to_read(directory_url)
    try:
        directory = await Directory.open(unit, ring=ring)
        try:
            made = {
                code: (info.time_zone, directory.catalogues(code) if draft is None else draft)
                for code, info in directory.domains.items()
            }
        finally:
            await directory.close()
    finally:
        await unit.close()
    digest = sha256(msgspec.msgpack.encode(sorted(made.items()))).hexdigest()
    return Tariffs({code: Timeline.build(refs, code, zone) for code, (zone, refs) in made.items()}, digest)
