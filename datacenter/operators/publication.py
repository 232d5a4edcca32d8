"""A faulty catalogue is never published, whoever sends it: the data center checks what the console checked before."""

from collections.abc import Mapping, Sequence

import msgspec

from charging.catalogue.document import Catalogue, unpack
from charging.checks.check import check
from charging.checks.walk import Finding, shown
from charging.checks.whole import Nation
from charging.errors import Invalid
from charging.plans.timeline import together
from charging.wire import CatalogueRef
from directory.changes import CatalogueVersion, Change

REFERENCE_BYTES_MAX = 12_000_000
"""Of packed catalogues that one application server fetches at once: below what a message takes, 16 MB."""
Version = CatalogueVersion | CatalogueRef


def check_catalogues(changes: Sequence[Change], published: Sequence[CatalogueRef]) -> None:
    """Check the catalogues of an amendment, each with every one it will be in force together with.

    So a national version that takes away what a published region overrides is refused too. Raises `Invalid`
    CATALOGUE_UNREADABLE, CATALOGUE_MISLABELLED, CATALOGUE_NEVER_IN_FORCE, CATALOGUES_TOO_LARGE or CATALOGUE_FAULTY.
    """
    there = {(ref.domain, ref.version) for ref in published}
    arriving = {
        index: change
        for index, change in enumerate(changes)
        if isinstance(change, CatalogueVersion) and (change.domain, change.version) not in there
    }
    read = {index: _read(index, change) for index, change in arriving.items()}
    if not read:
        return
    _check_in_force(arriving, [*published, *arriving.values()])
    _check_sizes(arriving, [*published, *arriving.values()])
    versions: dict[str, list[tuple[int, Catalogue]]] = {"": []}
    for ref in published:
        versions.setdefault(ref.domain, []).append((ref.effective_from_ms, unpack(ref.content)))
    for index, catalogue in read.items():
        versions.setdefault(catalogue.domain, []).append((arriving[index].effective_from_ms, catalogue))
    for index, catalogue in read.items():
        if not catalogue.domain:
            _refuse(index, check(catalogue))
    nations = {id(national): Nation(national) for _, national in versions[""]}
    places = {id(catalogue): index for index, catalogue in read.items()}
    for domain in sorted(versions.keys() - {""}):
        met = set()
        for national, region in together(versions[""], versions[domain]):
            met.add(id(region))
            if id(region) in places:
                _refuse(places[id(region)], check(region, nations[id(national)]))
            elif id(national) in places:
                beside = f"with {domain} {region.version} beside it, "
                _refuse(places[id(national)], check(region, nations[id(national)]), beside)
        for index, catalogue in read.items():
            if catalogue.domain == domain and id(catalogue) not in met:
                _refuse(index, check(catalogue))


def _check_in_force(arriving: Mapping[int, CatalogueVersion], all_there: Sequence[Version]) -> None:
    """Refuse what no event would ever be rated by: another version begins at the same moment, with a higher number."""
    newest: dict[tuple[str, int], int] = {}
    for one in all_there:
        key = (one.domain, one.effective_from_ms)
        newest[key] = max(newest.get(key, 0), one.version)
    for index, change in arriving.items():
        number = newest[change.domain, change.effective_from_ms]
        if number > change.version:
            wanted = (
                f"a version that will be in force: {number} begins at the same moment and has the higher number, so "
                f"{change.version} would never be; a correction is the next version, {number + 1} or later"
            )
            raise _invalid(index, "CATALOGUE_NEVER_IN_FORCE", wanted)


def _check_sizes(arriving: Mapping[int, CatalogueVersion], all_there: Sequence[Version]) -> None:
    """Refuse what an application server could not fetch any more: all versions of the nation and of its region."""
    sizes: dict[str, int] = {"": 0}
    for one in all_there:
        sizes[one.domain] = sizes.get(one.domain, 0) + len(one.content)
    largest = sizes.pop("") + max(sizes.values(), default=0)
    if largest > REFERENCE_BYTES_MAX:
        index = next(iter(arriving))
        wanted = (
            f"at most {REFERENCE_BYTES_MAX / 1e6:.0f} MB in all versions of the nation and one region, as application "
            f"servers fetch them together; these take {largest / 1e6:.1f} MB: make the catalogue smaller"
        )
        raise _invalid(index, "CATALOGUES_TOO_LARGE", wanted)


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
