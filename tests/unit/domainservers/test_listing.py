"""Accounts of a slot are listed by partitions: small ones are read together, a large one once for all its pages."""

from collections.abc import AsyncIterator, Sequence
from itertools import count, islice

import pytest

from charging.wire import DueAccounts, FetchDue
from domainservers.accounts.accounts import BUCKETS, COLLECTION
from domainservers.base.fetcher import bucket_of
from domainservers.base.limits import Limits
from domainservers.reads import listing
from domainservers.reads.listing import PARTITIONS_AT_ONCE
from domainservers.slot.slot import Slot
from storage.memory.unit import MemoryStore
from storage.unit import Stored
from tests.unit.domainservers.room import Clock, FlakyUnit, ask, own
from tests.unit.domainservers.test_closing import JANUARY, PEOPLE, a_month, closing, due, reason

FEW = Limits(hot_accounts_max=1, packed_accounts_max=1)
NUMBERS = (f"msisdn:8613800{number:06d}" for number in count())
TOGETHER = list(islice((who for who in NUMBERS if bucket_of(who, BUCKETS) == 3), 5))
"""Of one partition."""
MANY = [next(who for who in NUMBERS if bucket_of(who, BUCKETS) == bucket) for bucket in range(BUCKETS)]
"""One of each partition."""


class CountingUnit(FlakyUnit):
    """Remembers which partitions of accounts were read, and how many at once."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.scanned: list[str] = []
        self.most = self._now = 0

    async def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        """Read one."""
        if collection == COLLECTION:
            self.scanned.append(partition)
        self._now += 1
        self.most = max(self.most, self._now)
        async for page in super().scan(collection, partition):
            yield page
        self._now -= 1


async def _after_a_month(people: list[str], clock: Clock) -> tuple[Slot, CountingUnit]:
    """Own a slot whose accounts are in their snapshots alone."""
    store = MemoryStore()
    slot = await own(FlakyUnit(store), clock=clock)
    await a_month(slot, clock, people)
    await slot.close()
    unit = CountingUnit(store)
    slot = await own(unit, FEW, clock)
    unit.scanned.clear()
    unit.most = 0
    return slot, unit


async def test_small_partitions_are_read_together_and_each_of_them_once() -> None:
    slot, unit = await _after_a_month(PEOPLE, Clock())
    assert sorted(each.account_id for each in (await due(slot)).accounts) == PEOPLE
    assert len(unit.scanned) == len(set(unit.scanned)) == BUCKETS
    assert 1 < unit.most <= PARTITIONS_AT_ONCE
    await slot.close()


async def test_large_partitions_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SMALL_ACCOUNTS", 0)
    slot, unit = await _after_a_month(MANY, Clock())
    assert sorted(each.account_id for each in (await due(slot)).accounts) == sorted(MANY)
    assert len(unit.scanned) == len(set(unit.scanned)) == BUCKETS
    assert unit.most == 1
    await slot.close()


async def test_a_page_that_ends_in_a_partition_goes_on_in_what_was_read_of_it() -> None:
    slot, unit = await _after_a_month(TOGETHER, Clock())
    first = await due(slot, 2)
    second = await due(slot, 2, first.next)
    rest = await due(slot, 2, second.next)
    told = [each.account_id for page in (first, second, rest) for each in page.accounts]
    assert (told, rest.next) == (TOGETHER, "")
    assert unit.scanned.count("GD/0/03") == 1
    await slot.close()


async def test_who_is_closed_between_two_pages_may_be_told_once_more_but_in_no_new_list() -> None:
    slot, _ = await _after_a_month(TOGETHER, Clock())
    last = (await due(slot)).accounts[-1]
    first = await due(slot, 2)
    await ask(slot, closing(last))
    rest = [each.account_id for each in (await due(slot, 9, first.next)).accounts]
    assert rest[:2] == TOGETHER[2:4]
    (again,) = await ask(slot, closing(last, "again"))
    assert reason(again) == "BILL_PERIOD_CLOSED"
    assert [each.account_id for each in (await due(slot)).accounts] == TOGETHER[:4]
    await slot.close()


async def test_a_backup_reads_each_page_anew() -> None:
    slot, unit = await _after_a_month(TOGETHER, Clock())
    told: list[str] = []
    after = ""
    while after or not told:
        (page,) = await ask(slot, FetchDue("GD/0", JANUARY, 1, 2, after, every=True))
        assert isinstance(page, DueAccounts)
        told += [each.account_id for each in page.accounts]
        after = page.next
    assert told == TOGETHER
    assert unit.scanned.count("GD/0/03") == 3
    await slot.close()
