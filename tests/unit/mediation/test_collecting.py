"""Collecting from real servers: each content once, whatever the server is and whatever goes wrong on the way."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mediation.collecting.collector import Collected
from mediation.line import MediationLine, read_rules
from mediation.plant.plant import Plant
from testkit.switchyard import Faults, FtpYard, SftpYard, ftp_yard, sftp_yard

NOW_MS = 1_795_680_000_000
FORMAT = """
format: lines
about: Uses of data, one JSON object a line.
records: {layout: jsonlines}
lines: {trailer: END}
identity: {from: who, read: {type: number, country: CN}}
service: {value: data}
start: {from: at, read: {type: time, pattern: epoch_ms}}
quantity: {from: bytes, read: {type: integer}}
key: [id]
"""
KINDS = ("local", "sftp", "ftp", "old ftp")


class Yard:
    """A folder of a switch, a server before it, and a plant that looks there."""

    def __init__(self, home: Path, kind: str, server: SftpYard | FtpYard | None, faults: Faults) -> None:
        self.folder, self.home, self.kind, self.faults = home / "in", home / "plant", kind, faults
        (self.home / "formats").mkdir(parents=True, exist_ok=True)
        (self.home / "formats" / "lines.yaml").write_text(FORMAT, encoding="utf-8")
        self._server = server
        self.rule("not_ending: .tmp")
        self.plant = Plant(self.home)

    def rule(self, whole: str, more: str = "") -> None:
        """Say when files are whole."""
        folder = self.folder if self._server is None else "/"
        server = "" if self._server is None else f", server: {self._server.written(self.home)}"
        source = f"source: s, folder: {folder}{server}, format: lines, whole: {{{whole}}}{more}"
        (self.home / "sources.yaml").write_text(f"sources:\n  - {{{source}}}\n", encoding="utf-8")

    def write(self, name: str, *serials: int, text: str = "") -> bytes:
        """Let the switch write a file."""
        lines = [json.dumps({"who": "8613900284246", "at": 1, "bytes": 5, "id": each}) for each in serials]
        content = (text or "\n".join((*lines, "END", ""))).encode()
        (self.folder / name).write_bytes(content)
        return content

    async def look(self, now_ms: int = NOW_MS) -> Collected:
        (found,) = await MediationLine(self.plant, read_rules(self.home)).collect(now_ms)
        return found

    def taken(self) -> dict[str, bytes]:
        """Give what was landed, by name."""
        return {file.name: self.plant.folder.landed(file.digest).read_bytes() for file in self.plant.files.all()}


@pytest.fixture(params=KINDS)
async def yard(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Yard]:
    (tmp_path / "in").mkdir()
    (tmp_path / "plant").mkdir()
    faults = Faults()
    async with AsyncExitStack() as stack:
        server: SftpYard | FtpYard | None = None
        if request.param == "sftp":
            server = await stack.enter_async_context(sftp_yard(tmp_path / "in", faults))
        elif request.param != "local":
            server = stack.enter_context(ftp_yard(tmp_path / "in", faults, machine=request.param == "ftp"))
        yield Yard(tmp_path, request.param, server, faults)


async def test_a_whole_file_is_taken_once_whatever_its_name_is(yard: Yard) -> None:
    one, two = yard.write("1.cdr", 1), yard.write("话单 2.cdr", 2)
    yard.write("3.cdr.tmp", 3)
    first = await yard.look()
    assert (first.taken, first.unfinished, first.troubles) == (2, 1, ())
    assert yard.taken() == {"1.cdr": one, "话单 2.cdr": two}
    (yard.folder / "1.cdr").rename(yard.folder / "again.cdr")
    second = await yard.look(NOW_MS + 1)
    assert (second.taken, second.known, second.troubles) == (0, 2, ())
    assert yard.taken() == {"1.cdr": one, "话单 2.cdr": two}


async def test_a_transfer_that_breaks_is_gone_on_with_and_the_file_is_the_switch_s(yard: Yard) -> None:
    content = yard.write("large.cdr", text="".join(f"{number}\n" for number in range(600_000)))
    yard.faults.break_after = 2_500_000
    found = await yard.look()
    assert (found.taken, found.troubles) == (1, ())
    assert yard.taken() == {"large.cdr": content}
    assert found.resumed == (yard.kind != "local")


async def test_a_file_is_whole_when_it_stood_still_and_a_later_one_is_there(yard: Yard) -> None:
    yard.rule("quiet_s: 60, later: true", ", sequence: {pattern: '(?P<number>[0-9]+).cdr', last: 99}")
    one = yard.write("1.cdr", 1)
    await yard.look()
    assert (await yard.look(NOW_MS + 60_000)).taken == 0, "nothing came after it"
    yard.write("2.cdr", text="half")
    assert (await yard.look(NOW_MS + 61_000)).taken == 1
    assert yard.taken() == {"1.cdr": one}
    yard.write("2.cdr", 2)
    assert (await yard.look(NOW_MS + 200_000)).unfinished == 1, "it has another size"


async def test_a_file_is_whole_when_it_ends_with_its_trailer(yard: Yard) -> None:
    yard.rule("trailer: true")
    yard.write("1.cdr", text='{"half')
    assert (await yard.look()).unfinished == 1
    whole = yard.write("1.cdr", 1)
    assert (await yard.look(NOW_MS + 1_000)).taken == 1
    assert yard.taken() == {"1.cdr": whole}


async def test_a_file_is_whole_when_it_is_old_enough_by_our_own_clock(yard: Yard) -> None:
    yard.rule("age_s: 60")
    yard.write("1.cdr", 1)
    os.utime(yard.folder / "1.cdr", (1, 1))
    assert [(await yard.look(NOW_MS + ms)).taken for ms in (0, 59_000, 60_000)] == [0, 0, 1]


async def test_a_name_with_another_content_is_another_file(yard: Yard) -> None:
    yard.write("1.cdr", 1)
    await yard.look()
    yard.write("1.cdr", 1, 2)
    assert (await yard.look(NOW_MS + 1)).taken == 1
    assert len(yard.plant.files.all()) == 2


async def test_names_of_any_bytes_are_kept_and_lead_nowhere(yard: Yard) -> None:
    backup = yard.home.parent / "second"
    yard.rule("not_ending: .tmp", f", backup: {backup}")
    names = [b"\xbb\xb0\xb5\xa5.cdr", b"..cdr", b"a\\b.cdr", b"~root; rm -rf.cdr", b"x" * 250]
    if yard.kind == "local":
        names.append(b"new\nline.cdr")
    for serial, name in enumerate(names):
        yard.write(os.fsdecode(name), serial)
    (yard.folder / "link.cdr").symlink_to("/etc/hostname")
    found = await yard.look()
    assert found.taken == len(names)
    # A server may list a link as the file to which it leads; it gives it to nobody.
    assert all(trouble.startswith("link.cdr: ") for trouble in found.troubles)
    copies = [path for path in backup.rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in copies) == sorted(yard.taken().values())
    assert all(path.parent.parent == backup / "s" for path in copies)
    assert {"\\xbb\\xb0\\xb5\\xa5.cdr", "a\\\\b.cdr"} <= set(yard.taken())
    assert (await yard.look(NOW_MS + 1)).known == len(names)


async def test_taken_files_are_moved_where_the_source_lets_us(yard: Yard) -> None:
    (yard.folder / "done").mkdir()
    yard.rule("not_ending: .tmp", ", move_to: done")
    content = yard.write("1.cdr", 1)
    await yard.look()
    yard.faults.read_only = yard.kind != "local"
    refused = await yard.look(NOW_MS + 1)
    yard.faults.read_only = False
    if yard.kind != "local":
        assert (refused.known, len(refused.troubles)) == (1, 1)
        assert (await yard.look(NOW_MS + 2)).troubles == ()
    assert not (yard.folder / "1.cdr").exists()
    (moved,) = (yard.folder / "done").iterdir()
    assert moved.read_bytes() == content
    assert (await yard.look(NOW_MS + 3)).listed == 0


async def test_what_came_before_is_compared_before_it_is_gone_on_with(yard: Yard) -> None:
    content = yard.write("large.cdr", text="".join(f"{number}\n" for number in range(900_000)))
    yard.faults.break_after, yard.faults.times = 1_500_000, 9
    if yard.kind == "local":
        return
    broken = await yard.look()
    assert (broken.taken, len(broken.troubles)) == (0, 1)
    yard.faults.times = 0
    (part,) = yard.plant.folder.arriving("s").iterdir()
    with part.open("r+b") as opened:
        opened.seek(-10, os.SEEK_END)
        opened.write(b"0123456789")
    assert (await yard.look(NOW_MS + 1)).taken == 1
    assert yard.taken() == {"large.cdr": content}
    assert list(yard.plant.folder.arriving("s").iterdir()) == []


async def test_a_file_that_is_too_large_is_told_and_not_fetched(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediation.collecting.collector.FILE_BYTES_MAX", 10)
    yard.write("1.cdr", 1)
    found = await yard.look()
    assert (found.taken, found.unfinished) == (0, 1)
    assert "let the switch split it" in found.troubles[0]
