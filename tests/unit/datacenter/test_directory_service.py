"""What operators ask of a data center: amend by field, publish once, describe, in bulk."""

import asyncio
import time
from collections.abc import Awaitable

import grpc
import pytest
from msgspec.structs import replace
from onetier.v1 import data_center_pb2 as pb
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from charging.base.localtime import day_of
from charging.catalogue.document import Catalogue, Overrides, from_plain, pack
from charging.catalogue.tariffs import Price, PriceOverride, Rate, Tariff
from charging.catalogue.words import Service
from charging.errors import Fault
from cluster.loading import until_known
from console.operations.document_reading import called, read_catalogues
from runtime.status import from_rpc_error
from tests.unit.datacenter.conftest import Rig

CONTENT = pack(Catalogue(catalogue="national", version=1))
VIP = {"id": "vip", "stage": "account", "percent": "10", "name": "贵宾"}


async def fault_of(call: Awaitable[object]) -> Fault:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return from_rpc_error(caught.value)


@pytest.fixture
async def operator(rig: Rig) -> DirectoryServiceStub:
    return await rig.operator(await rig.datacenter())


def amendment(key: str, *changes: pb.DirectoryChange) -> pb.AmendRequest:
    return pb.AmendRequest(changes=changes, request_key=key, actor="tests")


def entry(identity: str, domain: str = "GD", slot: int = 0) -> pb.DirectoryChange:
    return pb.DirectoryChange(entry=pb.DirectoryEntry(identity=identity, domain=domain, slot=slot))


def catalogue(content: bytes, version: int = 1, domain: str = "") -> pb.DirectoryChange:
    return pb.DirectoryChange(catalogue=pb.CatalogueVersion(domain=domain, version=version, content=content))


async def test_an_entry_routes_an_identity_that_no_prefix_knows(operator: DirectoryServiceStub) -> None:
    fault = await fault_of(operator.Resolve(pb.ResolveRequest(identity="broadband:GD0001@adsl"), timeout=5))
    assert (fault.kind, fault.reason) == ("not_found", "IDENTITY_UNROUTED")
    amended = await operator.Amend(amendment("bb", entry("broadband:gd0001@adsl", "XJ", 3)), timeout=5)
    resolved = await operator.Resolve(pb.ResolveRequest(identity="broadband:GD0001@adsl"), timeout=5)
    assert (resolved.domain, resolved.slot, resolved.rule) == ("XJ", 3, "explicit")
    assert resolved.revision == amended.revision


async def test_resolve_tells_the_prefix_that_decided_and_the_owner(rig: Rig, operator: DirectoryServiceStub) -> None:
    owner = await rig.owner("GD/0")
    other = await rig.operator(await rig.datacenter())
    resolved = await other.Resolve(pb.ResolveRequest(identity="+86 130 0000 0001"), timeout=5)
    assert (resolved.domain, resolved.rule, resolved.owner) == ("GD", "86130", owner.address)


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        (entry("card:1", "ZZ"), "DOMAIN_UNKNOWN", "changes[1].entry.domain"),
        (entry("13000000000"), "IDENTITY_MALFORMED", "changes[1].entry.identity"),
        (
            pb.DirectoryChange(number_plan=pb.NumberPlan(ranges=[pb.NumberRange(prefix="+86", domain="GD")])),
            "PREFIX_MALFORMED",
            "changes[1].number_plan.ranges[0].prefix",
        ),
        (
            pb.DirectoryChange(
                number_plan=pb.NumberPlan(
                    ranges=[pb.NumberRange(prefix="86", domain="GD"), pb.NumberRange(prefix="86", domain="XJ")]
                )
            ),
            "PREFIX_TWICE",
            "changes[1].number_plan.ranges[1].prefix",
        ),
        (
            pb.DirectoryChange(
                domain=pb.Domain(
                    code="HN", time_zone="Asia/Shanghai", slots=1, shared_unit="shared", private_unit="missing"
                )
            ),
            "STORAGE_UNIT_UNKNOWN",
            "changes[1].domain.private_unit",
        ),
        (catalogue(b"no catalogue"), "CATALOGUE_UNREADABLE", "changes[1].catalogue.content"),
        (pb.DirectoryChange(), "CHANGE_MALFORMED", "changes[1]"),
    ],
)
async def test_a_wrong_change_is_named_by_field_and_none_of_its_amendment_enters(
    operator: DirectoryServiceStub, change: pb.DirectoryChange, reason: str, field: str
) -> None:
    before = (await operator.Describe(pb.DescribeRequest(), timeout=5)).revision
    fault = await fault_of(operator.Amend(amendment("wrong", entry("card:9"), change), timeout=5))
    assert (fault.kind, fault.reason) == ("invalid", reason)
    assert field in fault.fields
    after = await operator.Describe(pb.DescribeRequest(), timeout=5)
    assert (after.revision, after.entries) == (before, 0)


