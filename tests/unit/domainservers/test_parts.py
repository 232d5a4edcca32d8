"""The small parts of a slot: key index, fair lanes, accounts in memory, assignment."""

import asyncio
from random import Random

import pytest

from charging.base.account import Account, Session
from charging.base.outgoing import Outgoing
from directory.members import Member
from domainservers.accounts.accounts import Accounts, partition_of, saved
from domainservers.accounts.watch import AccountWatch
from domainservers.desk.lanes import Lanes
from domainservers.journal.keys import RECENT_KEYS_MAX, KeyIndex, fingerprint
from domainservers.ownership.assignment import assign
from storage.unit import Stored
from testkit.ledger import an_account, changed


async def test_keys_are_found_in_the_dict_in_the_arrays_and_after_a_restart() -> None:
    index = KeyIndex()
    marks = [fingerprint("account", f"key-{number}") for number in range(3 * RECENT_KEYS_MAX)]
    for position, mark in enumerate(marks):
        index.add(mark, position)
        index.tidy()
    packed = index.take_unsaved()
    assert index.take_unsaved() == []
    restarted = KeyIndex()
    await restarted.load(packed)
    for each in (index, restarted):
        assert len(each) == len(marks)
        assert [each.find(mark) for mark in marks[::997]] == list(range(0, len(marks), 997))
        assert each.find(fingerprint("account", "other")) == -1
        assert each.find(fingerprint("accoun", "tkey-1")) == -1


async def test_old_keys_are_forgotten_by_group() -> None:
    index = KeyIndex()
    for seq in range(10):
        index.add(1_000 + seq, seq * 4_096)
    restarted = KeyIndex()
    await restarted.load(index.take_unsaved())
    generation = restarted.generation
    await restarted.settle(5)
    assert restarted.generation > generation
    assert [restarted.find(1_000 + seq) >= 0 for seq in range(10)] == [False] * 5 + [True] * 5


async def test_keys_added_while_a_thread_merges_the_old_ones_are_found_and_so_are_those() -> None:
    index = KeyIndex()
    marks = [fingerprint("account", f"key-{number}") for number in range(40 * RECENT_KEYS_MAX)]

    def add(numbers: range) -> None:
        for number in numbers:
            index.add(marks[number], number)
            index.tidy()

    add(range(24 * RECENT_KEYS_MAX))
    settling = asyncio.create_task(index.settle())
    await asyncio.sleep(0)
    add(range(24 * RECENT_KEYS_MAX, 40 * RECENT_KEYS_MAX))
    await settling
    assert len(index._levels) == 3
    assert len(index) == len(marks)
    some = range(0, len(marks), 1_009)
    assert index.find_old([marks[number] for number in some]) == list(some)
    await index.settle()
    assert len(index._levels) == 1
    assert index.find_old([marks[number] for number in some]) == list(some)


def test_a_hot_account_delays_others_by_one_turn_only() -> None:
    lanes: Lanes[str] = Lanes(1_000, 500)
    for number in range(400):
        assert lanes.push("hot", f"hot-{number}")
    lanes.push("cool", "cool-0")
    lanes.push("cold", "cold-0")
    order = [lanes.pop() for _ in range(4)]
    assert order == [("hot", "hot-0"), ("cool", "cool-0"), ("cold", "cold-0"), ("hot", "hot-1")]


def test_lanes_are_bounded_by_slot_and_by_account() -> None:
    lanes: Lanes[int] = Lanes(10, 6)
    assert [lanes.push("a", number) for number in range(7)] == [True] * 6 + [False]
    assert [lanes.push("b", number) for number in range(5)] == [True] * 4 + [False]
    assert lanes.size == 10


def test_a_blocked_lane_keeps_its_order_and_takes_no_turn() -> None:
    lanes: Lanes[int] = Lanes(10, 10)
    lanes.push("a", 2)
    lanes.block("a", 1)
    lanes.push("b", 9)
    assert lanes.pop() == ("b", 9)
    assert lanes.pop() is None
    lanes.unblock("a")
    assert [lanes.pop(), lanes.pop(), lanes.pop()] == [("a", 1), ("a", 2), None]
    assert lanes.size == 0


def test_a_lane_that_was_made_anew_does_not_wait_with_the_item_of_the_one_before() -> None:
    lanes: Lanes[str] = Lanes(10, 10)
    lanes.block("a", "old")
    assert lanes.first("a", "old")
    assert lanes.drop_lane("a") == ["old"]
    lanes.push("a", "new")
    lanes.block("a")
    assert not lanes.first("a", "old"), "whoever reads for the old one must not answer the new one"
    assert lanes.first("a", "new")


