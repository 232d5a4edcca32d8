"""Details that were gathered: the journal above, the folder below, and no row twice or missing at the seam."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from details.rows import rows_of
from details.store import DetailStore
from runtime.settings import BadSettings
from runtime.status import from_status
from testkit.front import A, Front
from testkit.owner import OwnerInMemory

ZONE = "Asia/Shanghai"
Fronts = Callable[..., Awaitable[Front]]


class Gathering:
    """Gathers an account of the owner in memory, whose entries are a group each."""

    def __init__(self, home: Path, owner: OwnerInMemory) -> None:
        self.store = DetailStore(home)
        self.store.take("GD/0", ZONE, [], -1)
        self._owner = owner

    def upto(self, entries: int) -> None:
        """Gather so many entries of each account."""
        done = self.store.manifest.gathered()["GD/0"]
        for journal in self._owner.desk.journals.values():
            for seq in range(done + 1, entries):
                self.store.take("GD/0", ZONE, rows_of(seq, [(0, journal[seq])]), seq)


async def keys(front: Front, size: int, identity: str = A, between: Callable[[], None] | None = None) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        reply = await front.one(front.query(identity, "detail", quantity=size, page_cursor=cursor))
        assert reply.WhichOneof("result") == "detail", reply
        assert len(reply.detail.records) <= size
        found += [record.request_key for record in reply.detail.records]
        cursor = reply.detail.next_cursor
        if not cursor:
            return found
        if between is not None:
            between()


async def test_pages_go_from_the_journal_into_the_folder(
    front_of: Fronts, owner: OwnerInMemory, tmp_path: Path
) -> None:
    gathering = Gathering(tmp_path, owner)
    front = await front_of(details=str(tmp_path))
    await front.open()
    now = front.charge().event_time_ms
    charges = [front.charge(event_time_ms=now - 1_000 + n) for n in range(11)]
    for reply in await front.exchange(*charges):
        assert reply.HasField("charge"), reply
    wanted = [charge.request_key for charge in reversed(charges)]
    for gathered in (0, 1, 4, 12):
        gathering.upto(gathered)
        for size in (1, 3, 4, 50):
            assert await keys(front, size) == wanted
    gathering.store.close()


async def test_what_is_gathered_between_two_pages_is_told_once(
    front_of: Fronts, owner: OwnerInMemory, tmp_path: Path
) -> None:
    gathering = Gathering(tmp_path, owner)
    front = await front_of(details=str(tmp_path))
    await front.open()
    now = front.charge().event_time_ms
    charges = [front.charge(event_time_ms=now - 1_000 + n) for n in range(9)]
    await front.exchange(*charges)
    gathering.upto(4)
    found = await keys(front, 2, between=lambda: gathering.upto(10))
    assert found == [charge.request_key for charge in reversed(charges)]
    gathering.store.close()


async def test_a_cursor_of_another_list_is_none_here_either(
    front_of: Fronts, owner: OwnerInMemory, tmp_path: Path
) -> None:
    gathering = Gathering(tmp_path, owner)
    front = await front_of(details=str(tmp_path))
    await front.open()
    await front.exchange(front.charge(), front.charge())
    gathering.upto(3)
    page = (await front.one(front.query(A, "detail", quantity=1))).detail
    assert page.next_cursor
    narrowed = front.query(A, "detail", quantity=1, page_cursor=page.next_cursor)
    narrowed.services.append("sms")
    reply = await front.one(narrowed)
    assert from_status(reply.error).reason == "PAGE_FOREIGN"
    gathering.store.close()


async def test_partners_see_who_was_called_in_part(front_of: Fronts, owner: OwnerInMemory, tmp_path: Path) -> None:
    front = await front_of()
    await front.open()
    await front.exchange(front.charge(other_party="8613900001234"))
    (whole,) = (await front.one(front.query(A, "detail"))).detail.records
    (masked,) = (await front.one(front.query(A, "detail", channel="partner", partner="acme"))).detail.records
    assert (whole.other_party, masked.other_party) == ("msisdn:8613900001234", "msisdn:861****1234")


async def test_a_folder_that_is_none_stops_the_start(front_of: Fronts, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="no folder"):
        await front_of(details=str(tmp_path / "none"))
