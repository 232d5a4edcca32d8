"""Collecting from real servers: each content once, whatever the server is and whatever goes wrong on the way."""

import json
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