def test_lanes_lose_and_double_nothing() -> None:
    random = Random(3)
    lanes: Lanes[tuple[str, int]] = Lanes(10_000, 10_000)
    sent = dict.fromkeys("abcde", 0)
    got = dict(sent)
    for _ in range(5_000):
        name = random.choice("abcde")
        if random.random() < 0.5:
            lanes.push(name, (name, sent[name]))
            sent[name] += 1
        elif random.random() < 0.2:
            lanes.block(name)
        elif random.random() < 0.4:
            lanes.unblock(name)
        elif (turn := lanes.pop()) is not None:
            assert turn[1] == (turn[0], got[turn[0]])
            got[turn[0]] += 1
    for name in "abcde":
        lanes.unblock(name)
    while (turn := lanes.pop()) is not None:
        assert turn[1] == (turn[0], got[turn[0]])
        got[turn[0]] += 1
    assert got == sent


def test_cold_accounts_are_packed_and_clean_ones_leave_memory() -> None:
    accounts = Accounts("GD/0", 2, 70)
    for number in range(200):
        cell = accounts.take(f"a{number}", None)
        accounts.change(cell, an_account(f"a{number}", 1, "GD"), number)
    assert len(accounts.cells) == 200, "what is not written down stays"
    assert sum(type(cell.state) is Account for cell in accounts.cells.values()) <= 2
    for state in accounts.capture(0):
        record = accounts.record(state)
        assert record.partition == partition_of("GD/0")(record.key)
        saved([state])
    for number in range(200, 400):
        accounts.take(f"a{number}", Stored(f"a{number}", b"", 1))
    assert len(accounts.cells) <= 75
    kept = next(iter(accounts.cells.values()))
    assert kept is accounts.take(kept.account_id, None)


def test_slots_spread_evenly_and_few_move_when_a_member_joins() -> None:
    slots = [f"D{number}/0" for number in range(31)]
    two = {name: Member(name, 1) for name in ("one", "two")}
    three = two | {"three": Member("three", 1)}
    before, after = assign(slots, two), assign(slots, three)
    assert sorted(list(before.values()).count(name) for name in two) == [15, 16]
    assert sorted(list(after.values()).count(name) for name in three) == [10, 10, 11]
    assert sum(before[slot] != after[slot] for slot in slots) <= 20


@pytest.mark.parametrize(("slots", "members"), [(4, 3), (4, 4), (3, 4), (5, 3), (31, 7), (12, 5), (1, 1)])
def test_whoever_joins_gets_a_share_whatever_the_names(slots: int, members: int) -> None:
    names = [f"GD/{number}" for number in range(slots)]
    fair = sorted(slots // members + (number < slots % members) for number in range(members))
    for start in range(50):
        servers = [f"server-{number}-{start}" for number in range(members)]
        found = assign(names, {name: Member(name, 1) for name in servers})
        assert sorted(list(found.values()).count(name) for name in servers) == fair


def test_what_some_may_not_serve_is_shared_by_the_others() -> None:
    slots = [f"D{number}/0" for number in range(31)]
    members = {name: Member(name, 1) for name in ("one", "two")} | {"d0": Member("d0", 1, domains=("D0",))}
    found = list(assign(slots, members).values())
    assert sorted(found.count(name) for name in members) in ([1, 15, 15], [0, 15, 16])


def test_only_willing_members_get_slots_of_their_domains() -> None:
    members = {"all": Member("a", 1, draining=True), "gd": Member("b", 1, domains=("GD",))}
    assert assign(["GD/0", "BJ/0"], members) == {"GD/0": "gd"}


def test_an_account_that_moved_out_is_not_looked_after_any_more() -> None:
    watch = AccountWatch()
    session = Session("s", "msisdn:1", 0, 1_000, ())
    row = Outgoing("send", "main", "msisdn:2", "main", 5)
    here = an_account("a", 3, "GD", sessions=(session,), outgoing=(row,))
    watch.look(here, None)
    assert (watch.due(999, 9), list(watch.watched), list(watch.outgoing)) == ([], ["a"], [("a", "send")])
    watch.look(changed(here, version=4, status="moved"), here)
    assert (watch.due(1_000, 9), watch.watched, watch.outgoing) == ([], {}, {})
