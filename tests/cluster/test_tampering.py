"""The matrix of manipulations: whatever is done to a country's files without its keys is told, with slot and place.

And what is told of a slot is not taken over, until its units are restored or somebody accepts the loss on record.
"""

import asyncio
import re
import sqlite3
from contextlib import closing
from hashlib import blake2b

import pytest
from typer.testing import CliRunner

from audit.national import Sources, audit_country
from console.operations import losses
from evidence.keyfile import add_key
from runtime.settings import BadSettings
from storage.unit import StoreRejected
from tests.cluster.manipulations import (
    MATRIX,
    Built,
    Manipulation,
    changed,
    checkpoint_set_back,
    control_log_cut,
    file_replaced_by_an_older_copy,
    gone,
    key_replaced,
    last_entry_of_the_control_log_changed_and_rechained,
    last_groups_removed_and_head_set_back,
    newest_segment_dropped,
    owner_record_from_nowhere,
    slot_and_owner_record_wiped,
    slot_wiped,
    slot_wiped_and_forgotten_by_the_second_party,
    slot_wiped_with_all_anchors,
    unit_deleted,
)
from tests.cluster.tampered_country import ALICE, OTHER, SLOT, Place, live, restore, taken_over

SERVED = {SLOT, OTHER}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("tampering"))


@pytest.fixture
def country(built: Built) -> Built:
    restore(built.place, built.sound)
    return built


def test_a_country_that_nobody_touched_has_no_finding_and_no_byte_of_it_changes(country: Built) -> None:
    before = fingerprints(country.place)
    found = country.place.audit()
    assert (found.sentences, found.notes) == ([], [])
    assert {slot.name: (slot.entries, slot.snapshots > 0) for slot in found.slots} == {
        SLOT: (21, True),
        OTHER: (21, True),
    }
    assert fingerprints(country.place) == before


def fingerprints(place: Place) -> dict[str, str]:
    return {
        path.name: blake2b(path.read_bytes()).hexdigest()
        for path in sorted(place.folder.iterdir())
        if path.suffix == ".db"
    }


@pytest.mark.parametrize(("manipulate", "sentence"), MATRIX, ids=lambda each: getattr(each, "__name__", None))
def test_a_manipulation_is_told_with_slot_and_place(country: Built, manipulate: Manipulation, sentence: str) -> None:
    manipulate(country)
    found = country.place.audit().sentences
    assert any(re.search(sentence, text) for text in found), found


@pytest.mark.parametrize(
    "manipulate",
    [
        last_groups_removed_and_head_set_back,
        newest_segment_dropped,
        slot_wiped,
        slot_and_owner_record_wiped,
        slot_wiped_and_forgotten_by_the_second_party,
        slot_wiped_with_all_anchors,
        gone("gd", "checkpoint", "newest"),
        checkpoint_set_back,
        changed("gd", "checkpoint", "newest"),
        gone("gd", "keys", "%"),
        changed("gd", "keys", "%"),
        gone("gd", "checkpoint", "delta/%"),
        changed("gd", "checkpoint", "delta/%"),
        owner_record_from_nowhere,
        file_replaced_by_an_older_copy,
        unit_deleted,
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_slot_that_falls_short_of_what_is_known_is_not_taken_over(country: Built, manipulate: Manipulation) -> None:
    manipulate(country)
    assert asyncio.run(taken_over(country.place)) == {OTHER}


@pytest.mark.parametrize(
    "manipulate", [last_entry_of_the_control_log_changed_and_rechained, control_log_cut, key_replaced]
)
def test_nobody_starts_on_a_control_log_that_does_not_hold(country: Built, manipulate: Manipulation) -> None:
    manipulate(country)
    with pytest.raises(BadSettings, match=r"the control log is damaged near|its key \w+ is not in the key file"):
        asyncio.run(taken_over(country.place))


def accept(place: Place, slot: str) -> str:
    result = CliRunner().invoke(
        losses.app, [slot, "--actor", "chief", "--reason", "the disk is gone", "--directory", place.directory]
    )
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("manipulate", [slot_wiped, file_replaced_by_an_older_copy])
def test_a_loss_that_somebody_accepts_lets_the_slot_go_on_and_stays_on_record(
    country: Built, manipulate: Manipulation
) -> None:
    manipulate(country)
    if manipulate is slot_wiped:
        # What only the journal had is gone, its contracts too.
        for collection in ("contract", "order"):
            country.place.run(
                "shared", "DELETE FROM record WHERE collection = ? AND key LIKE ?", collection, f"{ALICE}%"
            )
    assert "are lost, accepted by chief: the disk is gone" in accept(country.place, SLOT)
    asyncio.run(live(country.place, 0 if manipulate is slot_wiped else 2, (SLOT,)))
    found = country.place.audit()
    assert found.sentences == []
    assert len(found.notes) == 1
    assert re.search(r"GD/0: a loss after group -?\d+ was accepted by chief: the disk is gone", found.notes[0])
    assert "nothing was accepted" in accept(country.place, OTHER)


def test_a_control_log_may_be_accepted_as_cut(country: Built) -> None:
    control_log_cut(country)
    accept(country.place, "directory")
    assert asyncio.run(taken_over(country.place)) == SERVED
    assert len(country.place.audit().notes) == 1


def test_a_server_goes_on_after_keys_were_rotated(country: Built) -> None:
    add_key(country.place.evidence / "chain.keys")
    assert asyncio.run(taken_over(country.place)) == SERVED
    found = country.place.audit()
    assert (found.sentences, found.notes) == ([], [])


def test_an_audit_of_nothing_makes_nothing(country: Built) -> None:
    nowhere = Place(country.place.folder / "typing-error")
    with pytest.raises(StoreRejected, match="There is no unit at"):
        audit_country(Sources(nowhere.directory, country.place.ring, None), "", 1)
    assert not nowhere.folder.exists()


def test_a_write_ahead_log_that_was_cut_is_told(built: Built) -> None:
    """The machine stopped before the log was moved into the file; somebody cuts the log."""
    place = built.place
    restore(place, built.old)
    with closing(sqlite3.connect(place.file("gd"))) as holding:
        # Whoever else has the file open keeps the log from being moved when the server closes.
        holding.execute("SELECT count(*) FROM record").fetchone()
        asyncio.run(live(place, 1))
        log = place.folder / "gd.db-wal"
        whole = log.read_bytes()
        copy = place.file("gd").read_bytes()
    place.file("gd").write_bytes(copy)
    log.write_bytes(whole)
    (place.folder / "gd.db-shm").unlink(missing_ok=True)
    assert place.audit().sentences == []
    log.write_bytes(whole[: len(whole) // 2])
    (place.folder / "gd.db-shm").unlink(missing_ok=True)
    found = place.audit().sentences
    assert any(re.search(r"GD/0: .* anchor \d+ of one knows group \d+", text) for text in found), found
    assert asyncio.run(taken_over(place)) == {OTHER}


async def audited_while_served(place: Place) -> list[list[str]]:
    """Audit again and again while a server writes."""
    living = asyncio.create_task(live(place, 1, rounds=12))
    found: list[list[str]] = []
    while not living.done():
        found.append((await asyncio.to_thread(place.audit)).sentences)
    await living
    return found


def test_an_audit_while_slots_are_served_has_no_finding(built: Built) -> None:
    restore(built.place, built.old)
    found = asyncio.run(audited_while_served(built.place))
    assert found
    assert [one for one in found if one] == []
