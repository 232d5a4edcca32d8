"""The directory over a unit in memory: amendments, routes, references, many writers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from charging.errors import Conflict, Invalid, NotFound
from charging.wire import ChannelRef, PartnerRef
from directory.changes import (
    CatalogueVersion,
    Change,
    Channel,
    DirectoryEntry,
    Domain,
    NumberPlan,
    Partner,
    PortBegun,
    PortEnded,
    UnitAddress,
)
from directory.directory import Directory
from directory.slots import slot_of
from directory.state import DirectoryState
from house.stores import COLLECTIONS
from storage.allowed import allowed_beside
from storage.memory.unit import MemoryStore, MemoryUnit

COUNTRY: tuple[Change, ...] = (
    UnitAddress("shared", "memory:shared"),
    UnitAddress("private-gd", "memory:gd"),
    Domain("GD", "Guangdong", "Asia/Shanghai", 1, "shared", "private-gd"),
    Domain("XJ", "Xinjiang", "Asia/Urumqi", 4, "shared", "private-gd"),
    NumberPlan({"86130": "XJ", "861301234": "GD", "8610": "XJ"}),
)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def directory(store: MemoryStore) -> AsyncIterator[Directory]:
    directory = await Directory.open(MemoryUnit(store, COLLECTIONS), poll_ms=20)
    await directory.amend(COUNTRY, "country", "tests")
    yield directory
    await directory.close()


async def test_longest_prefix_decides_and_an_explicit_entry_wins(directory: Directory) -> None:
    identity = "msisdn:8613012345678"
    assert directory.resolve(identity).rule == "861301234"
    assert directory.resolve(identity).key == "GD/0"
    other = directory.resolve("msisdn:8613099999999")
    assert (other.domain, other.rule) == ("XJ", "86130")
    assert other.slot == slot_of("msisdn:8613099999999", 4)
    assert directory.resolve("fixed:861065551234").domain == "XJ"
    await directory.amend([DirectoryEntry(identity, "XJ", 3)], "port-1", "tests")
    assert (directory.resolve(identity).key, directory.resolve(identity).rule) == ("XJ/3", "explicit")
    await directory.amend([DirectoryEntry(identity, remove=True)], "port-2", "tests")
    assert directory.resolve(identity).key == "GD/0"


async def test_a_name_without_entry_is_unrouted_until_it_has_one(directory: Directory) -> None:
    with pytest.raises(NotFound) as caught:
        directory.resolve("broadband:gd0001@adsl")
    assert caught.value.reason == "IDENTITY_UNROUTED"
    assert "gd0001@adsl" not in caught.value.message
    await directory.amend([DirectoryEntry("broadband:gd0001@adsl", "GD", 0)], "bb", "tests")
    assert directory.resolve("broadband:gd0001@adsl").domain == "GD"


async def test_the_units_of_a_domain_follow_their_address(directory: Directory) -> None:
    assert directory.domains["GD"].private_unit == "memory:gd"
    await directory.amend([UnitAddress("private-gd", "sqlite:///elsewhere/gd.db")], "move", "tests")
    assert directory.domains["GD"].private_unit == "sqlite:///elsewhere/gd.db"


async def test_reference_has_the_channels_partners_and_catalogues_of_the_domain(directory: Directory) -> None:
    changes: list[Change] = [
        Channel("front", "Front end"),
        Channel("partner", "Partners", is_open=False, partners_only=True),
        Partner("acme", "Acme"),
        CatalogueVersion("", 2, 2_000, b"national two"),
        CatalogueVersion("", 1, 0, b"national one"),
        CatalogueVersion("GD", 1, 1_000, b"guangdong"),
        CatalogueVersion("XJ", 1, 1_000, b"xinjiang"),
    ]
    revision = await directory.amend(changes, "publish", "tests")
    reference = directory.reference("GD")
    assert reference.channels == (
        ChannelRef("front", "Front end", True, False),
        ChannelRef("partner", "Partners", False, True),
    )
    assert reference.partners == (PartnerRef("acme", "Acme", True),)
    assert [ref.content for ref in reference.catalogues] == [b"national one", b"guangdong", b"national two"]
    assert reference.revision == revision
    assert reference.time_zone == "Asia/Shanghai"


async def test_entries_do_not_move_the_revision_of_references_but_publishing_does(directory: Directory) -> None:
    before = directory.reference_revision("GD")
    await directory.amend([DirectoryEntry("card:1", "GD", 0)], "card", "tests")
    assert directory.reference_revision("GD") == before
    await directory.amend([CatalogueVersion("XJ", 1, 0, b"x")], "xj", "tests")
    assert directory.reference_revision("GD") == before
    assert directory.reference_revision("XJ") == directory.revision
    await directory.amend([Channel("pos", "POS", is_open=False)], "pos", "tests")
    assert directory.reference_revision("GD") == directory.revision


async def test_a_published_version_never_changes_but_may_be_published_again(directory: Directory) -> None:
    first = await directory.amend([CatalogueVersion("GD", 1, 0, b"one")], "p1", "tests")
    assert await directory.amend([CatalogueVersion("GD", 1, 0, b"one")], "p2", "tests") > first
    with pytest.raises(Conflict) as caught:
        await directory.amend([CatalogueVersion("GD", 1, 0, b"another")], "p3", "tests")
    assert caught.value.reason == "CATALOGUE_PUBLISHED"
    assert [ref.content for ref in directory.catalogues("GD")] == [b"one"]


async def test_a_key_counts_once_and_never_for_something_else(directory: Directory) -> None:
    revision = await directory.amend([DirectoryEntry("card:1", "GD", 0)], "once", "tests")
    await directory.amend([DirectoryEntry("card:1", "XJ", 1)], "later", "tests")
    assert await directory.amend([DirectoryEntry("card:1", "GD", 0)], "once", "tests") == revision
    assert directory.resolve("card:1").domain == "XJ"
    with pytest.raises(Conflict) as caught:
        await directory.amend([DirectoryEntry("card:2", "GD", 0)], "once", "tests")
    assert caught.value.reason == "REQUEST_KEY_REUSED"


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        (DirectoryEntry("card:1", "ZZ", 0), "DOMAIN_UNKNOWN", "changes[0].entry.domain"),
        (DirectoryEntry("card:1", "XJ", 4), "SLOT_UNKNOWN", "changes[0].entry.slot"),
        (DirectoryEntry("13012345678", "GD", 0), "IDENTITY_MALFORMED", "changes[0].entry.identity"),
        (NumberPlan({"+86": "GD"}), "PREFIX_MALFORMED", "changes[0].number_plan.ranges[0].prefix"),
        (NumberPlan({"86": "ZZ"}), "DOMAIN_UNKNOWN", "changes[0].number_plan.ranges[0].domain"),
        (
            Domain("HN", "Hunan", "Asia/Nowhere", 1, "shared", "shared"),
            "TIME_ZONE_UNKNOWN",
            "changes[0].domain.time_zone",
        ),
        (
            Domain("HN", "Hunan", "Asia/Shanghai", 1, "shared", "no"),
            "STORAGE_UNIT_UNKNOWN",
            "changes[0].domain.private_unit",
        ),
        (Domain("H/N", "Hunan", "Asia/Shanghai", 1, "shared", "shared"), "CODE_MALFORMED", "changes[0].domain.code"),
        (
            Domain("HN", "Hunan", "Asia/Shanghai", 0, "shared", "shared"),
            "SLOTS_OUT_OF_RANGE",
            "changes[0].domain.slots",
        ),
        (UnitAddress("u", "http://x"), "UNIT_ADDRESS_MALFORMED", "changes[0].unit.url"),
        (UnitAddress("u", "cassandra://h/k?password=x"), "UNIT_ADDRESS_MALFORMED", "changes[0].unit.url"),
        (CatalogueVersion("ZZ", 1, 0, b"x"), "DOMAIN_UNKNOWN", "changes[0].catalogue.domain"),
        (CatalogueVersion("GD", 0, 0, b"x"), "VERSION_OUT_OF_RANGE", "changes[0].catalogue.version"),
        (Channel("", "nothing"), "CODE_MALFORMED", "changes[0].channel.code"),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused_by_field(
    directory: Directory, change: Change, reason: str, field: str
) -> None:
    before = directory.revision
    with pytest.raises(Invalid) as caught:
        await directory.amend([change, DirectoryEntry("card:9", "GD", 0)], "bad", "tests")
    assert caught.value.reason == reason
    assert field in caught.value.fields
    assert await directory.refresh() == before
    with pytest.raises(NotFound):
        directory.resolve("card:9")


async def test_a_unit_s_address_is_where_this_process_lets_units_be(directory: Directory) -> None:
    directory.allowed = allowed_beside("sqlite:///data/directory.db", [], [], [])
    await directory.amend([UnitAddress("u", "sqlite:///data/u.db")], "beside", "tests")
    for number, url in enumerate(("sqlite:///etc/u.db", "cassandra://evil/u?password_env=HOME", "memory:u")):
        with pytest.raises(Invalid, match="allow") as caught:
            await directory.amend([UnitAddress("u", url)], f"elsewhere-{number}", "tests")
        assert caught.value.reason == "UNIT_ADDRESS_FORBIDDEN"
        assert "changes[0].unit.url" in caught.value.fields
    assert directory.units["u"] == "sqlite:///data/u.db"


async def test_the_slots_of_a_domain_are_fixed(directory: Directory) -> None:
    with pytest.raises(Conflict) as caught:
        await directory.amend([Domain("XJ", "Xinjiang", "Asia/Urumqi", 8, "shared", "shared")], "grow", "tests")
    assert caught.value.reason == "DOMAIN_SLOTS_FIXED"


async def test_another_process_sees_an_amendment_by_itself(directory: Directory, store: MemoryStore) -> None:
    other = await Directory.open(MemoryUnit(store, COLLECTIONS), poll_ms=20)
    assert other.resolve("msisdn:8613012345678").domain == "GD"
    seen: list[int] = []
    known = asyncio.Event()
    end = other.subscribe(seen.append)
    other.subscribe(lambda _: known.set())
    revision = await directory.amend([DirectoryEntry("msisdn:8613012345678", "XJ", 2)], "port", "tests")
    async with asyncio.timeout(1):
        await known.wait()
    assert other.resolve("msisdn:8613012345678").key == "XJ/2"
    assert seen == [revision]
    end()
    await directory.amend([DirectoryEntry("card:1", "GD", 0)], "more", "tests")
    await other.refresh()
    assert seen == [revision]
    await other.close()


async def test_many_writers_at_once_lose_nothing_and_agree(store: MemoryStore, directory: Directory) -> None:
    writers = [directory, *[await Directory.open(MemoryUnit(store, COLLECTIONS), poll_ms=50) for _ in range(3)]]
    await asyncio.gather(
        *(
            writer.amend([DirectoryEntry(f"card:{name}-{number}", "GD", 0)], f"{name}-{number}", "tests")
            for name, writer in enumerate(writers)
            for number in range(50)
        )
    )
    for writer in writers:
        await writer.refresh()
        assert len(writer.state.entries) == 200
    assert len({writer.revision for writer in writers}) == 1
    for writer in writers[1:]:
        await writer.close()


async def test_amendments_that_wait_share_groups(directory: Directory) -> None:
    before = directory.revision
    await asyncio.gather(
        *(directory.amend([DirectoryEntry(f"card:{number}", "GD", 0)], f"k{number}", "tests") for number in range(500))
    )
    assert len(directory.state.entries) == 500
    assert directory.revision - before <= 5


async def test_the_same_key_from_two_writers_at_once_counts_once(store: MemoryStore, directory: Directory) -> None:
    other = await Directory.open(MemoryUnit(store, COLLECTIONS), poll_ms=50)
    change = [DirectoryEntry("card:1", "GD", 0)]
    first, second = await asyncio.gather(directory.amend(change, "k", "a"), other.amend(change, "k", "b"))
    assert first == second
    await other.close()


async def test_ports_of_an_account_exclude_each_other(directory: Directory) -> None:
    begun = PortBegun("p1", "msisdn:8613012345678", "a1", "GD", 0, "XJ", "tests")
    await directory.amend([begun], "p1:begin", "tests")
    assert [port.begun for port in directory.ports_open()] == [begun]
    with pytest.raises(Conflict) as caught:
        await directory.amend([PortBegun("p2", "card:1", "a1", "GD", 0, "XJ", "tests")], "p2:begin", "tests")
    assert caught.value.reason == "PORT_UNDER_WAY"
    await directory.amend([DirectoryEntry("msisdn:8613012345678", "XJ", 0), PortEnded("p1")], "p1:end", "tests")
    assert directory.ports_open() == []
    port = directory.port("p1")
    assert port is not None
    assert port.ended


async def test_a_guard_is_asked_at_the_state_that_is_appended_to(directory: Directory, store: MemoryStore) -> None:
    """The other writer is behind: what it checked first is not what its compare-and-set found."""
    other = await Directory.open(MemoryUnit(store, COLLECTIONS))
    seen: list[int] = []

    async def only_one(state: DirectoryState) -> None:
        seen.append(len(state.catalogues))
        if state.catalogues:
            raise Invalid("CATALOGUE_FAULTY", "there is one already")

    await directory.amend([CatalogueVersion("GD", 1, 0, b"one")], "first", "tests", only_one)
    with pytest.raises(Invalid, match="there is one already"):
        await other.amend([CatalogueVersion("XJ", 1, 0, b"two")], "second", "tests", only_one)
    assert seen[0] == 0
    assert seen[-1] == 1
    assert await directory.amend([CatalogueVersion("GD", 1, 0, b"one")], "first", "tests", only_one), "a repeat is told"
    assert await other.refresh() == directory.revision
    assert list(other.state.catalogues) == [("GD", 1)]
    await other.close()