async def test_an_amendment_needs_a_key_an_actor_and_changes(operator: DirectoryServiceStub) -> None:
    for wrong, reason in (
        (pb.AmendRequest(changes=[entry("card:1")], actor="tests"), "REQUEST_KEY_MALFORMED"),
        (pb.AmendRequest(changes=[entry("card:1")], actor="tests", request_key="~port~end~1"), "REQUEST_KEY_MALFORMED"),
        (pb.AmendRequest(changes=[entry("card:1")], request_key="k"), "ACTOR_MISSING"),
        (pb.AmendRequest(request_key="k", actor="tests"), "CHANGES_MISSING"),
    ):
        assert (await fault_of(operator.Amend(wrong, timeout=5))).reason == reason


async def test_a_catalogue_of_an_unknown_region_is_refused(operator: DirectoryServiceStub) -> None:
    await operator.Amend(amendment("v1", catalogue(CONTENT)), timeout=5)
    regional = catalogue(pack(Catalogue(catalogue="region", version=1, domain="ZZ")), domain="ZZ")
    fault = await fault_of(operator.Amend(amendment("v2", regional), timeout=5))
    assert fault.reason == "DOMAIN_UNKNOWN"
    assert "changes[0].catalogue.domain" in fault.fields


async def test_a_catalogue_is_published_once(operator: DirectoryServiceStub) -> None:
    first = await operator.Amend(amendment("v1", catalogue(CONTENT)), timeout=5)
    again = await operator.Amend(amendment("v1", catalogue(CONTENT)), timeout=5)
    assert again.revision == first.revision
    other = pb.DirectoryChange(catalogue=pb.CatalogueVersion(version=1, effective_from_ms=5, content=CONTENT))
    fault = await fault_of(operator.Amend(amendment("v1-other", other), timeout=5))
    assert (fault.kind, fault.reason) == ("conflict", "CATALOGUE_PUBLISHED")
    described = await operator.Describe(pb.DescribeRequest(), timeout=5)
    assert [(one.domain, one.version, one.content) for one in described.catalogues] == [("", 1, b"")]


async def test_describe_gives_the_whole_picture_without_secrets(rig: Rig, operator: DirectoryServiceStub) -> None:
    unit = pb.UnitAddress(name="far", url="cassandra://10.0.0.1/bills?user=onetier&password_env=ONETIER_CQL_PASSWORD")
    channel = pb.Channel(code="pos", name="POS", open=True)
    partner = pb.Partner(code="acme", name="Acme", active=True)
    await operator.Amend(
        amendment(
            "more",
            pb.DirectoryChange(unit=unit),
            pb.DirectoryChange(channel=channel),
            pb.DirectoryChange(partner=partner),
            entry("tv:1"),
        ),
        timeout=5,
    )
    owner = await rig.owner("XJ/2")
    described = await (await rig.operator(await rig.datacenter())).Describe(pb.DescribeRequest(), timeout=5)
    assert {one.code: one.slots for one in described.domains} == {"GD": 1, "XJ": 4}
    assert [(one.domain, one.slot, one.address) for one in described.owners] == [("XJ", 2, owner.address)]
    assert (list(described.channels), list(described.partners)) == ([channel], [partner])
    assert (described.number_ranges, described.entries) == (2, 1)
    assert "secret" not in str(described)


