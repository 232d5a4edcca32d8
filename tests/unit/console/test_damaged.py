"""The list of what was set aside."""

from console.operations.damaged import set_aside, told
from domainservers.journal.quarantine import Aside
from tests.unit.audit.sound import NAMES, ref


async def test_a_sound_slot_has_nothing_set_aside(url: str) -> None:
    assert await set_aside([ref(url, name) for name in NAMES]) == dict.fromkeys(NAMES, ())


def test_each_row_says_whose_and_where_without_the_whole_number() -> None:
    rows = [
        Aside(4_096 * 7 + 3, 9, "msisdn:8613800000001", "cut off"),
        Aside(4_096 * 7 + 4, 12, "", "no msgpack"),
        Aside(4_096 * 8, 9, "msisdn:8613800000001", "its snapshot can't be read", True),
    ]
    lines = list(told("GD/0", rows))
    assert "group 7, entry 3: cut off" in lines[0]
    assert "13800000001" not in lines[0]
    assert "mark 12" in lines[1]
    assert "snapshot of group 8" in lines[2]
