"""Channels, partners, ranges and entries one by one: put in, changed, taken out, read back by pages."""

import grpc
import pytest
from onetier.v1 import data_center_pb2 as pb
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from tests.unit.datacenter.conftest import Rig
from tests.unit.datacenter.test_directory_service import amendment, entry, fault_of


@pytest.fixture
async def operator(rig: Rig) -> DirectoryServiceStub:
    return await rig.operator(await rig.datacenter())


def span(prefix: str, domain: str = "", *, remove: bool = False) -> pb.DirectoryChange:
    return pb.DirectoryChange(range=pb.NumberRange(prefix=prefix, domain=domain, remove=remove))


def channel(code: str, *, remove: bool = False, name: str = "") -> pb.DirectoryChange:
    return pb.DirectoryChange(channel=pb.Channel(code=code, name=name or code, open=True, remove=remove))


def partner(code: str, *, remove: bool = False) -> pb.DirectoryChange:
    return pb.DirectoryChange(partner=pb.Partner(code=code, name=code, active=True, remove=remove))


async def amend(operator: DirectoryServiceStub, key: str, *changes: pb.DirectoryChange) -> int:
    amended = await operator.Amend(amendment(key, *changes), timeout=5)
    return int(amended.revision)


async def listed(operator: DirectoryServiceStub, kind: str, **asked: object) -> list[str]:
    """Give all keys of a kind, page by page."""
    found: list[str] = []
    after = ""
    while True:
        page = await operator.ListRecords(pb.ListRecordsRequest(kind=kind, after=after, **asked), timeout=5)
        found += [_key(getattr(one, kind)) for one in page.records]
        after = page.next_after
        if not after:
            return found


def _key(record: pb.Channel | pb.Partner | pb.NumberRange | pb.DirectoryEntry) -> str:
    if isinstance(record, pb.NumberRange):
        return f"{record.prefix}>{record.domain}"
    return record.identity if isinstance(record, pb.DirectoryEntry) else record.code


def in_order(ranges: list[str]) -> list[str]:
    return sorted(ranges, key=lambda one: one.split(">")[0])


async def rule(operator: DirectoryServiceStub, identity: str) -> str:
    try:
        return str((await operator.Resolve(pb.ResolveRequest(identity=identity), timeout=5)).rule)
    except grpc.aio.AioRpcError:
        return "nobody"


async def test_a_range_is_led_changed_and_taken_out_and_the_others_stay(operator: DirectoryServiceStub) -> None:
    number = "+86 13000001234"
    before = await listed(operator, "range")
    assert await rule(operator, number) == "86130"
    await amend(operator, "r-1", span("8613000001", "XJ"))
    found = await operator.Resolve(pb.ResolveRequest(identity=number), timeout=5)
    assert (found.domain, found.rule) == ("XJ", "8613000001")
    await amend(operator, "r-2", span("8613000001", "GD"), span("8613000002", "GD"))
    assert await listed(operator, "range") == in_order([*before, "8613000001>GD", "8613000002>GD"])
    await amend(operator, "r-3", span("8613000001", remove=True))
    assert await rule(operator, number) == "86130"
    assert await listed(operator, "range") == in_order([*before, "8613000002>GD"])


async def test_a_channel_and_a_partner_are_changed_and_taken_away(operator: DirectoryServiceStub) -> None:
    await amend(operator, "c-1", channel("kiosk", name="palm"), partner("acme"))
    page = await operator.ListRecords(pb.ListRecordsRequest(kind="channel", limit=1_000), timeout=5)
    assert next(one.channel.name for one in page.records if one.channel.code == "kiosk") == "palm"
    assert "acme" in await listed(operator, "partner")
    await amend(operator, "c-2", channel("kiosk", remove=True), partner("acme", remove=True))
    assert "kiosk" not in await listed(operator, "channel")
    assert "acme" not in await listed(operator, "partner")
    described = await operator.Describe(pb.DescribeRequest(), timeout=5)
    assert "kiosk" not in [one.code for one in described.channels]