async def test_ten_thousands_of_entries_enter_in_one_call(operator: DirectoryServiceStub) -> None:
    started = time.monotonic()
    changes = [entry(f"broadband:gd{number:06d}@adsl") for number in range(30_000)]
    await operator.Amend(amendment("bulk", *changes), timeout=30)
    assert time.monotonic() - started < 10
    described = await operator.Describe(pb.DescribeRequest(), timeout=5)
    assert described.entries == 30_000


async def test_a_plan_of_the_size_of_the_country_replaces_the_old_one(operator: DirectoryServiceStub) -> None:
    ranges = [
        pb.NumberRange(prefix=f"86{head}{tail:04d}", domain="GD" if tail % 2 else "XJ")
        for head in range(130, 141)
        for tail in range(10_000)
    ]
    change = pb.DirectoryChange(number_plan=pb.NumberPlan(ranges=ranges))
    await operator.Amend(amendment("plan", change), timeout=30)
    described = await operator.Describe(pb.DescribeRequest(), timeout=5)
    assert described.number_ranges == 110_000
    resolved = await operator.Resolve(pb.ResolveRequest(identity="+8613500011234"), timeout=5)
    assert (resolved.domain, resolved.rule) == ("GD", "861350001")


def unit(name: str, url: str) -> pb.DirectoryChange:
    return pb.DirectoryChange(unit=pb.UnitAddress(name=name, url=url))


async def test_a_unit_in_use_changes_its_hosts_but_is_moved_by_no_amendment(
    rig: Rig, operator: DirectoryServiceStub
) -> None:
    first = next(iter(rig.directory.state.named.values()))
    name = "far"
    await operator.Amend(amendment("named", unit(name, "cassandra://10.0.0.1/far?rf=3")), timeout=5)
    await operator.Amend(amendment("not used yet", unit(name, "cassandra://10.0.0.1/farther?rf=3")), timeout=5)
    hainan = pb.Domain(code="HI", time_zone="Asia/Shanghai", slots=1, shared_unit=first.shared_unit, private_unit=name)
    await operator.Amend(amendment("used", pb.DirectoryChange(domain=hainan)), timeout=5)
    await operator.Amend(amendment("hosts", unit(name, "cassandra://10.0.0.2,10.0.0.3/farther?rf=3")), timeout=5)
    elsewhere = pb.Domain()
    elsewhere.CopyFrom(hainan)
    elsewhere.private_unit = first.private_unit
    for number, (change, field) in enumerate(
        (
            (unit(name, "cassandra://10.0.0.2/far?rf=3"), "changes[0].unit.url"),
            (unit(name, "sqlite:///farther"), "changes[0].unit.url"),
            (pb.DirectoryChange(domain=elsewhere), "changes[0].domain.private_unit"),
        )
    ):
        fault = await fault_of(operator.Amend(amendment(f"wrong {number}", change), timeout=5))
        assert (fault.kind, fault.reason, list(fault.fields)) == ("refused", "UNIT_IN_USE", [field])
        assert "onetier unit move" in fault.message
    units = {one.name: one.url for one in (await operator.Describe(pb.DescribeRequest(), timeout=5)).units}
    assert units[name] == "cassandra://10.0.0.2,10.0.0.3/farther?rf=3"


def priced(version: int, price: str, domain: str = "", override: str = "") -> bytes:
    """A nation with one price, or a region that overrides one."""
    if domain:
        one = Price(override, rates=(Rate("1"),))
        return pack(Catalogue("r", version, domain, overrides=Overrides(prices=(PriceOverride("calls", one),))))
    calls = Tariff("calls", "voice", (Price(price, rates=(Rate("2"),)),))
    return pack(Catalogue("n", version, services=(Service("voice", "second"),), tariffs=(calls,)))


