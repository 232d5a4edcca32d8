"""Small files of a switch, collected by SFTP: landed, synced and committed, beside asyncssh alone reading the same.

    python -m bench.collecting [--files N]

The server runs in a process of its own. Alone, asyncssh opens, reads, closes and writes each file, as many at once as
the collector and with the same cipher, and syncs nothing.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import asyncssh

from bench.table import Aim, Bench, Row
from mediation.line import MediationLine, read_rules
from mediation.plant.plant import Plant
from mediation.samples.plant import FORMATS
from mediation.samples.server import USER, serve_folder

AIM = Aim("≥ 80 %", 80)
FILE_BYTES = 4_000
AT_ONCE = 16
TURNS = 3
_SOURCES = """sources:
  - source: s
    server: {by: sftp, host: 127.0.0.1, port: PORT, user: USER, key: user, host_keys: server.pub, at_once: MANY}
    folder: /
    format: hx-sms
    whole: {not_ending: .tmp}
"""


@asynccontextmanager
async def served(folder: Path, keys: Path) -> AsyncIterator[int]:
    """Serve a folder in a process of its own; gives the port."""
    command = (sys.executable, "-m", "bench.collecting", "--serve", str(folder), str(keys))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


async def _serve(folder: Path, keys: Path) -> None:
    async with serve_folder(folder, keys / "server", keys / "user", 0) as port:
        print(port, flush=True)
        await asyncio.Event().wait()


async def alone_s(port: int, keys: Path, into: Path) -> float:
    """Fetch all files by asyncssh alone; gives the seconds."""
    begin = time.perf_counter()
    pinned = asyncssh.read_public_key(str(keys / "server.pub"))
    async with (
        asyncssh.connect(
            "127.0.0.1",
            port,
            username=USER,
            client_keys=[str(keys / "user")],
            known_hosts=([pinned], [], []),
            config=None,
            encryption_algs="^aes128-gcm@openssh.com",
        ) as connection,
        connection.start_sftp_client() as client,
    ):
        names = iter([str(each.filename) async for each in client.scandir("/") if each.attrs.type == 1])

        async def work() -> None:
            for name in names:
                async with client.open(f"/{name}", "rb") as opened:
                    (into / name).write_bytes(cast("bytes", await opened.read()))

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return time.perf_counter() - begin


async def collected_s(plant: Plant) -> tuple[float, int]:
    """Collect all files into a plant; gives the seconds and how many were taken."""
    line = MediationLine(plant, read_rules(plant.folder.home))
    begin = time.perf_counter()
    (found,) = await line.collect(time.time_ns() // 1_000_000)
    if found.troubles:
        raise RuntimeError(found.troubles[0])
    return time.perf_counter() - begin, found.taken


async def collecting(bench: Bench) -> None:
    """Measure both in turn, and add the row."""
    count = bench.scale.small_files
    alone, ours = await measure(bench.folder / "collecting", count)
    share = 100 * alone / ours
    row = Row(
        f"{count:,} small files by SFTP", f"{count / ours:,.0f} files/s", f"asyncssh alone {count / alone:,.0f}/s"
    )
    row.ratio, row.how = f"{share:.0f} %", f"{FILE_BYTES:,} bytes each, landed, synced, committed; {TURNS} turns each"
    bench.add(row, AIM, share)


async def measure(home: Path, count: int) -> tuple[float, float]:
    """Give the seconds of asyncssh alone and of the collector, the middle of some turns each."""
    files, keys = home / "files", home / "keys"
    files.mkdir(parents=True)
    keys.mkdir()
    for number in range(count):
        (files / f"{number:06}.txt").write_bytes(os.urandom(FILE_BYTES))
    alone: list[float] = []
    ours: list[float] = []
    async with served(files, keys) as port:
        for turn in range(TURNS):
            into = home / f"alone-{turn}"
            into.mkdir()
            alone.append(await alone_s(port, keys, into))
            plant = _plant(home / f"plant-{turn}", keys, port)
            took, taken = await collected_s(plant)
            plant.close()
            if taken != count:
                raise RuntimeError(f"{taken} of {count} files were taken")
            ours.append(took)
    return sorted(alone)[TURNS // 2], sorted(ours)[TURNS // 2]


def _plant(home: Path, keys: Path, port: int) -> Plant:
    (home / "formats").mkdir(parents=True)
    shutil.copy(FORMATS / "hx-sms.yaml", home / "formats")
    for name in ("user", "server.pub"):
        shutil.copy(keys / name, home)
    text = _SOURCES.replace("PORT", str(port)).replace("USER", USER).replace("MANY", str(AT_ONCE))
    (home / "sources.yaml").write_text(text, encoding="utf-8")
    return Plant(home)


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--serve", nargs=2, type=Path, help="serve a folder with the keys of another")
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(_serve(*arguments.serve))
        return
    with tempfile.TemporaryDirectory(prefix="onetier-bench-") as name:
        alone, ours = asyncio.run(measure(Path(name) / "run", arguments.files))
    many = arguments.files
    print(f"alone {many / alone:,.0f} files/s, collected {many / ours:,.0f} files/s, {100 * alone / ours:.0f} %")


if __name__ == "__main__":
    main()
