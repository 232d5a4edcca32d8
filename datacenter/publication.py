"""A faulty catalogue is never published, whoever sends it: the data center checks what the console checked before."""

from collections.abc import Sequence

import msgspec

from charging.catalogue import Catalogue, unpack
from charging.checks.check import check
from charging.checks.walk import shown
from charging.errors import Invalid
from charging.wire import CatalogueRef
from directory.changes import CatalogueVersion, Change


def check_catalogues(changes: Sequence[Change], published: Sequence[CatalogueRef]) -> None:
    """Check the catalogues of an amendment; regional ones against its national one, else the newest published.

    Raises `Invalid` CATALOGUE_UNREADABLE, CATALOGUE_MISLABELLED or CATALOGUE_FAULTY.
    """
    arriving = {index: change for index, change in enumerate(changes) if isinstance(change, CatalogueVersion)}
    read = {index: _read(index, change) for index, change in arriving.items()}
    national = [one for one in read.values() if not one.domain]
    if not national:
        national = [unpack(ref.content) for ref in published if not ref.domain][-1:]
    for index, catalogue in read.items():
        against = national[-1] if catalogue.domain and national else None
        findings = check(catalogue, against)
        if findings:
            first = f"{shown(findings[0].path)}: {findings[0].message}"
            raise _invalid(index, "CATALOGUE_FAULTY", f"{len(findings)} faults, the first: {first}")


def _read(index: int, change: CatalogueVersion) -> Catalogue:
    try:
        catalogue = unpack(change.content)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _invalid(index, "CATALOGUE_UNREADABLE", f"a packed catalogue; it can't be read: {error}") from error
    if (catalogue.domain, catalogue.version) != (change.domain, change.version):
        found = f"{catalogue.domain or 'national'} {catalogue.version}"
        raise _invalid(index, "CATALOGUE_MISLABELLED", f"the catalogue named beside it; its content is {found}")
    return catalogue


def _invalid(index: int, reason: str, wanted: str) -> Invalid:
    field = f"changes[{index}].catalogue.content"
    return Invalid(reason, f"{field}: {wanted}", fields={field: wanted})
