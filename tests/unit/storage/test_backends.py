"""A kind of store is a folder and one line: what else asks about stores asks its descriptor."""

from pathlib import Path

import pytest

from cluster.layout import keys_of, lay_out
from evidence.keyfile import file_beside, key_file
from runtime.settings import BadSettings
from storage.address import UnitUrl
from storage.allowed import allowed_beside
from storage.backend import Backend, Grounds, Reach
from storage.backends import BACKENDS
from storage.memory.unit import MemoryUnit, store_named
from storage.open import Stores
from storage.unit import Collections, Record, StoreRejected, Unit
from storage.url import parse


def take(address: UnitUrl, shown: str) -> UnitUrl:
    if not address.host:
        raise StoreRejected(f"{shown}: write paper://archive/shelf.")
    return address


async def unit_of_paper(address: UnitUrl, collections: Collections, *, read_only: bool) -> Unit:
    return MemoryUnit(store_named(f"{address.host}{address.path}"), collections)


def paper(reach: Reach) -> Backend:
    grounds = Grounds("paper://archive/shelf", lambda base, name: f"{base}/{name}", joint="-", units_are_dear=True)
    return Backend(scheme="paper", take=take, reach=lambda _: reach, open=unit_of_paper, grounds=grounds)


@pytest.fixture
def in_an_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS, "paper", paper(Reach(hosts=("archive",), variables=("ARCHIVE_KEY",))))


@pytest.mark.usefixtures("in_an_archive")
async def test_its_units_are_opened_by_their_addresses() -> None:
    stores = Stores(["note"])
    unit = await stores.open("paper://archive/shelf/1")
    await unit.put([Record("note", "p", "k", b"x", 1)])
    seen = await stores.open_to_read("paper://archive/shelf/1")
    assert (await seen.get("note", "p", ["k"]))["k"].value == b"x"
    with pytest.raises(StoreRejected, match="read only"):
        await seen.drop("j", 0)
    with pytest.raises(StoreRejected, match="No collection"):
        await unit.get("account", "p", ["k"])
    with pytest.raises(StoreRejected, match="write paper://"):
        parse("paper:nothing")


@pytest.mark.usefixtures("in_an_archive")
def test_what_its_addresses_reach_is_held_against_the_lists_of_a_process() -> None:
    beside = allowed_beside("paper://archive/shelf/directory", [], [], [])
    assert beside.problem("paper://archive/shelf/1") == ""
    assert "archive is none of the hosts" in allowed_beside("sqlite:///data/d.db", [], [], []).problem(
        "paper://archive/1"
    )
    assert "ARCHIVE_KEY is none" in allowed_beside("sqlite:///data/d.db", ["*"], [], []).problem("paper://archive/1")


@pytest.mark.usefixtures("in_an_archive")
def test_a_system_is_laid_out_on_it_and_its_keys_are_handed_out(tmp_path: Path) -> None:
    layout = lay_out("paper://archive/shelf")
    assert layout.directory == "paper://archive/shelf/directory"
    assert layout.private_of["GD"] == layout.private_of["HN"], "units are dear: provinces of an area share one"
    assert keys_of(layout, tmp_path).is_relative_to(tmp_path)
    with pytest.raises(BadSettings, match="chain_keys"):
        key_file(None, layout.directory)


def test_keys_are_made_beside_a_store_that_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(BACKENDS, "paper", paper(Reach(file=tmp_path / "binder" / "1")))
    beside = file_beside("paper://archive/shelf/1")
    assert beside is not None
    assert beside.is_relative_to(tmp_path / "binder")
