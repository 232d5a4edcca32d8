"""Posting in bulk at one owner: the uses of a subscriber as one entry of the journal, beside one charge an entry.

    python -m bench.posting [--unit memory:|sqlite] [--uses N]

Uses come rated, in process; both ways post the same uses on the same accounts, in turn. CPU time of the owner, with
unpacking, journal and store.
"""

import argparse
import asyncio
import gc
import json
import tempfile
import time
from collections.abc import Sequence
from hashlib import blake2b
from statistics import median

from msgspec import Raw

from bench.domainserver import NOW_MS, STEPS, Wait, identity_of, open_accounts, own
from bench.table import Aim, Bench, Row
from charging import wire
from charging.base.usage import SealedCharge, Usage
from charging.ledger.action import BaseAction
from charging.ledger.command import Command
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.post_usage import USES_MAX, PostUsage, RatedUse
from charging.wire import Ask, Commit, unpack_ask
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.server import calm_collector
from testkit.usecolumns import packed

WINDOW = 8
TURNS = 3


def _command(number: int, key: str, action: BaseAction) -> bytes:
    identity = identity_of(number)
    digest = blake2b(key.encode(), digest_size=16).digest()
    return wire.pack(Commit(identity, Command(identity, key, digest, "", "front", NOW_MS, action)))  # type: ignore[arg-type]


def _use(number: int, serial: int) -> tuple[Usage, SealedCharge]:
    usage = Usage(identity_of(number), "voice", NOW_MS - 10**7 + serial, 60, "msisdn:8613912345678", "GD")
    return usage, SealedCharge(120_000, "CNY", (), (("voice-month@2027-01", 60),), 1, False, Raw(STEPS))


def charges(accounts: int, uses: int, turn: int) -> list[list[bytes]]:
    """Pack each use as a charge of its own, account by account."""
    made: list[list[bytes]] = []
    for number in range(accounts):
        rated = [_use(number, turn * uses + place) for place in range(uses)]
        made.append(
            [_command(number, f"c{turn}-{number}-{place}", PostCharge(*use, 1)) for place, use in enumerate(rated)]
        )
    return made


def batches(accounts: int, uses: int, turn: int, versions: Sequence[tuple[int, int]]) -> list[list[bytes]]:
    """Pack the uses of each account as one command, on the version and mark that it has."""
    made: list[list[bytes]] = []
    for number in range(accounts):
        rated = [_use(number, turn * uses + place) for place in range(uses)]
        of = tuple([use for use, _ in rated])
        taken = tuple([RatedUse(charge) for _, charge in rated])
        action = packed(PostUsage("plant", turn + 1, of, (), taken, *versions[number]))
        made.append([_command(number, f"b{turn}-{number}", action)])
    return made


async def send_s(slot: Slot, packed: list[list[bytes]]) -> float:
    """Send all; gives CPU seconds."""
    gc.collect()
    begin = time.process_time()
    waits: list[Wait] = []
    for some in packed:
        wait = Wait(len(some))
        asks: list[tuple[int, Ask]] = [(place, unpack_ask(body)) for place, body in enumerate(some)]
        slot.submit(wait, asks)
        waits.append(wait)
        if len(waits) >= WINDOW:
            await _answered(waits.pop(0))
    for wait in waits:
        await _answered(wait)
    return time.process_time() - begin


async def _answered(wait: Wait) -> None:
    await wait.done.wait()
    if wait.failed:
        raise RuntimeError(f"{wait.failed} were refused")


async def measure(url: str, count: int) -> dict[str, float]:
    """Give uses a CPU second, posted one by one and in bulk, the middle of some turns."""
    unit = await STORES.open(url)
    slot = await own(unit, Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9))
    accounts = max(count // USES_MAX, 1)
    await open_accounts(slot, accounts)
    alone: list[float] = []
    ours: list[float] = []
    for turn in range(TURNS):
        alone.append(await send_s(slot, charges(accounts, USES_MAX, turn)))
        versions = [_version(slot, number) for number in range(accounts)]
        ours.append(await send_s(slot, batches(accounts, USES_MAX, turn, versions)))
    slot.end()
    await unit.close()
    uses = accounts * USES_MAX
    return {"alone": uses / median(alone), "bulk": uses / median(ours)}


def _version(slot: Slot, number: int) -> tuple[int, int]:
    accounts = slot.parts.accounts
    account = accounts.state(accounts.cells[identity_of(number)])
    assert account is not None
    return account.version, account.mark


async def posting(bench: Bench) -> None:
    """Add the row of the table."""
    told = await measure(f"sqlite://{bench.folder}/posting.db", bench.scale.items)
    row = Row("posting in bulk, one owner", f"{told['bulk']:,.0f} records/s of CPU")
    row.limit, times = f"one charge an entry {told['alone']:,.0f}/s", told["bulk"] / told["alone"]
    row.ratio, row.how = f"{times:.1f} times", f"{USES_MAX} uses of an account an entry, rated, with steps; SQLite"
    bench.add(row, Aim("≥ 5 times, ≥ 100,000/s", 1), min(times / 5, told["bulk"] / 100_000))


def main() -> None:
    """Measure and print."""
    calm_collector()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unit", default="sqlite")
    parser.add_argument("--uses", type=int, default=40_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/unit.db" if arguments.unit == "sqlite" else f"memory:bench-{time.time_ns()}"
        print(json.dumps(asyncio.run(measure(url, arguments.uses))))


if __name__ == "__main__":
    main()
