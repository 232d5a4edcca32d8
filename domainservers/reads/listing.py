"""The accounts of a slot, partition by partition: in their snapshots, in memory, or in both."""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from charging.base.account import Account
from domainservers.accounts.accounts import COLLECTION, Accounts, partitions
from domainservers.base.fetcher import bucket_of
from storage.unit import Unit

PARTITIONS_AT_ONCE = 16
"""Read together, of a slot with few accounts."""
SMALL_ACCOUNTS = 2_000
"""Of partitions that were read together: with more, no larger number of them is in memory at once."""
BREATH_CELLS = 2_000
"""Other work of the process has its turn after so many accounts that were listed."""


class Partition(NamedTuple):
    """Accounts that are listed together."""

    account_ids: Sequence[str]
    """In order."""
    states: Mapping[str, Account | bytes]
    """By account, as of when it was listed."""

    def behind(self, account_id: str) -> Sequence[str]:
        """Give the accounts behind one; "" = all."""
        return self.account_ids[bisect_right(self.account_ids, account_id) :]


NOTHING_LEFT = "", -1, Partition((), {})


class AccountListing:
    """Of one slot."""

    def __init__(self, slot: str, unit: Unit, accounts: Accounts) -> None:
        self._slot = slot
        self._unit = unit
        self._accounts = accounts
        self._listed: tuple[str, list[list[str]]] = "", []
        """A list of accounts, and who of them is in memory, by partition."""
        self._left: tuple[str, int, Partition] = NOTHING_LEFT
        """A list, and the partition in which its newest page ended: large ones are read once, not once a page."""

    def leave(self, name: str, bucket: int, partition: Partition) -> None:
        """Keep a partition for the page that goes on in it: what it says may be a little old by then."""
        self._left = name, bucket, partition

    async def partitions(self, name: str, first: int, after: str) -> AsyncIterator[tuple[int, Partition]]:
        """Give partitions of a list from one on, each with its number; `after` is the last account of the page before.

        While they are small more and more of them are read at once: of a slot with few accounts all would else be
        waited for, one by one. The first one of a page is what the page before left of it, if that is still here.
        """
        many = len(partitions(self._slot))
        in_memory = await self._in_memory(name, many, first_page=not after)
        bucket, at_once = first, 1
        left, self._left = self._left, NOTHING_LEFT
        if after and left[:2] == (name, first):
            yield first, left[2]
            bucket += 1
        while bucket < many:
            some = range(bucket, min(bucket + at_once, many))
            read = await asyncio.gather(*[self._partition(each, in_memory[each]) for each in some])
            for number, partition in zip(some, read, strict=True):
                yield number, partition
            bucket = some.stop
            small = sum([len(each.account_ids) for each in read]) <= SMALL_ACCOUNTS
            at_once = min(at_once * 2, PARTITIONS_AT_ONCE) if small else max(1, at_once // 2)

    async def _partition(self, bucket: int, in_memory: Sequence[str]) -> Partition:
        """Read a partition's snapshots, and look at what is newer in memory."""
        states: dict[str, Account | bytes] = {}
        async for page in self._unit.scan(COLLECTION, partitions(self._slot)[bucket]):
            states.update((stored.key, stored.value) for stored in page)
            await asyncio.sleep(0)
        for account_id in in_memory:
            cell = self._accounts.cells.get(account_id)
            if cell is not None and cell.state is not None:
                states[account_id] = cell.state
        return Partition(sorted(states), states)

    def newest(self, account_id: str, partition: Partition) -> Account | bytes | None:
        """Give the state of an account, the newest there is: it may have changed since it was listed."""
        cell = self._accounts.cells.get(account_id)
        return cell.state if cell is not None and cell.state is not None else partition.states.get(account_id)

    async def _in_memory(self, name: str, many: int, *, first_page: bool) -> list[list[str]]:
        """Give which accounts are in memory, by partition, as of the list's first page: who came since is either among
        the snapshots, or in no period that is over, and else found by the next pass.
        """
        if first_page or self._listed[0] != name:
            found: list[list[str]] = [[] for _ in range(many)]
            for index, account_id in enumerate(list(self._accounts.cells)):
                found[bucket_of(account_id, many)].append(account_id)
                if index % BREATH_CELLS == 0:
                    await asyncio.sleep(0)
            self._listed = name, found
        return self._listed[1]
