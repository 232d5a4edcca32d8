"""A journal as people read it: every entry, verified, from where they ask on, and beside it what can't be read."""

import pytest
from msgspec.structs import replace

from audit.journals import JournalRef
from audit.reading import GroupRead, read_journal
from console.operations.journal import told
from domainservers.journal.framing import SetAside
from evidence.keys import ring_of
from evidence.seals import Tampered
from tests.unit.audit.sound import NAMES, ref
from tests.unit.domainservers.room import ALICE


async def groups(journal: JournalRef, since: int | None = 0) -> list[GroupRead]:
    return [group async for group in read_journal(journal, since)]


async def test_all_groups_are_read_from_the_first_or_from_the_one_that_is_asked_for(url: str) -> None:
    everything = await groups(ref(url, NAMES[0]))
    seqs = [group.seq for group in everything]
    assert len(seqs) > 3
    assert seqs == list(range(len(seqs)))
    assert [group.seq for group in await groups(ref(url, NAMES[0]), 2)] == seqs[2:]
    kinds = {entry.kind for group in everything for _, entry in group.entries}
    assert {"open", "c", "session", "send"} <= kinds


async def test_a_slot_that_was_given_up_in_order_has_nothing_after_its_checkpoint(url: str) -> None:
    assert await groups(ref(url, NAMES[0]), None) == []


async def test_what_another_key_chained_is_not_shown(url: str) -> None:
    with pytest.raises(Tampered, match="not in the key file"):
        await groups(replace(ref(url, NAMES[0]), ring=ring_of([bytes(32)])))


async def test_an_entry_is_a_line_without_the_whole_number_and_its_events_are_told_when_asked_for(url: str) -> None:
    (first, *_) = await groups(ref(url, NAMES[0]))
    plain = "\n".join(told(first, events=False))
    assert f"group 0 in segment 0: {len(first.entries)} entries" in plain
    assert "open Opened+ContractSet" in plain
    assert ALICE not in plain.replace(first.entries[0][1].key, "")
    assert '["opened",' in "\n".join(told(first, events=True))


async def test_what_can_not_be_read_is_told_beside_the_rest(url: str) -> None:
    (first, *_) = await groups(ref(url, NAMES[0]))
    damaged = replace(first, unreadable=(SetAside(7, 9, ALICE, "cut off"),))
    assert list(told(damaged, events=False))[-1] == "     7 can't be read: cut off"
