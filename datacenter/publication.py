"""A faulty catalogue is never published, whoever sends it: the data center checks what the console checked before."""

from collections.abc import Sequence

import msgspec

from charging.catalogue import Catalogue, unpack
from charging.checks.check import check
from charging.checks.walk import Finding, shown
from charging.errors import Invalid
from charging.timeline import together
from charging.wire import CatalogueRef
from directory.changes import CatalogueVersion, Change


def check_catalogues(changes: Sequence[Change], published: Sequence[CatalogueRef]) -> None:
    """Check the catalogues of an amendment, each with every one it will be in force together with.

    So a national version that takes away what a published region overrides is refused too. Raises `Invalid`
    CATALOGUE_UNREADABLE, CATALOGUE_MISLABELLED or CATALOGUE_FAULTY.
    """
    arriving = {index: change for index, change in enumerate(changes) if isinstance(change, CatalogueVersion)}
    read = {index: _read(index, change) for index, change in arriving.items()}
    if not read:
        return
    versions: dict[str, list[tuple[int, Catalogue]]] = {"": []}
    for ref in published:
        versions.setdefault(ref.domain, []).append((ref.effective_from_ms, unpack(ref.content)))
    for index, catalogue in read.items():
        versions.setdefault(catalogue.domain, []).append((arriving[index].effective_from_ms, catalogue))
    for index, catalogue in read.items():
        if not catalogue.domain:
            _refuse(index, check(catalogue))
    for domain in sorted(versions.keys() - {""}):
        pairs = together(versions[""], versions[domain])
        for index, catalogue in read.items():
            mine = [pair for pair in pairs if catalogue is pair[0] or catalogue is pair[1]]
            for national, region in mine:
                beside = f"with {domain} {region.version} beside it, " if catalogue is national else ""
                _refuse(index, check(region, national), beside)
            if catalogue.domain == domain and not mine:
                _refuse(index, check(catalogue))


def _refuse(index: int, findings: Sequence[Finding], beside: str = "") -> None:
    if findings:
        first = f"{shown(findings[0].path)}: {findings[0].message}"
        raise _invalid(index, "CATALOGUE_FAULTY", f"{beside}{len(findings)} faults, the first: {first}")


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