async def test_what_a_grant_names_stays(operator: DirectoryServiceStub) -> None:
    grant = pb.Grant(grant_id="kiosks", subject="frontend/kiosk", commands=["balance"], channels=["kiosk"])
    await amend(operator, "g-1", channel("kiosk"), pb.DirectoryChange(grant=grant))
    fault = await fault_of(operator.Amend(amendment("g-2", channel("kiosk", remove=True)), timeout=5))
    assert (fault.kind, fault.reason, fault.facts) == ("refused", "NAMED_BY_GRANT", {"grant": "kiosks"})
    await amend(operator, "g-3", pb.DirectoryChange(grant=pb.Grant(grant_id="kiosks", remove=True)))
    await amend(operator, "g-4", channel("kiosk", remove=True))


async def test_pages_go_on_where_the_one_before_ended_and_may_be_of_one_domain(operator: DirectoryServiceStub) -> None:
    names = [f"broadband:gd{number:04d}@adsl" for number in range(25)]
    changes = [entry(name, "XJ" if number % 5 == 0 else "GD") for number, name in enumerate(names)]
    await amend(operator, "e-1", *changes)
    assert await listed(operator, "entry", limit=7) == names
    assert await listed(operator, "entry", limit=2, domain="XJ") == names[::5]
    page = await operator.ListRecords(pb.ListRecordsRequest(kind="entry", limit=25), timeout=5)
    assert (len(page.records), page.next_after) == (25, "")
    await amend(operator, "e-2", pb.DirectoryChange(entry=pb.DirectoryEntry(identity=names[0], remove=True)))
    assert await listed(operator, "entry") == names[1:]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (span("8699", remove=True), "PREFIX_UNKNOWN"),
        (span("86130", "GD", remove=True), "FIELD_WITHOUT_EFFECT"),
        (span("86130", "ZZ"), "DOMAIN_UNKNOWN"),
        (span("+86", "GD"), "PREFIX_MALFORMED"),
        (channel("nowhere", remove=True), "CHANNEL_UNKNOWN"),
        (partner("nobody", remove=True), "PARTNER_UNKNOWN"),
        (channel("kiosk", name="pa\nlm"), "TEXT_MALFORMED"),
        (
            pb.DirectoryChange(entry=pb.DirectoryEntry(identity="broadband:gd9@adsl", remove=True)),
            "ENTRY_UNKNOWN",
        ),
        (
            pb.DirectoryChange(
                number_plan=pb.NumberPlan(ranges=[pb.NumberRange(prefix="86", domain="GD", remove=True)])
            ),
            "FIELD_WITHOUT_EFFECT",
        ),
    ],
)
async def test_what_would_have_no_effect_is_refused_and_nothing_changes(
    change: pb.DirectoryChange, reason: str, operator: DirectoryServiceStub
) -> None:
    before = await operator.Describe(pb.DescribeRequest(), timeout=5)
    fault = await fault_of(operator.Amend(amendment("wrong", change), timeout=5))
    assert fault.reason == reason
    assert (await operator.Describe(pb.DescribeRequest(), timeout=5)).revision == before.revision


async def test_single_ranges_and_a_whole_plan_do_not_go_together(operator: DirectoryServiceStub) -> None:
    plan = pb.DirectoryChange(number_plan=pb.NumberPlan(ranges=[pb.NumberRange(prefix="86", domain="GD")]))
    for number, changes in enumerate(((plan, span("8613", "XJ")), (span("8613", "XJ"), plan))):
        fault = await fault_of(operator.Amend(amendment(f"both-{number}", *changes), timeout=5))
        assert fault.reason == "CHANGE_MALFORMED"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (pb.ListRecordsRequest(kind="grant"), "RECORD_KIND_UNKNOWN"),
        (pb.ListRecordsRequest(kind="range", limit=1_001), "PAGE_TOO_LONG"),
        (pb.ListRecordsRequest(kind="channel", domain="GD"), "FIELD_WITHOUT_EFFECT"),
    ],
)
async def test_a_page_that_can_not_be_is_refused(
    asked: pb.ListRecordsRequest, reason: str, operator: DirectoryServiceStub
) -> None:
    assert (await fault_of(operator.ListRecords(asked, timeout=5))).reason == reason