async def test_of_two_catalogues_at_once_that_do_not_fit_one_is_published(rig: Rig) -> None:
    """The nation renames a price through one data center while a region overrides it through another."""
    desks = [await rig.operator(await rig.datacenter()) for _ in range(2)]
    await desks[0].Amend(amendment("nation-1", catalogue(priced(1, "local"))), timeout=10)
    for round_ in range(4):
        revision = await rig.directory.refresh()
        for desk in desks:
            await until_known(desk, revision)
        before, after = ("local", "urban") if round_ % 2 == 0 else ("urban", "local")
        nation, region = 2 + round_, 1 + round_
        tries = await asyncio.gather(
            desks[0].Amend(amendment(f"n{nation}", catalogue(priced(nation, after), nation)), timeout=10),
            desks[1].Amend(
                amendment(f"r{region}", catalogue(priced(region, "", "GD", before), region, "GD")), timeout=10
            ),
            return_exceptions=True,
        )
        refused = [from_rpc_error(one) for one in tries if isinstance(one, grpc.aio.AioRpcError)]
        assert [fault.reason for fault in refused] == ["CATALOGUE_FAULTY"], tries
        await rig.directory.refresh()
        published = rig.directory.state.catalogues
        assert ((("", nation) in published) + (("GD", region) in published)) == 1
        if ("", nation) not in published:
            break  # The region overrides the price now, for good: no nation may rename it any more.


async def test_a_published_catalogue_is_given_out_as_it_came(operator: DirectoryServiceStub) -> None:
    await operator.Amend(amendment("n", catalogue(CONTENT)), timeout=5)
    found = await operator.ReadCatalogue(pb.ReadCatalogueRequest(version=1), timeout=5)
    assert (found.catalogue.domain, found.catalogue.version, found.catalogue.content) == ("", 1, CONTENT)
    fault = await fault_of(operator.ReadCatalogue(pb.ReadCatalogueRequest(domain="GD", version=1), timeout=5))
    assert (fault.kind, fault.reason) == ("not_found", "CATALOGUE_UNKNOWN")


async def test_a_bill_calls_items_as_the_catalogues_of_its_last_day_do(operator: DirectoryServiceStub) -> None:
    nation = from_plain(
        {
            "catalogue": "national",
            "version": "1",
            "services": [{"id": "voice", "unit": "second", "name": {"zh": "语音", "en": "Calls"}, "item": "talk"}],
            "fees": [{"id": "rent", "amount": "30", "name": "月租"}, {"id": "plain", "amount": "1"}],
            "taxes": [{"id": "basic", "percent": "9", "items": ["*"], "name": "基础"}],
        }
    )
    region = from_plain({"catalogue": "GD", "version": "1", "domain": "GD", "discounts": [VIP]})
    later = replace(nation, version=2, effective_from="2026-11-01")
    later_ms = 86_400_000 * day_of("2026-11-01")
    published = [
        catalogue(pack(nation)),
        catalogue(pack(region), 1, "GD"),
        pb.DirectoryChange(
            catalogue=pb.CatalogueVersion(version=2, effective_from_ms=later_ms, content=pack(later)),
        ),
    ]
    await operator.Amend(amendment("names", *published), timeout=5)
    found = await read_catalogues(operator, "GD", "2026-10-31")
    assert [(one.domain, one.version) for one in found] == [("", 1), ("GD", 1)]
    assert [one.version for one in await read_catalogues(operator, "XJ", "2026-11-30")] == [2]
    assert called(found, "en").names == {"talk": "Calls", "rent": "月租", "vip": "贵宾", "basic": "基础"}
    assert called(found, "zh").names["talk"] == "语音"
    assert called(found, "zh").units == {"voice": "second"}
