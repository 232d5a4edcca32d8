"""The catalogues that a job rates by, region by region: as published, or a draft that holds for all time."""

from collections.abc import Iterable

from charging.catalogue.document import Catalogue, pack
from charging.catalogue.published import CatalogueRef
from charging.plans.timeline import Timeline
from directory.directory import Directory
from evidence.keys import KeyRing
from house.stores import STORES


async def published(directory_url: str, ring: KeyRing, draft: Iterable[Catalogue] | None = None) -> dict[str, Timeline]:
    """Give the timeline of each region. Raises `StoreUnavailable`."""
    drafted = None if draft is None else [CatalogueRef(one.domain, one.version, 0, pack(one)) for one in draft]
    unit = await STORES.open_to_read(directory_url)
    try:
        directory = await Directory.open(unit, ring=ring)
        try:
            return {
                code: Timeline.build(directory.catalogues(code) if drafted is None else drafted, code, info.time_zone)
                for code, info in directory.domains.items()
            }
        finally:
            await directory.close()
    finally:
        await unit.close()
