"""What posted uses cost the platform alone, CPU: read, rated, packed for the owner, answered.

    python -m bench.uses [--accounts N] [--profile KIND]

The sample country's catalogue and plans, the uses of a subscriber in commands of a hundred, as files bring them. The
owner behind the platform is in process and isn't counted.
"""

import argparse
import asyncio
import cProfile
import pstats
import time
from collections.abc import Callable, Iterator
from random import Random
from statistics import median

from msgspec import Struct, field
from onetier.v1 import service_desk_pb2 as pb

from authoring.files import read_folder
from bench.appserver import Bench as Platform
from bench.system import CATALOGUES
from bench.table import Bench, Row
from charging.catalogue.document import pack
from charging.catalogue.published import CatalogueRef
from country import offers
from mediation.decoding.pieces import frame_of
from mediation.posting.shares import BatchUses, request_of
from mediation.records import DetailRecord, RecordPlace
from runtime.server import calm_collector
from testkit.front import Requests

IDENTITY = "msisdn:86130{:08}"
OFFERINGS = (offers.MOBILE_PAY_AS_YOU_GO, offers.MOBILE_SMALL, offers.MOBILE_LARGE)
USES_OF_A_COMMAND = 100
TURNS = 5
"""The best tells what it costs, the others what else the machine did."""
HOUR_MS = 3_600_000


class Measured(Struct):
    """Microseconds of CPU a use, turn by turn."""

    posted_us: list[float] = field(default_factory=list)
    alone_us: list[float] = field(default_factory=list)
    """Each charged by a request of its own."""


class Kind(Struct, frozen=True):
    """What subscribers do."""

    name: str
    record: Callable[[str, int, Random], DetailRecord]
    """Of an identity, beginning then, UTC."""


def _call(identity: str, start_ms: int, dice: Random) -> DetailRecord:
    return _record(identity, offers.VOICE, start_ms, dice.randrange(30, 630), "msisdn:8613900139000")


def _anything(identity: str, start_ms: int, dice: Random) -> DetailRecord:
    kind = dice.random()
    if kind < 0.5:
        return _record(identity, offers.DATA, start_ms, int(dice.paretovariate(1.15) * 80_000), "")
    other = f"msisdn:86138{dice.randrange(40) * 7_919:08}"
    if kind < 0.62:
        return _record(identity, offers.SMS, start_ms, 1, other)
    return _record(identity, offers.VOICE, start_ms, 1 + int(dice.expovariate(1 / 120)), other)


def _record(identity: str, service: str, start_ms: int, quantity: int, other: str) -> DetailRecord:
    return DetailRecord(identity, service, start_ms, quantity, other, "", "", (), RecordPlace(0, b""))


KINDS = (Kind("calls of a switch", _call), Kind("calls, messages, data", _anything))


def commands(kind: Kind, accounts: int, batch: int) -> list[pb.ServiceRequest]:
    """Make a command for each account."""
    records: list[DetailRecord] = []
    dice = Random(batch)
    now_ms = int(time.time() * 1_000)
    for number in range(accounts):
        starts = [now_ms - HOUR_MS - dice.randrange(HOUR_MS) for _ in range(USES_OF_A_COMMAND)]
        records.extend([kind.record(IDENTITY.format(number), start_ms, dice) for start_ms in starts])
    uses = BatchUses(frame_of(records, [number.to_bytes(16) for number in range(len(records))]))
    return [request_of(share, uses, "plant", batch, "front") for share in uses.shares]


def charges(kind: Kind, accounts: int, turn: int, requests: Requests) -> Iterator[pb.ServiceRequest]:
    """Make a charge of its own for each of a quarter as many uses."""
    dice = Random(turn)
    now_ms = int(time.time() * 1_000)
    for number in range(accounts * USES_OF_A_COMMAND // 4):
        start_ms = now_ms - HOUR_MS - dice.randrange(HOUR_MS)
        record = kind.record(IDENTITY.format(number % accounts), start_ms, dice)
        yield requests.charge(
            record.identity,
            service_code=record.service,
            event_time_ms=start_ms,
            quantity=record.quantity,
            other_party=record.other_party,
        )


async def measure(kind: Kind, accounts: int, profile: cProfile.Profile | None = None) -> Measured:
    """Post uses and charge such uses one by one, in turn."""
    platform = Platform(accounts, profile)
    platform.owner.catalogues = [
        CatalogueRef(document.domain, document.version, 0, pack(document))
        for document in read_folder(CATALOGUES).catalogues
    ]
    made, told = Requests(), Measured()
    opening = (
        made.opening(IDENTITY.format(number), money=10**15, offering=OFFERINGS[number % len(OFFERINGS)])
        for number in range(accounts)
    )
    await platform.run(opening, timed=False)
    await platform.run(iter(commands(kind, accounts, 1)), timed=False)
    for turn in range(TURNS):
        platform.seconds = 0.0
        await platform.run(iter(commands(kind, accounts, turn + 2)), timed=True)
        told.posted_us.append(platform.seconds / (accounts * USES_OF_A_COMMAND) * 1e6)
        platform.seconds = 0.0
        await platform.run(charges(kind, accounts, turn, made), timed=profile is None)
        told.alone_us.append(platform.seconds / (accounts * USES_OF_A_COMMAND // 4) * 1e6)
    platform.engine.close()
    if platform.answers.bad:
        raise RuntimeError(f"{platform.answers.bad} requests were refused")
    return told


async def posted_uses(bench: Bench) -> None:
    """Add the rows of the table."""
    for kind in KINDS:
        told = await measure(kind, max(bench.scale.items // 1_000, 3))
        posted, alone = median(told.posted_us), median(told.alone_us)
        row = Row(f"posted uses at the platform, {kind.name}", f"{1e6 / posted:,.0f} uses/s of CPU")
        row.limit, row.ratio = f"charged one by one {1e6 / alone:,.0f}/s", f"{alone / posted:.1f} times"
        row.how = f"{posted:.1f} µs: read, rated, packed, answered; {USES_OF_A_COMMAND} of an account a command"
        bench.add(row)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--profile", default="", help="only the kind that begins so, with its profile")
    given = parser.parse_args()
    calm_collector()
    for kind in KINDS:
        if kind.name.startswith(given.profile):
            profile = cProfile.Profile() if given.profile else None
            told = asyncio.run(measure(kind, given.accounts, profile))
            best = f"{min(told.posted_us):6.2f} µs a use, median {median(told.posted_us):6.2f}"
            print(f"{kind.name:<24} {best}; one by one {min(told.alone_us):6.2f}, median {median(told.alone_us):6.2f}")
            if profile is not None:
                pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
