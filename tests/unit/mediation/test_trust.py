"""Whom a collector believes: nobody but the server that it was told of, and nothing secret is ever said."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from mediation.collecting.collector import Collected
from mediation.line import MediationLine, read_rules
from mediation.plant.plant import Plant
from testkit.certificates import signed_by_itself
from testkit.switchyard import PASSWORD, ftps_yard, sftp_yard
from testkit.vsftpd import vsftpd_yard
from tests.unit.mediation.test_sources import FORMAT

NOW_MS = 1_795_680_000_000


def plant_of(home: Path, server: str, folder: str = "/") -> Plant:
    (home / "formats").mkdir(exist_ok=True)
    (home / "formats" / "lines.yaml").write_text(FORMAT, encoding="utf-8")
    source = f"source: s, folder: {folder}, server: {server}, format: lines, whole: {{not_ending: .tmp}}"
    (home / "sources.yaml").write_text(f"sources:\n  - {{{source}}}\n", encoding="utf-8")
    return Plant(home)


async def look(plant: Plant, now_ms: int = NOW_MS) -> Collected:
    (found,) = await MediationLine(plant, read_rules(plant.folder.home)).collect(now_ms)
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.cdr").write_text("{}\n", encoding="utf-8")
    (tmp_path / "plant").mkdir()
    return tmp_path / "plant"


async def test_another_host_key_is_refused_and_nothing_is_asked_of_the_server(home: Path, tmp_path: Path) -> None:
    async with sftp_yard(tmp_path / "in") as yard, sftp_yard(tmp_path / "in") as other:
        server = yard.written(home)
        (home / "yard.pub").write_text(other.host_key, encoding="utf-8")
        found = await look(plant_of(home, server))
        assert found.troubles == ("127.0.0.1: its host key is not the one that is pinned: nothing is asked of it",)
        (home / "yard.pub").write_text(f"# both\n{other.host_key}{yard.host_key}", encoding="utf-8")
        assert (await look(plant_of(home, server))).taken == 1


async def test_a_wrong_password_is_told_and_never_shown(home: Path, tmp_path: Path) -> None:
    async with sftp_yard(tmp_path / "in") as yard:
        server = yard.written(home)
        (home / "yard.password").write_text(f"not {PASSWORD}", encoding="utf-8")
        plant = plant_of(home, server)
        found = await look(plant)
        assert found.troubles == ("127.0.0.1: it refuses cdr, or our key or password",)
        assert PASSWORD not in plant.visits.get("s", NOW_MS).trouble


async def test_a_server_that_is_not_there_is_told_and_the_next_look_tries_again(home: Path, tmp_path: Path) -> None:
    async with sftp_yard(tmp_path / "in") as yard:
        server, port = yard.written(home), yard.port
    plant = plant_of(home, server)
    assert len((await look(plant)).troubles) == 1
    visit = plant.visits.get("s", NOW_MS)
    assert (visit.seen_ms, visit.failed_ms) == (0, NOW_MS)
    async with sftp_yard(tmp_path / "in", port=port) as again:
        again.written(home)
        assert (await look(plant, NOW_MS + 1)).taken == 1
    assert plant.visits.get("s", NOW_MS).trouble == ""


async def test_a_certificate_that_nobody_signed_is_refused(home: Path, tmp_path: Path) -> None:
    certificate, authority = signed_by_itself(tmp_path, "localhost")
    with ftps_yard(tmp_path / "in", certificate, authority) as yard:
        plant = plant_of(home, yard.written(home))
        assert (await look(plant)).taken == 1
        _, stranger = signed_by_itself(tmp_path / "in", "localhost")
        (home / "yard.ca").write_text(stranger, encoding="utf-8")
        (trouble,) = (await look(plant)).troubles
        assert trouble.startswith("localhost: its certificate is not to be trusted")
        (home / "yard.ca").write_text(authority, encoding="utf-8")
        other_name = yard.written(home).replace("localhost", "127.0.0.1")
        (trouble,) = (await look(plant_of(home, other_name))).troubles
        assert trouble.startswith("127.0.0.1: its certificate is not to be trusted")


async def test_a_server_that_nobody_here_wrote_gives_its_files_over_tls(home: Path, tmp_path: Path) -> None:
    large = b"".join(b"%d\n" % number for number in range(300_000))
    (tmp_path / "in" / "large file.cdr").write_bytes(large)
    async with vsftpd_yard(tmp_path / "in", tmp_path) as yard:
        plant = plant_of(home, yard.written(home, ", at_once: 2"), str(tmp_path / "in"))
        found = await look(plant)
        assert (found.taken, found.troubles, found.unread) == (2, (), ())
        landed = {file.name: plant.folder.landed(file.digest).read_bytes() for file in plant.files.all()}
        assert landed == {"1.cdr": b"{}\n", "large file.cdr": large}
        assert (await look(plant, NOW_MS + 1)).known == 2


async def test_a_server_that_greets_for_ever_keeps_no_other_source_waiting(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediation.collecting.collector.LOOK_S_MAX", 0.5)

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(b"220-welcome\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)

    (home / "yard.password").write_text("secret", encoding="utf-8")
    (home / "yard.password").chmod(0o600)
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reached = f"{{by: ftp, host: 127.0.0.1, port: {port}, user: cdr, password: yard.password}}"
    found = await look(plant_of(home, reached))
    assert found.troubles == ("/: it took more than 0.5 s; the next look goes on",)
    server.close()
