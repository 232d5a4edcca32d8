"""Lays a sample plant out, and lets its switches write until it is left."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mediation.samples.server import USER, serve_folder
from mediation.samples.switches import MAKES, SampleSwitch

FORMATS = Path(__file__).with_name("formats")
_SOURCES = """# Four switches that `onetier up --switches` plays. Add one of yours: docs/mediation.md.
sources:
  - source: gx
    server: &yard {SERVER}
    folder: /gx
    files: "*gx_*.cdr"
    format: gx-voice
    whole: {companion: .ok, trailer: true}
    sequence: {pattern: '(again-)?gx_(?P<number>[0-9]+)\\.cdr', first: 1, last: 9999}
    expect: {every_s: 60, zone: Asia/Shanghai, busy: {begin: "08:00", end: "22:00", every_s: 30, bytes: 1000}}
  - source: hx
    server: *yard
    folder: /hx
    format: hx-sms
    whole: {not_ending: .tmp}
    sequence: {pattern: '(again-)?hx_(?P<number>[0-9]+)\\.txt', first: 1, last: 9999}
    expect: {every_s: 90}
  - source: msc
    server: *yard
    folder: /msc
    format: msc
    whole: {trailer: true}
    sequence: {pattern: '(again-)?msc_(?P<number>[0-9]+)\\.ber', first: 1, last: 9999}
    expect: {every_s: 60}
  - source: pgw
    server: *yard
    folder: /pgw
    files: "*.json"
    format: pgw-data
    whole: {quiet_s: 5, later: true}
    sequence: {pattern: '(again-)?pgw_(?P<number>[0-9]+)\\.json', first: 1, last: 9999}
    expect: {every_s: 60}
"""
_USED = ("gx-voice", "hx-sms", "pgw-data", "msc")


def sample_switches(home: Path, numbers: Sequence[str], seed: int) -> list[SampleSwitch]:
    """Make the switches that write into `home`/switches; `numbers` are national ones of subscribers. Raises OSError."""
    folder = home / "switches"
    for make in MAKES:
        (folder / make.name).mkdir(parents=True, exist_ok=True)
    return [SampleSwitch(make, folder / make.name, numbers, seed) for make in MAKES]


async def play(switches: Sequence[SampleSwitch]) -> None:
    """Let switches write, by this machine's clock, until cancelled. Raises OSError."""
    while True:
        for switch in switches:
            switch.tick(time.time_ns() // 1_000_000)
        await asyncio.sleep(1.0)


@asynccontextmanager
async def sample_plant(home: Path, port: int) -> AsyncIterator[int]:
    """Serve `home`/switches by SFTP and lay out the plant in `home`/plant that collects from there; gives the port.

    What is in the plant already stays as you changed it. Raises OSError.
    """
    plant = home / "plant"
    secrets = plant / "secrets"
    (plant / "formats").mkdir(parents=True, exist_ok=True)
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name in _USED:
        if not (form := plant / "formats" / f"{name}.yaml").exists():
            form.write_bytes((FORMATS / f"{name}.yaml").read_bytes())
    async with serve_folder(home / "switches", secrets / "server", secrets / "user", port) as found:
        keys = "key: secrets/user, host_keys: secrets/server.pub"
        server = f"{{by: sftp, host: 127.0.0.1, port: {found}, user: {USER}, {keys}}}"
        if not (plant / "sources.yaml").exists():
            (plant / "sources.yaml").write_text(_SOURCES.replace("{SERVER}", server), encoding="utf-8")
        yield found
