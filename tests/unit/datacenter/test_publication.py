"""What the data center lets be published."""

import pytest

from charging.catalogue.document import from_plain, pack
from charging.errors import Invalid
from charging.wire import CatalogueRef
from datacenter.operators import admission, publication
from datacenter.operators.publication import check_catalogues
from directory.changes import CatalogueVersion
from directory.state import DirectoryState

NATIONAL = {
    "catalogue": "n",
    "version": "1",
    "services": [{"id": "sms", "unit": "event"}],
    "tariffs": [{"id": "sms", "service": "sms", "prices": [{"id": "all", "rates": [{"price": "0.1"}]}]}],
}
REGION = {
    "catalogue": "r",
    "version": "1",
    "domain": "GD",
    "overrides": {"prices": [{"tariff": "sms", "price": {"id": "all", "rates": [{"price": "0.08"}]}}]},
}


def version(tree: dict[str, object], domain: str = "", number: int = 1) -> CatalogueVersion:
    return CatalogueVersion(domain, number, 0, pack(from_plain(tree)))


def test_a_region_is_checked_against_the_national_catalogue_beside_it_or_published() -> None:
    region = version(REGION, "GD")
    check_catalogues([version(NATIONAL), region], [])
    check_catalogues([region], [CatalogueRef("", 1, 0, pack(from_plain(NATIONAL)))])
    with pytest.raises(Invalid) as caught:
        check_catalogues([region], [])
    assert caught.value.reason == "CATALOGUE_FAULTY"


def test_a_faulty_catalogue_is_refused_with_its_first_fault() -> None:
    faulty = {**NATIONAL, "services": []}
    with pytest.raises(Invalid) as caught:
        check_catalogues([version(faulty)], [])
    assert caught.value.reason == "CATALOGUE_FAULTY"
    assert "tariffs[0].service: 'sms' is not among the services" in caught.value.message
    assert list(caught.value.fields) == ["changes[0].catalogue.content"]


@pytest.mark.parametrize(("domain", "number"), [("GD", 1), ("", 2)])
def test_a_catalogue_under_another_name_is_refused(domain: str, number: int) -> None:
    with pytest.raises(Invalid) as caught:
        check_catalogues([version(NATIONAL, domain, number)], [])
    assert caught.value.reason == "CATALOGUE_MISLABELLED"


def published(tree: dict[str, object], domain: str = "", number: int = 1, since_ms: int = 0) -> CatalogueRef:
    return CatalogueRef(domain, number, since_ms, pack(from_plain({**tree, "version": str(number)})))


def test_a_national_version_must_fit_the_regions_that_are_published() -> None:
    gone = [{"id": "sms", "service": "sms", "prices": [{"id": "other", "rates": [{"price": "0.1"}]}]}]
    following = version({**NATIONAL, "version": "2", "tariffs": gone}, number=2)
    check_catalogues([following], [published(NATIONAL)])
    with pytest.raises(Invalid, match=r"with GD 1 beside it, .*tariff 'sms' has no price 'all' to override") as caught:
        check_catalogues([following], [published(NATIONAL), published(REGION, "GD")])
    assert caught.value.reason == "CATALOGUE_FAULTY"


def test_a_region_must_fit_every_national_version_it_meets() -> None:
    added = [
        *NATIONAL["tariffs"],
        {"id": "new", "service": "sms", "prices": [{"id": "all", "rates": [{"price": "1"}]}]},
    ]
    nations = [published(NATIONAL), published({**NATIONAL, "tariffs": added}, number=2, since_ms=1_000)]
    override = {"prices": [{"tariff": "new", "price": {"id": "all", "rates": [{"price": "0.5"}]}}]}
    content = pack(from_plain({**REGION, "overrides": override}))
    check_catalogues([CatalogueVersion("GD", 1, 1_000, content)], nations)
    with pytest.raises(Invalid, match="'new' is not among the tariffs"):
        check_catalogues([CatalogueVersion("GD", 1, 999, content)], nations)


def test_a_version_that_no_event_would_meet_is_refused_but_a_repeat_is_none() -> None:
    nine = published(NATIONAL, number=9, since_ms=1_000)
    five = CatalogueVersion("", 5, 1_000, pack(from_plain({**NATIONAL, "version": "5"})))
    with pytest.raises(Invalid, match="9 begins at the same moment and has the higher number") as caught:
        check_catalogues([five], [nine])
    assert caught.value.reason == "CATALOGUE_NEVER_IN_FORCE"
    check_catalogues([five], [nine, published(NATIONAL, number=5, since_ms=1_000)])
    check_catalogues([CatalogueVersion("", 5, 999, five.content)], [nine])
    check_catalogues([CatalogueVersion("", 10, 1_000, pack(from_plain({**NATIONAL, "version": "10"})))], [nine])


def test_what_an_application_server_could_not_fetch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    first, region = published(NATIONAL), published(REGION, "GD")
    second = version({**NATIONAL, "version": "2"}, number=2)
    monkeypatch.setattr(publication, "REFERENCE_BYTES_MAX", 2 * len(first.content) + len(region.content))
    check_catalogues([second], [first, region, published({**REGION, "domain": "ZJ"}, "ZJ")])
    with pytest.raises(Invalid, match="make the catalogue smaller") as caught:
        check_catalogues([version({**REGION, "version": "2"}, "GD", 2)], [first, published(NATIONAL, number=2), region])
    assert caught.value.reason == "CATALOGUES_TOO_LARGE"


async def test_what_takes_long_is_judged_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "THREAD_BYTES_MAX", 0)
    faulty = admission.Admission([version({**NATIONAL, "services": []})], "operator/li")
    with pytest.raises(Invalid, match="'sms' is not among the services"):
        await faulty.check(DirectoryState())
    await admission.Admission([version(NATIONAL)], "operator/li").check(DirectoryState())
