"""What publishes catalogues: the changes of the directory that checked ones make."""

from collections.abc import Iterable

from onetier.v1 import data_center_pb2 as dc

from charging.base.localtime import LocalTime
from charging.catalogue.document import Catalogue, pack
from country.domains import TIME_ZONE


def zone_of(catalogues: Iterable[Catalogue]) -> str:
    """Give the zone in which the times of catalogues stand: that of the nation, or else of the sample country."""
    return next((one.time_zone for one in catalogues if one.time_zone and not one.domain), TIME_ZONE)


def effective_from_ms(catalogue: Catalogue, zone: str) -> int:
    """Give the moment from which a version is in force, UTC; a text without offset means the zone's clock.

    0 = it names none: from ever.
    """
    if not catalogue.effective_from:
        return 0
    return LocalTime(zone).moment_ms(catalogue.effective_from)


def publication(catalogues: list[Catalogue]) -> list[dc.DirectoryChange]:
    """Give the changes of the directory that publish checked catalogues, one each, in order."""
    zone = zone_of(catalogues)
    return [
        dc.DirectoryChange(
            catalogue=dc.CatalogueVersion(
                domain=catalogue.domain,
                version=catalogue.version,
                effective_from_ms=effective_from_ms(catalogue, zone),
                content=pack(catalogue),
            )
        )
        for catalogue in catalogues
    ]
