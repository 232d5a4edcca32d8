"""The rooms of the house, by their descriptors: what they bring is theirs alone, and goes where it should."""

from collections import Counter
from pathlib import Path

import pytest

from appserver.room import PROCESS as APPSERVER
from datacenter.room import PROCESS as DATACENTER
from house.grants import grants_of
from house.rooms import ROOMS, callers, processes
from house.stores import COLLECTIONS
from runtime.room import May, Process, Room, furnished
from runtime.settings import TierSettings
from storage.backends import BACKENDS

ROOT = Path(__file__).parents[3]
DESK = "onetier.v1.ServiceDeskService"


class KioskSettings(TierSettings):
    section = "kiosk"


def kiosk(*may: May) -> Room:
    process = Process(role="kiosk", settings=KioskSettings, begin=lambda _: 0, front_end=True, may=may)
    return Room("gateways.kiosk", process=process)


def test_every_room_with_a_descriptor_is_in_the_list() -> None:
    found = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("*/room.py")} - {"runtime"}
    found |= {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("gateways/*/room.py")}
    assert {room.name.replace(".", "/") for room in ROOMS} == found


def test_every_folder_of_a_store_is_in_the_list_of_stores() -> None:
    assert set(BACKENDS) == {path.parent.name for path in ROOT.glob("storage/*/backend.py")}


def test_no_two_rooms_bring_the_same() -> None:
    collections = Counter(collection.name for room in ROOMS for collection in room.collections)
    roles = Counter(process.role for process in processes())
    services = Counter(service.name for process in processes() for service in process.services)
    assert {name for found in (collections, roles, services) for name, count in found.items() if count > 1} == set()
    assert set(collections) == COLLECTIONS


def test_the_stores_document_tells_of_every_collection() -> None:
    text = (ROOT / "storage" / "DESIGN.md").read_text("utf-8")
    told = text.split("| collection | unit | partition | holds |")[1].split("\n\n")[0].splitlines()[2:]
    brought = [kept for room in ROOMS for kept in room.collections]
    assert told == [f"| `{kept.name}` | {kept.unit} | {kept.partition} | {kept.holds} |" for kept in brought]


def test_a_gateway_may_knock_at_the_front_door_and_at_no_other() -> None:
    rooms = furnished((Room("appserver", process=APPSERVER), Room("datacenter", process=DATACENTER), kiosk()))
    open_to = {name: roles for room in rooms if room.process for name, roles in room.process.callers().items()}
    assert {name for name, roles in open_to.items() if "kiosk" in roles} == {DESK}
    assert open_to[DESK] == callers()[DESK] | {"kiosk"}


def test_a_room_s_grants_are_for_its_own_role() -> None:
    room = kiosk(May(("balance",), channels=("pos",)), May(("top_up",), 5_000_000, -1))
    first, second = grants_of(room)
    assert (first.grant_id, first.subject, list(first.commands), list(first.channels)) == (
        "kiosk-1",
        "kiosk",
        ["balance"],
        ["pos"],
    )
    assert (second.grant_id, second.amount_max, second.alone_max, second.actors) == ("kiosk-2", 5_000_000, -1, False)


def test_settings_of_another_role_s_table_are_refused() -> None:
    with pytest.raises(ValueError, match="of the section 'kiosk'"):
        Process(role="stand", settings=KioskSettings, begin=lambda _: 0)
