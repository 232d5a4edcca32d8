"""The feed over real journals: nothing lost, in order, resumed by cursor, filtered, and bad input told apart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace
from onetier.v1 import watch_pb2 as pb

from charging.catalogue.document import from_plain
from charging.catalogue.document import pack as pack_catalogue
from charging.errors import Fault
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from charging.ledger.outcome import Done
from charging.ledger.permission import Grant
from directory.changes import CatalogueVersion, Domain, GrantSet, NumberPlan, UnitAddress
from directory.directory import Directory
from domainservers.base.limits import Limits
from domainservers.journal.groups import pack_entries
from domainservers.slot.slot import Slot
from evidence.keys import KeyRing, fresh_ring
from evidence.seals import open_sealed
from house.stores import STORES
from runtime.principal import Principal, admit
from storage.unit import Group, Head, Unit
from tests.unit.audit.sound import WEI, lived_in, owned, ring_of
from tests.unit.domainservers.room import ALICE, Clock, do, session_step
from watch.cursors import write_cursor
from watch.feeds import Feeds
from watch.service import WatchServicer
from watch.tails import Pace

PACE = Pace(0.002, 0.02, 4_000_000)
PAYMENT = TopUp("main", "money", 5_000, 0, 0, "", "payment")
SOUTH = ["open", "call", "refund", "dear", "s-0", "s-1", "send", "~settle~send"]


class Country:
    """A region of two slots in which two accounts have had about everything happen, and the feed of it."""

    def __init__(self, feeds: Feeds, directory: Directory, unit: Unit, national: Unit, ring: KeyRing) -> None:
        self.servicer = WatchServicer(feeds, 0.2, 3)
        self.feeds = feeds
        self.directory = directory
        self.unit = unit
        self.ring = ring
        self._national = national

    @asynccontextmanager
    async def owner(
        self, slot: str = "GD/0", limits: Limits | None = None, clock: Clock | None = None
    ) -> AsyncIterator[Slot]:
        async with owned(self.unit, slot, self.ring, limits, clock, national=self._national) as found:
            yield found

    async def watch(
        self, enough: Callable[[list[pb.AccountEvent]], bool], request: pb.WatchRequest, as_whom: str = "operator/li"
    ) -> tuple[list[pb.AccountEvent], str]:
        """Watch until there is enough; gives the events and the last cursor."""
        admit(Principal(as_whom, as_whom.partition("/")[0]))
        found: list[pb.AccountEvent] = []
        stream = self.servicer.Watch(request, None)
        try:
            async with asyncio.timeout(10):
                async for batch in stream:
                    found += batch.events
                    if enough(found) or (enough is never and not batch.events):
                        return found, batch.cursor
        finally:
            await stream.aclose()
        raise AssertionError("a feed has no end")


@asynccontextmanager
async def country(tmp_path: Path, pace: Pace = PACE) -> AsyncIterator[Country]:
    url = await lived_in(tmp_path)
    ring = ring_of(url)
    found = f"sqlite://{tmp_path}/directory.db"
    await STORES.migrate(found)
    national = await STORES.open(found)
    directory = await Directory.open(national, 20, ring=ring)
    domain = Domain("GD", "Guangdong", "Asia/Shanghai", 2, "private", "private")
    other = Domain("BJ", "Beijing", "Asia/Shanghai", 1, "private", "private")
    changes = [UnitAddress("private", url), domain, other, NumberPlan({"86138": "GD"})]
    await directory.amend(changes, "country", "test")
    unit = await open_sealed(STORES, url, ring)
    feeds = Feeds(directory, STORES, ring, pace, 2)
    try:
        yield Country(feeds, directory, unit, national, ring)
    finally:
        await feeds.close()
        await directory.close()
        await unit.close()
        await national.close()


def everything(**fields: object) -> pb.WatchRequest:
    return pb.WatchRequest(from_oldest=True, **fields)


def never(_: list[pb.AccountEvent]) -> bool:
    """Wait for the first heartbeat: all that there is has been told then."""
    return False


def keys(events: list[pb.AccountEvent], account: str = ALICE) -> list[str]:
    return [event.request_key for event in events if event.account_id == account]


def kinds(event: pb.AccountEvent) -> list[str]:
    return [fact.kind for fact in event.facts]


async def test_all_that_happened_is_told_in_the_order_of_each_account_with_what_moved(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        events, _ = await there.watch(never, everything())
        assert keys(events) == SOUTH
        assert keys(events, WEI)[0] == "open"
        by_key = {event.request_key: event for event in events if event.account_id == ALICE}
        call = by_key["call"]
        assert (kinds(call), call.amount, call.region, call.version) == (["charged"], 300, "GD", 2)
        assert [(moved.book_id, moved.before - moved.after) for moved in call.movements] == [("main", 300)]
        assert (kinds(by_key["dear"]), by_key["dear"].text) == (["refused"], "INSUFFICIENT_FUNDS")
        assert kinds(by_key["refund"]) == ["refunded"]
        assert "session_stepped" in kinds(by_key["s-1"])
        assert len({event.position for event in events}) == len(events)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_whoever_resumes_by_the_cursor_misses_nothing_and_gets_nothing_twice(tmp_path: Path, size: int) -> None:
    async with country(tmp_path) as there:
        found, cursor = await there.watch(lambda _: True, everything(events_max=size))
        while more := await there.watch(lambda _: True, pb.WatchRequest(cursor=cursor, events_max=size)):
            events, cursor = more
            assert len(events) <= size
            if not events:
                break
            found += events
        assert keys(found) == SOUTH
        assert len({event.position for event in found}) == len(found)


async def test_what_happens_while_one_watches_comes_at_once_also_after_another_owner_took_over(tmp_path: Path) -> None:
    async with country(tmp_path) as there:

        async def live() -> None:
            async with there.owner() as south:
                await do(south, "live-0", TopUp("main", "money", 5_000, 0, 0, "", "payment"))
                await do(south, "live-1", SetStatus("suspended", "stolen"))
            async with there.owner() as south:
                await do(south, "live-2", SetStatus("active", "found"))
                await do(south, "live-3", PAYMENT)

        _, cursor = await there.watch(never, pb.WatchRequest())
        watching = asyncio.create_task(there.watch(lambda found: len(found) >= 4, pb.WatchRequest(cursor=cursor)))
        await asyncio.sleep(0.05)
        await live()
        events, _ = await watching
        assert keys(events) == ["live-0", "live-1", "live-2", "live-3"]
        assert [event.facts[0].kind for event in events[:3]] == ["paid", "suspended", "resumed"]


async def test_filters_by_kind_region_and_account(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        charged, _ = await there.watch(never, everything(kinds=["charged", "refunded"], accounts=[ALICE]))
        assert keys(charged) == ["call", "refund", "s-1"]
        assert await there.watch(never, everything(accounts=["GD/0:none"])) != ([], "")
        both, _ = await there.watch(never, everything(regions=["GD"]))
        assert keys(both) == SOUTH


async def test_what_is_not_in_memory_is_read_from_the_store(tmp_path: Path) -> None:
    async with country(tmp_path, Pace(0.002, 0.02, 1)) as there:
        _, cursor = await there.watch(never, pb.WatchRequest())
        watching = asyncio.create_task(there.watch(lambda found: len(found) >= 40, pb.WatchRequest(cursor=cursor)))
        async with there.owner(limits=Limits(segment_groups_max=3, snapshot_entries=5)) as south:
            for number in range(40):
                await do(south, f"n-{number}", PAYMENT)
        assert keys((await watching)[0]) == [f"n-{number}" for number in range(40)]
        again, _ = await there.watch(lambda found: len(found) >= 40, pb.WatchRequest(cursor=cursor, events_max=7))
        assert keys(again) == [f"n-{number}" for number in range(40)]


async def test_what_can_not_be_read_is_told_and_what_comes_after_it_too(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        _, cursor = await there.watch(never, pb.WatchRequest())
        await append(there, pack_entries([b"\xc1nothing"]))
        await append(there, b"no group")
        async with there.owner("GD/1") as north:
            await do(north, "later", PAYMENT, WEI)
        events, _ = await there.watch(never, pb.WatchRequest(cursor=cursor, kinds=["paid"], accounts=[WEI]))
        assert [kinds(event)[0] for event in events].count("unreadable") == 2
        assert keys(events, WEI) == ["later"]


async def append(there: Country, payload: bytes) -> None:
    """Write a group as an owner with the keys would."""
    number = 0
    while await there.unit.head("GD/0", number + 1) is not None:
        number += 1
    head = await there.unit.head("GD/0", number)
    assert head is not None
    stored = there.ring.stored(payload)
    wanted = Head(head.epoch, head.owner, head.seq + 1, there.ring.current.next_tip(head.tip, stored), False)
    assert await there.unit.swap("GD/0", number, head, wanted, Group(head.seq + 1, stored)) == wanted


async def test_a_journal_that_was_tampered_with_is_told_and_does_not_keep_the_others_back(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        _, cursor = await there.watch(never, pb.WatchRequest())
        head = await there.unit.head("GD/0", 0)
        assert head is not None
        forged = Head(head.epoch, head.owner, head.seq + 1, b"t" * 32, False)
        assert await there.unit.swap("GD/0", 0, head, forged, Group(head.seq + 1, there.ring.stored(b"x"))) == forged
        async with there.owner("GD/1") as north:
            await do(north, "later", PAYMENT, WEI)
        there.feeds.tail("GD/0").ready = False
        request = pb.WatchRequest(cursor=cursor)
        events, _ = await there.watch(lambda found: len(found) >= 2, request)
        assert sorted(event.request_key or kinds(event)[0] for event in events) == ["later", "unreadable"]


def cut(cursor: str) -> str:
    return cursor[:-3]


async def refusal(there: Country, request: pb.WatchRequest, as_whom: str = "operator/li") -> str:
    with pytest.raises(Fault) as told:
        await there.watch(never, request, as_whom)
    return told.value.reason


async def test_bad_input_has_a_reason_each(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        _, cursor = await there.watch(never, pb.WatchRequest())
        another = write_cursor({"GD/0": (0, 0)}, fresh_ring())
        ahead = write_cursor({"GD/0": (999, 0), "GD/1": (0, 0)}, there.ring)
        assert [
            await refusal(there, request)
            for request in (
                pb.WatchRequest(cursor=cut(cursor)),
                pb.WatchRequest(cursor="no cursor, 不"),
                pb.WatchRequest(cursor=another),
                pb.WatchRequest(cursor=ahead),
                pb.WatchRequest(cursor=cursor, from_oldest=True),
                pb.WatchRequest(kinds=["charged", "everything"]),
                pb.WatchRequest(regions=["XX"]),
                pb.WatchRequest(accounts=["a"] * 1_001),
            )
        ] == [
            "CURSOR_MALFORMED",
            "CURSOR_MALFORMED",
            "CURSOR_FOREIGN",
            "CURSOR_FOREIGN",
            "FIELD_WITHOUT_EFFECT",
            "EVENT_KIND_UNKNOWN",
            "DOMAIN_UNKNOWN",
            "LIST_TOO_LONG",
        ]
        assert there.servicer.streams == 0


async def test_a_cursor_from_before_what_is_kept_is_too_old(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        clock = Clock()
        limits = Limits(segment_groups_max=1, snapshot_entries=1, outcomes_keep_ms=1, journal_keep_ms=1)
        async with there.owner(limits=limits, clock=clock) as south:
            for number in range(20):
                clock.ms += 60_000
                await do(south, f"n-{number}", PAYMENT)
                await asyncio.sleep(0.01)
        assert await there.feeds.oldest("GD/0") > 0
        begin = write_cursor({"GD/0": (0, 0), "GD/1": (0, 0)}, there.ring)
        assert await refusal(there, pb.WatchRequest(cursor=begin)) == "CURSOR_TOO_OLD"
        assert keys((await there.watch(never, everything()))[0])[-1] == "n-19"


async def test_only_whom_a_grant_lets_watch_and_in_its_regions(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        assert await refusal(there, pb.WatchRequest(), "frontend/hooks") == "COMMAND_NOT_GRANTED"
        elsewhere = Grant("frontend/hooks", ("watch",), domains=("BJ",))
        await there.directory.amend([GrantSet("hooks", elsewhere)], "grant-1", "test")
        assert await refusal(there, pb.WatchRequest(regions=["GD"]), "frontend/hooks") == "REGION_NOT_GRANTED"
        here = Grant("frontend/hooks", ("watch",), domains=("GD",))
        await there.directory.amend([GrantSet("hooks", here)], "grant-2", "test")
        events, _ = await there.watch(never, everything(), "frontend/hooks")
        assert keys(events) == SOUTH


async def test_a_grant_that_is_taken_back_ends_the_stream_and_a_drain_too(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        here = Grant("frontend/hooks", ("watch",), domains=("GD",))
        await there.directory.amend([GrantSet("hooks", here)], "grant", "test")
        admit(Principal("frontend/hooks", "frontend"))
        stream = there.servicer.Watch(pb.WatchRequest(), None)
        await anext(stream)
        elsewhere = Grant("frontend/hooks", ("watch",), domains=("BJ",))
        await there.directory.amend([GrantSet("hooks", elsewhere)], "back", "test")
        with pytest.raises(Fault) as told:
            async for _ in stream:
                pass
        assert told.value.reason in ("REGION_NOT_GRANTED", "COMMAND_NOT_GRANTED")
        watching = asyncio.create_task(refusal(there, pb.WatchRequest(regions=["GD"]), "operator/li"))
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(watching), 0.1)
        there.servicer.stop()
        assert await watching == "DRAINING"
        await there.servicer.idle.wait()


async def test_a_watcher_that_does_not_read_makes_nothing_grow_and_one_too_many_is_refused(tmp_path: Path) -> None:
    async with country(tmp_path, Pace(0.002, 0.02, 2_000)) as there:
        admit(Principal("operator/li", "operator"))
        streams = [there.servicer.Watch(pb.WatchRequest(events_max=1), None) for _ in range(3)]
        for stream in streams:
            await anext(stream)
        assert await refusal(there, pb.WatchRequest()) == "STREAMS_TOO_MANY"
        async with there.owner() as south:
            for number in range(60):
                await do(south, f"n-{number}", PAYMENT)
        tail = there.feeds.tail("GD/0")
        assert tail.next_seq - tail.first_seq < 60
        for stream in streams:
            found = [event.request_key async for batch in taken(stream, 60) for event in batch.events]
            assert found == [f"n-{number}" for number in range(60)]
            await stream.aclose()
        assert not tail.watched


async def taken(stream: AsyncIterator[pb.WatchResponse], count: int) -> AsyncIterator[pb.WatchResponse]:
    async with asyncio.timeout(20):
        async for batch in stream:
            yield batch
            count -= len(batch.events)
            if count <= 0:
                return


async def test_sessions_that_the_network_is_to_ask_for_anew_are_named_with_their_units(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        async with there.owner() as slot:
            paid = await do(slot, "pay", PAYMENT)
            assert isinstance(paid, Done)
            step = session_step(0, 0, 2, 9_000_000_000_000, paid.version)
            (unit,) = step.units
            keyed = replace(step, session_id="pdu", units=(replace(unit, numbers="#10/0"),))
            await do(slot, "pdu", keyed)
            await do(slot, "stop", SetStatus("suspended", "lost"))
        wanted = pb.WatchRequest(from_oldest=True, kinds=["reauthorise"])
        (event,), _ = await there.watch(lambda events: bool(events), wanted)
        assert (event.request_key, event.account_id) == ("stop", ALICE)
        (fact,) = [fact for fact in event.facts if fact.kind == "reauthorise" and fact.name == "pdu"]
        assert fact.identity == ALICE
        (named,) = fact.units
        assert (named.service_code, named.rating_group, named.service_identifier) == ("data", 10, 0)
        assert named.HasField("service_identifier")


async def test_tariffs_that_are_published_are_one_event_for_those_who_watch_the_region(tmp_path: Path) -> None:
    async with country(tmp_path) as there:
        _, cursor = await there.watch(never, everything())
        content = pack_catalogue(from_plain({"catalogue": "t", "version": "1"}))
        for domain, version_number in (("", 1), ("BJ", 1), ("GD", 1), ("", 2)):
            change = CatalogueVersion(domain, version_number, 77, content)
            await there.directory.amend([change], f"publish-{domain}-{version_number}", "test")
        south = pb.WatchRequest(cursor=cursor, regions=["GD"], kinds=["tariffs_changed"], events_max=2)
        events, later = await there.watch(lambda events: len(events) >= 2, south)
        assert [(event.region, event.facts[0].name, event.effective_from_ms) for event in events] == [
            ("", "1", 77),
            ("GD", "1", 77),
        ]
        assert len({event.position for event in events}) == 2
        rest = pb.WatchRequest(cursor=later, regions=["GD"], accounts=["GD/0:nobody"])
        events, _ = await there.watch(never, rest)
        assert [(event.region, event.facts[0].name) for event in events] == [("", "2")], "of no account, so of all"
        only = pb.WatchRequest(from_oldest=True, kinds=["paid"])
        events, _ = await there.watch(never, only)
        assert not [event for event in events if "tariffs_changed" in kinds(event)]
