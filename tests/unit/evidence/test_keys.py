"""Keys of the evidence: what a key makes nobody makes without it, old keys stay readable, the file is its owner's."""

import asyncio
import os
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domainservers.journal.journal import Corrupt, Position, claim, genesis, read_chain
from evidence.keyfile import add_key, key_file, read_ring, ring_at
from evidence.keys import KeyRing, Unproven, fresh_ring, ring_of
from house.stores import COLLECTIONS
from runtime.settings import BadSettings
from storage.memory.unit import MemoryStore, MemoryUnit


async def read(unit: MemoryUnit, ring: KeyRing) -> list[bytes]:
    found: list[bytes] = []
    async for _, groups in read_chain(unit, "GD/0", Position(0, -1, genesis("GD/0")), ring):
        found += [group.payload for group in groups]
    return found


async def test_a_chain_goes_on_with_a_new_key_and_stays_readable() -> None:
    unit, old = MemoryUnit(MemoryStore(), COLLECTIONS), fresh_ring()
    await (await claim(unit, "GD/0", "one", (), 0, old)).commit(b"first")
    rotated = ring_of([old.current.secret, fresh_ring().current.secret])
    await (await claim(unit, "GD/0", "two", (), 0, rotated)).commit(b"second")
    assert await read(unit, rotated) == [b"first", b"second"]
    with pytest.raises(Corrupt, match=r"group 1 of segment 0 is not ours: its key .* is not in the key file"):
        await read(unit, old)


async def test_a_key_that_was_replaced_can_not_go_on() -> None:
    unit, old = MemoryUnit(MemoryStore(), COLLECTIONS), fresh_ring()
    rotated = ring_of([old.current.secret, fresh_ring().current.secret])
    await (await claim(unit, "GD/0", "one", (), 0, rotated)).commit(b"first")
    await (await claim(unit, "GD/0", "thief", (), 0, old)).commit(b"forged")
    with pytest.raises(Corrupt, match="chained with a key that an earlier group had replaced"):
        await read(unit, rotated)


def test_a_seal_holds_for_its_text_and_its_key_alone() -> None:
    ring = fresh_ring()
    seal = ring.seal(b"text")
    assert ring.holds(b"text", seal)
    assert not ring.holds(b"Text", seal)
    with pytest.raises(Unproven):
        fresh_ring().holds(b"text", seal)
    assert pickle.loads(pickle.dumps(ring)).holds(b"text", seal)


def test_the_key_file_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = key_file(None, f"sqlite://{tmp_path}/units/directory.db")
    assert path == tmp_path / "units" / "evidence" / "chain.keys"
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: ring_at(path, make=True), range(8)))
    assert len({ring.current.key_id for ring in rings}) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["chain.keys"]
    rotated = add_key(path)
    assert rotated.keys[0].key_id == rings[0].current.key_id
    assert read_ring(path).current.key_id == rotated.current.key_id != rings[0].current.key_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        (None, 0o600, "can't be read"),
        ("", 0o600, "at least one key"),
        ("# nothing\nabcd\n", 0o600, "a key has 32 bytes"),
        ("00" * 32, 0o640, "chmod 600"),
        ("00" * 32, 0o604, "chmod 600"),
    ],
)
def test_a_key_file_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, content: str | None, mode: int, sentence: str
) -> None:
    path = tmp_path / "chain.keys"
    if content is not None:
        path.write_text(content)
        os.chmod(path, mode)
    with pytest.raises(BadSettings, match=sentence):
        read_ring(path)


def test_only_an_embedded_directory_has_keys_nobody_named() -> None:
    assert key_file(None, "memory:directory") is None
    assert key_file(Path("/keys"), "cassandra://one/directory") == Path("/keys")
    with pytest.raises(BadSettings, match="chain_keys"):
        key_file(None, "cassandra://one/directory")


def test_a_ring_of_the_process_alone_reads_nothing_of_another(tmp_path: Path) -> None:
    unit = MemoryUnit(MemoryStore(), COLLECTIONS)

    async def write() -> None:
        await (await claim(unit, "GD/0", "one", (), 0)).commit(b"first")

    asyncio.run(write())
    with pytest.raises(Corrupt, match="is not in the key file"):
        asyncio.run(read(unit, ring_at(tmp_path / "chain.keys", make=True)))
