"""Accounts in memory: whatever is heated, cooled or let go, the newest state is in memory or in its snapshot."""

from random import Random

import pytest

from domainservers.accounts.accounts import PACKED_MIN, Accounts, CellState, saved, unpack_account
from storage.unit import Stored
from testkit.ledger import an_account

NAMES = [f"account-{number}" for number in range(400)]
HOT_MAX = 20
RINGS_MAX = 2 * len(NAMES)


class Owner:
    """Changes accounts as a slot does: each entry belongs to a group, snapshots are durable some time after."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.accounts = Accounts("GD/0", HOT_MAX, PACKED_MIN)
        self.snapshots: dict[str, Stored] = {}
        self.versions = dict.fromkeys(NAMES, 0)
        self.group = 0
        self.captured: list[CellState] = []

    def enter(self, name: str) -> None:
        """One entry: the state in memory, or read from the snapshot, is the newest; it moves on or stays."""
        cell = self.accounts.cells.get(name) or self.accounts.take(name, self.snapshots.get(name))
        state = self.accounts.state(cell)
        assert (state.version if state is not None else 0) == self.versions[name], name
        if self.random.random() < 0.2 and state is not None:
            self.accounts.touch(cell, self.group)
        elif self.random.random() < 0.7:
            self.versions[name] += 1
            self.accounts.change(cell, an_account(name, self.versions[name], "GD"), self.group)

    def capture(self) -> None:
        """Begin a round, unless one is under way."""
        if not self.captured:
            self.captured = self.accounts.capture(0)
        self.group += 1

    def write(self) -> None:
        """Write some of a round's states down."""
        some, self.captured = self.captured[:50], self.captured[50:]
        for each in some:
            record = self.accounts.record(each)
            assert record.value is not None
            self.snapshots[record.key] = Stored(record.key, record.value, record.timestamp)
        saved(some)


@pytest.mark.parametrize("seed", range(8))
def test_no_state_is_lost_between_the_rings(seed: int) -> None:
    owner = Owner(seed)
    for step in range(20_000):
        # Mostly some few, so that cells cool and heat many times; now and then all of the others.
        few = owner.random.random() < 0.7
        owner.enter(owner.random.choice(NAMES[:60] if few else NAMES))
        if step % 40 == 0:
            owner.capture()
        if step % 7 == 0:
            owner.write()
    accounts = owner.accounts
    assert len(accounts._hot) + len(accounts._packed) <= RINGS_MAX
    while owner.captured or accounts.changed:
        owner.capture()
        owner.write()
    assert {name: unpack_account(stored.value).version for name, stored in owner.snapshots.items()} == {
        name: version for name, version in owner.versions.items() if version
    }


def test_a_cell_is_let_go_only_when_its_snapshot_is_durable() -> None:
    owner = Owner(1)
    for name in NAMES:
        owner.versions[name] = 1
        owner.accounts.change(owner.accounts.take(name, None), an_account(name, 1, "GD"), owner.group)
    assert len(owner.accounts.cells) == len(NAMES)
    owner.capture()
    while owner.captured:
        owner.write()
    for name in reversed(NAMES):
        owner.enter(name)
    assert len(owner.accounts.cells) < len(NAMES)
