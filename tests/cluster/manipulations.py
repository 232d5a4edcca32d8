"""What somebody does to a country's files without its keys, and the sentence that the audit has for it."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from evidence.keyfile import add_key
from tests.cluster.tampered_country import ALICE, SLOT, Place, build_country, by_somebody_else, rechain, rewritten

RECORD = "collection = ? AND (bucket = ? OR bucket LIKE ?)"
OF_SLOT = (SLOT, f"{SLOT}/%")


class Built:
    """The country of this module, sound again for each test."""

    def __init__(self, folder: Path) -> None:
        self.place, self.old, self.sound = build_country(folder)


def group_removed_in_the_middle(built: Built) -> None:
    _, seq, _ = built.place.groups()[7]
    assert built.place.run("gd", "DELETE FROM segment_group WHERE journal = ? AND seq = ?", SLOT, seq)


def last_group_removed(built: Built) -> None:
    place = built.place
    _, seq, _ = place.groups()[-1]
    assert place.run("gd", "DELETE FROM segment_group WHERE journal = ? AND seq = ?", SLOT, seq)


def last_groups_removed_and_head_set_back(built: Built) -> None:
    """The head as it was after the first day, which somebody has kept."""
    place = built.place
    heads = old_rows(built, "gd", "SELECT * FROM segment_head WHERE journal = ?", SLOT)
    newest = max(int(str(row[4])) for row in heads)
    assert place.run("gd", "DELETE FROM segment_group WHERE journal = ? AND seq > ?", SLOT, newest)
    place.run("gd", "DELETE FROM segment_head WHERE journal = ?", SLOT)
    for row in heads:
        place.run("gd", "INSERT INTO segment_head VALUES (?, ?, ?, ?, ?, ?, ?)", *row)


def payload_changed(built: Built) -> None:
    _, seq, stored = built.place.groups()[3]
    changed = stored[:-1] + bytes([stored[-1] ^ 1])
    built.place.run("gd", "UPDATE segment_group SET payload = ? WHERE journal = ? AND seq = ?", changed, SLOT, seq)


def payload_changed_and_rechained(built: Built) -> None:
    groups = built.place.groups()
    rechain(built.place, SLOT, {groups[3][1]: groups[4][2][8:]})


def actor_of_an_adjustment_changed_and_rechained(built: Built) -> None:
    changed = dict(rewritten(built.place, by_somebody_else))
    assert changed
    rechain(built.place, SLOT, changed)


def key_id_changed(built: Built) -> None:
    _, seq, stored = built.place.groups()[3]
    built.place.run(
        "gd", "UPDATE segment_group SET payload = ? WHERE journal = ? AND seq = ?", b"a key id" + stored[8:], SLOT, seq
    )


def two_groups_swapped(built: Built) -> None:
    place = built.place
    (_, first, one), (_, second, other) = place.groups()[2:4]
    place.run("gd", "UPDATE segment_group SET payload = ? WHERE journal = ? AND seq = ?", other, SLOT, first)
    place.run("gd", "UPDATE segment_group SET payload = ? WHERE journal = ? AND seq = ?", one, SLOT, second)


def drop(place: Place, segment: int) -> None:
    assert place.run("gd", "DELETE FROM segment_head WHERE journal = ? AND segment = ?", SLOT, segment)
    place.run("gd", "DELETE FROM segment_group WHERE journal = ? AND segment = ?", SLOT, segment)


def oldest_segment_dropped(built: Built) -> None:
    drop(built.place, 0)


def middle_segment_dropped(built: Built) -> None:
    drop(built.place, 1)


def newest_segment_dropped(built: Built) -> None:
    drop(built.place, max(segment for segment, _, _ in built.place.groups()))


def slot_wiped(built: Built) -> None:
    place = built.place
    for table in ("segment_head", "segment_group"):
        assert place.run("gd", f"DELETE FROM {table} WHERE journal = ?", SLOT)
    for collection in ("account", "checkpoint", "keys"):
        place.run("gd", f"DELETE FROM record WHERE {RECORD}", collection, *OF_SLOT)


def slot_and_owner_record_wiped(built: Built) -> None:
    slot_wiped(built)
    assert built.place.run("directory", "DELETE FROM record WHERE collection = 'owner' AND key = ?", SLOT)


def slot_wiped_and_forgotten_by_the_second_party(built: Built) -> None:
    slot_and_owner_record_wiped(built)
    assert built.place.run("directory", "DELETE FROM record WHERE collection = 'anchor' AND key = ?", SLOT)


def slot_wiped_with_all_anchors(built: Built) -> None:
    slot_wiped_and_forgotten_by_the_second_party(built)
    shutil.rmtree(built.place.evidence / "anchors")
    built.place.run("directory", "DELETE FROM record WHERE collection = 'anchor'")


def record_gone(built: Built, unit: str, collection: str, key: str) -> None:
    assert built.place.run(unit, "DELETE FROM record WHERE collection = ? AND key LIKE ?", collection, key)


def record_changed(built: Built, unit: str, collection: str, key: str) -> None:
    statement = "UPDATE record SET value = value || x'00' WHERE collection = ? AND key LIKE ?"
    assert built.place.run(unit, statement, collection, key)


def checkpoint_set_back(built: Built) -> None:
    query = "SELECT value, stamp FROM record WHERE collection = 'checkpoint' AND bucket = ? AND key = 'newest'"
    ((value, stamp),) = old_rows(built, "gd", query, SLOT)
    update = "UPDATE record SET value = ?, stamp = ? WHERE collection = 'checkpoint' AND bucket = ? AND key = 'newest'"
    assert built.place.run("gd", update, value, stamp, SLOT)


def contract_copied_to_another_number(built: Built) -> None:
    statement = """INSERT INTO record (collection, bucket, key, stamp, value)
    SELECT collection, bucket, 'msisdn:8613800000009', stamp, value FROM record
    WHERE collection = 'contract' AND key = ?"""
    assert built.place.run("shared", statement, ALICE)


def holder_changed(built: Built) -> None:
    statement = "UPDATE segment_head SET owner = 'GD-evil' WHERE journal = ?"
    assert built.place.run("directory", statement, f"holder/{ALICE}")


def holder_deleted(built: Built) -> None:
    assert built.place.run("directory", "DELETE FROM segment_head WHERE journal = ?", f"holder/{ALICE}")


def holder_no_longer_for_good(built: Built) -> None:
    """So that another account may take the number a day later."""
    assert built.place.run("directory", "UPDATE segment_head SET sealed = 0 WHERE journal = ?", f"holder/{ALICE}")


def last_entry_of_the_control_log_changed_and_rechained(built: Built) -> None:
    groups = built.place.groups("directory", "directory")
    changed = groups[-1][2][8:].replace(b"a price", b"a prize")
    assert changed != groups[-1][2][8:]
    rechain(built.place, "directory", {groups[-1][1]: changed})


def control_log_cut(built: Built) -> None:
    """Its head set back to the group before, by somebody who kept that head."""
    place = built.place
    groups = place.groups("directory", "directory")
    tip = b""
    for _, _, stored in groups[:-1]:
        tip = place.ring.current.next_tip(tip, stored)
    seq = groups[-1][1]
    assert place.run("directory", "DELETE FROM segment_group WHERE journal = 'directory' AND seq = ?", seq)
    place.run("directory", "UPDATE segment_head SET head = ?, tip = ? WHERE journal = 'directory'", seq - 1, tip)


def owner_record_from_nowhere(built: Built) -> None:
    query = "SELECT value FROM record WHERE collection = 'owner' AND key = ?"
    ((value,),) = built.place.ask("directory", query, SLOT)
    forged = bytes(value).replace(b"\xa5epoch\x02", b"\xa5epoch\x63")  # type: ignore[arg-type]
    assert forged != value
    built.place.run("directory", "UPDATE record SET value = ? WHERE collection = 'owner' AND key = ?", forged, SLOT)


def file_replaced_by_an_older_copy(built: Built) -> None:
    shutil.copy(built.old / "gd.db", built.place.file("gd"))


def all_files_replaced_by_older_copies(built: Built) -> None:
    for name in ("directory", "shared", "gd", "bj"):
        shutil.copy(built.old / f"{name}.db", built.place.file(name))


def unit_deleted(built: Built) -> None:
    built.place.file("gd").unlink()


def anchor_files(place: Place) -> list[Path]:
    return sorted((place.evidence / "anchors").iterdir())


def anchor_file_cut(built: Built) -> None:
    path = anchor_files(built.place)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))


def anchor_line_changed(built: Built) -> None:
    path = anchor_files(built.place)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    text, _, seal = lines[0].rpartition(b" ")
    line = json.loads(text)
    line["server"] = "two"
    lines[0] = json.dumps(line).encode() + b" " + seal
    path.write_bytes(b"".join(lines))


def anchor_line_left_out(built: Built) -> None:
    path = max(anchor_files(built.place), key=lambda file: file.stat().st_size)
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) > 2, "without a line behind it, the file would be one that ends early"
    del lines[1]
    path.write_bytes(b"".join(lines))


def anchor_files_deleted(built: Built) -> None:
    shutil.rmtree(built.place.evidence / "anchors")


def key_replaced(built: Built) -> None:
    (built.place.evidence / "chain.keys").unlink()
    add_key(built.place.evidence / "chain.keys")


def old_rows(built: Built, unit: str, query: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(built.old / f"{unit}.db")) as file:
        return file.execute(query, values).fetchall()


Manipulation = Callable[[Built], None]


def gone(unit: str, collection: str, key: str) -> Manipulation:
    def manipulate(built: Built) -> None:
        record_gone(built, unit, collection, key)

    manipulate.__name__ = f"{collection}_{key}_deleted"
    return manipulate


def changed(unit: str, collection: str, key: str) -> Manipulation:
    def manipulate(built: Built) -> None:
        record_changed(built, unit, collection, key)

    manipulate.__name__ = f"{collection}_{key}_changed"
    return manipulate


MATRIX: list[tuple[Manipulation, str]] = [
    (group_removed_in_the_middle, r"GD/0: group \d+ of segment \d is missing"),
    (last_group_removed, r"GD/0: segment \d does not add up to its tip at group \d+"),
    (
        last_groups_removed_and_head_set_back,
        r"GD/0: the segment that its checkpoint ends in is missing, and anchor \d+ of one knows group",
    ),
    (payload_changed, r"GD/0: group [34] is not the one that (the checkpoint|anchor \d+ of one) knows"),
    (payload_changed_and_rechained, r"GD/0: (group \d+ is not the one|segment \d does not add up)"),
    (actor_of_an_adjustment_changed_and_rechained, r"GD/0: (group \d+ is not the one|segment \d does not add up)"),
    (key_id_changed, r"GD/0: group 3 of segment 0 is not ours: its key 61206b6579206964 is not in the key file"),
    (two_groups_swapped, r"GD/0: (group \d+ is not the one|segment \d does not add up)"),
    (oldest_segment_dropped, r"GD/0: segment 0 is missing"),
    (
        middle_segment_dropped,
        r"GD/0: segment 1 is missing: it ends in segment 0 at group 4, and anchor \d+ of one knows group",
    ),
    (newest_segment_dropped, r"GD/0: the segment that its checkpoint ends in is missing, and anchor \d+ of one knows"),
    (slot_wiped, r"GD/0: it has no journal, and anchor \d+ of one knows group \d+"),
    (slot_and_owner_record_wiped, r"GD/0: it has no journal, and anchor \d+ of one knows group \d+"),
    (slot_wiped_and_forgotten_by_the_second_party, r"GD/0: the second party has no anchor of it, though files have"),
    (slot_wiped_with_all_anchors, rf"contract of {ALICE}: the shared unit has it in account .*, no journal does"),
    (gone("gd", "checkpoint", "newest"), r"GD/0: its checkpoint is missing, and anchor \d+ of one knows one of group"),
    (checkpoint_set_back, r"GD/0: its checkpoint is of group \d+, and anchor \d+ of one knows one of group \d+"),
    (changed("gd", "checkpoint", "newest"), r"record checkpoint/GD/0/newest was not written by its owner"),
    (gone("gd", "keys", "%"), r"GD/0: keys/\d+/\d+, which the checkpoint names, is missing"),
    (changed("gd", "keys", "%"), r"record keys/GD/0/\d+/\d+ was not written by its owner"),
    (gone("gd", "checkpoint", "delta/%"), r"GD/0: delta/\S+, which the checkpoint names, is missing"),
    (changed("gd", "checkpoint", "delta/%"), r"record checkpoint/GD/0/delta/\S+ was not written by its owner"),
    (gone("shared", "contract", ALICE), rf"contract of {ALICE}: it is missing in the shared unit"),
    (changed("shared", "contract", ALICE), rf"record contract/\d+/{ALICE} was not written by its owner"),
    (contract_copied_to_another_number, r"record contract/\d+/msisdn:8613800000009 was not written by its owner"),
    (holder_changed, rf"contract of {ALICE}: .* the registry says that the identity is held by account GD-evil"),
    (holder_deleted, rf"contract of {ALICE}: .* the registry says that the identity is held by nobody"),
    (holder_no_longer_for_good, rf"contract of {ALICE}: .* the registry says that the identity is held by nobody"),
    (gone("shared", "order", f"{ALICE}%"), rf"order order-GD of {ALICE}\S*: it is missing in the shared unit"),
    (changed("shared", "order", f"{ALICE}%"), rf"order order-GD of {ALICE}"),
    (last_entry_of_the_control_log_changed_and_rechained, r"the control log is damaged near sequence 2"),
    (control_log_cut, r"the control log is damaged near sequence 1: it ends there, and anchor \d+ of one knows"),
    (owner_record_from_nowhere, r"GD/0: its journal is of epoch 2, and epoch 99 is known"),
    (file_replaced_by_an_older_copy, r"GD/0: its journal ends at group \d+, and anchor \d+ of one knows group \d+"),
    (all_files_replaced_by_older_copies, r"GD/0: its journal ends at group \d+, and anchor \d+ of one knows group"),
    (unit_deleted, r"GD/0: its unit can't be read: There is no unit at"),
    (anchor_file_cut, r"the anchor files of one end at line \d+, the second party knows line \d+"),
    (anchor_line_changed, r"\.anchors, line 1: its seal does not hold"),
    (anchor_line_left_out, r"\.anchors, line 2: line \d+ of one where \d+ follows"),
    (anchor_files_deleted, r"anchors has no anchor file of one, of which the second party knows line \d+"),
    (key_replaced, r"the control log is damaged near sequence 1: its key \w+ is not in the key file"),
]
