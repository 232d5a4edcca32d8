"""Clocks that leap: time goes on at its pace, and who is alone with its time owns nothing."""

import asyncio

import pytest

from charging.wire import Done
from directory.members import Member
from domainservers.base.clock import LEAP_MS_MIN, SteadyClock, SystemClock
from domainservers.ownership.clockwatch import ClockWatch
from runtime.telemetry import Metrics
from tests.unit.domainservers.room import NOW_MS, Clock, charge, commit, until
from tests.unit.domainservers.test_ownership import Country, open_everywhere

DAY_MS = 86_400_000


def peer(time_ms: int, *, draining: bool = False) -> Member:
    return Member("peer:1", 1, (), draining, time_ms)


def test_a_steady_clock_follows_small_steps_and_not_large_ones() -> None:
    machine = Clock()
    clock = SteadyClock(machine)
    machine.ms += 1_000
    machine.ahead_ms = LEAP_MS_MIN - 1
    assert (clock.now_ms(), clock.leapt_ms) == (NOW_MS + 1_000 + LEAP_MS_MIN - 1, 0)
    machine.ahead_ms += 2 * DAY_MS
    machine.ms += 500
    assert (clock.now_ms(), clock.leapt_ms) == (NOW_MS + 1_500 + LEAP_MS_MIN - 1, 2 * DAY_MS)
    machine.ahead_ms -= 2 * DAY_MS
    assert (clock.now_ms(), clock.leapt_ms) == (NOW_MS + 1_500 + LEAP_MS_MIN - 1, 0)
    machine.ahead_ms -= DAY_MS
    clock.now_ms()
    clock.accept()
    assert clock.now_ms() == machine.now_ms()


def test_the_machines_steady_time_never_goes_back() -> None:
    clock = SystemClock()
    times = [clock.steady_ms() for _ in range(1_000)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("ahead_ms", "peers", "owns", "believed"),
    [
        (2 * DAY_MS, [], True, True),
        (2 * DAY_MS, [0], True, False),
        (-2 * DAY_MS, [0, 0], True, False),
        (2 * DAY_MS, [2 * DAY_MS], True, True),
        (2 * DAY_MS, [2 * DAY_MS, 2 * DAY_MS, 0], True, True),
        (0, [600_000], False, True),
        (0, [2 * DAY_MS], False, False),
        (0, [2 * DAY_MS], True, True),
        (0, [2 * DAY_MS, 2 * DAY_MS], True, False),
        (0, [2 * DAY_MS, 0], True, True),
        (0, [2 * DAY_MS, 9 * DAY_MS], True, True),
    ],
)
def test_whose_clock_is_wrong_is_found_among_peers(ahead_ms: int, peers: list[int], owns: bool, believed: bool) -> None:
    machine = Clock()
    watch = ClockWatch(SteadyClock(machine), Metrics("test"))
    machine.ahead_ms = ahead_ms
    others = [*(peer(NOW_MS + off) for off in peers), peer(NOW_MS + 77 * DAY_MS, draining=True), peer(0)]
    assert watch.look(others, owns=owns) is not believed
    assert bool(watch.why) is not believed


async def test_a_server_whose_clock_leaps_gives_its_slots_to_the_others_and_comes_back() -> None:
    country = Country()
    await country.join("one")
    await country.join("two")
    await country.settled()
    people = await open_everywhere(country)
    country.clocks["one"].ahead_ms = 2 * DAY_MS
    await until(lambda: country.owned() == {"one": [], "two": sorted(people)})
    for slot, person in people.items():
        assert isinstance(await country.persist(slot, commit("k", charge(1, person), person)), Done)
    newest = [owned.slot.parts.around.newest_ms for owned in country.servers["two"][0].owned.values()]
    assert max(newest) == NOW_MS, "the leap is in the journal"
    country.clocks["one"].ahead_ms = 0
    await country.settled()
    await country.close()


async def test_a_server_that_begins_with_a_wrong_clock_owns_nothing() -> None:
    country = Country()
    await country.join("one")
    country.wrong["two"] = 2 * DAY_MS
    await country.join("two")
    await asyncio.sleep(0.2)
    assert country.owned()["two"] == []
    assert len(country.owned()["one"]) == 4
    await country.close()
