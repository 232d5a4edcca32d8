"""What a request costs the platform alone, CPU: read, rate, commit, answer; the owner behind it isn't counted.

    python -m bench.appserver [--requests N] [--accounts N] [--profile CASE]

Protobuf of the front end and of the data center is counted, the sockets are not. The link is in process.
"""

import argparse
import asyncio
import cProfile
import pstats
import time
from collections.abc import Callable, Iterator
from statistics import median

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as pb
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse

from appserver.access_log import AccessLog
from appserver.batches.batch import RequestBatch, RequestSource
from appserver.batches.pending import Pending
from appserver.settings import AppServerSettings
from appserver.uplink.outgoing import SentBatch
from appserver.work.assembly import engine_of
from runtime.settings import load
from runtime.telemetry import Metrics
from testkit.front import Requests
from testkit.owner import OwnerInMemory

BATCH_REQUESTS = 500
ROUNDS = 5
"""Of each case; the best one tells what it costs, the others what else the machine did."""
IDENTITY = "msisdn:86130{:08}"


class InProcess:
    """A link whose other end is the bench: it keeps what was sent until the owner's turn."""

    def __init__(self) -> None:
        self.up = True
        self.batches_in_flight = 0
        self.sent: list[tuple[RouteRequest, SentBatch]] = []

    def send(self, request: RouteRequest, *, items: int, sink: SentBatch, timeout_ms: int) -> None:
        """Keep a batch, as bytes: what a socket would be given."""
        self.sent.append((RouteRequest.FromString(request.SerializeToString()), sink))


class OneWay:
    """One link."""

    def __init__(self) -> None:
        self.link = InProcess()

    def pick(self) -> InProcess:
        """Give the link."""
        return self.link


class Answers:
    """Where replies go: packed, counted, forgotten."""

    def __init__(self) -> None:
        self.good = 0
        self.bad = 0
        self.keep: list[pb.ExchangeResponse] = []

    def deliver(self, _batch: RequestBatch, response: pb.ExchangeResponse) -> None:
        """Pack a part."""
        response.SerializeToString()
        self.keep.append(response)

    def count(self) -> None:
        """Count what was kept; not timed."""
        for response in self.keep:
            for reply in response.replies:
                if reply.HasField("error"):
                    self.bad += 1
                else:
                    self.good += 1
        self.keep.clear()


class Case(Struct, frozen=True):
    """One row of the table."""

    name: str
    request: Callable[[int], pb.ServiceRequest]
    """The n-th request."""


class Bench:
    """A platform, its owner, and a stopwatch that runs only while the platform does."""

    def __init__(self, accounts: int, profile: cProfile.Profile | None) -> None:
        settings = load(AppServerSettings, datacenters=["in process"], accounts_cached_max=max(accounts * 2, 1_000))
        self.owner = OwnerInMemory()
        self.uplink = OneWay()
        self.metrics = Metrics("appserver")
        pending = Pending(self.metrics, asyncio.get_running_loop().time)
        self.engine = engine_of(settings, self.uplink, pending, AccessLog(None, "bench", 0, 0), self.metrics)
        self.answers = Answers()
        self.source = RequestSource()
        self.seconds = 0.0
        self._profile = profile

    async def run(self, requests: Iterator[pb.ServiceRequest], *, timed: bool) -> None:
        """Send all requests in batches; each batch is answered before the next."""
        batch: list[pb.ServiceRequest] = []
        for request in requests:
            batch.append(request)
            if len(batch) == BATCH_REQUESTS:
                await self._batch(batch, timed)
                batch = []
        if batch:
            await self._batch(batch, timed)

    async def _batch(self, requests: list[pb.ServiceRequest], timed: bool) -> None:
        packed = pb.ExchangeRequest(batch_id=1, requests=requests).SerializeToString()
        with _Watch(self, timed):
            parsed = pb.ExchangeRequest.FromString(packed)
            now = asyncio.get_running_loop().time()
            self.engine.submit(self.source, RequestBatch(self.answers, 1, parsed.requests, now, now + 600.0))
            await self._settle()
        while self.uplink.link.sent:
            sent, self.uplink.link.sent = self.uplink.link.sent, []
            for request, sink in sent:
                batch = ReplyBatch(positions=request.positions)
                batch.bodies.extend([self.owner.answer(body) for body in request.bodies])
                response = RouteResponse(batch_id=1, replies=batch.SerializeToString()).SerializeToString()
                with _Watch(self, timed):
                    sink.part(RouteResponse.FromString(response))
                    await self._settle()
        self.answers.count()

    async def _settle(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)


class _Watch:
    """Runs the stopwatch, and the profiler, for a block."""

    def __init__(self, bench: Bench, timed: bool) -> None:
        self._bench = bench
        self._timed = timed

    def __enter__(self) -> None:
        if self._timed and self._bench._profile is not None:
            self._bench._profile.enable()
        self._started = time.process_time()

    def __exit__(self, *_exc: object) -> None:
        if self._timed:
            self._bench.seconds += time.process_time() - self._started
            if self._bench._profile is not None:
                self._bench._profile.disable()


def cases(accounts: int) -> list[Case]:
    """Give the rows: charges over many accounts, on one, with an allowance, dry runs and queries."""
    made = Requests()
    return [
        Case("charge, flat, many accounts", lambda n: made.charge(IDENTITY.format(n % accounts))),
        Case("charge, explained", lambda n: made.charge(IDENTITY.format(n % accounts), explain=True)),
        Case("charge, allowance", lambda n: made.charge(IDENTITY.format(50_000_000 + n % accounts))),
        Case("charge, one hot account", lambda n: made.charge(IDENTITY.format(0))),
        Case("charge, hot with allowance", lambda n: made.charge(IDENTITY.format(50_000_000))),
        Case("quote", lambda n: made.quote(IDENTITY.format(n % accounts))),
        Case("query balance", lambda n: made.query(IDENTITY.format(n % accounts))),
        Case("query usage", lambda n: made.query(IDENTITY.format(50_000_000 + n % accounts), "usage")),
        Case("bad request", lambda n: made.charge("nobody", quantity=-1)),
    ]


async def measure(case: Case, requests: int, accounts: int, profile: cProfile.Profile | None) -> None:
    """Run one case on a platform of its own and print its row."""
    bench = Bench(accounts, profile)
    made = Requests()
    await bench.run(
        (
            made.opening(IDENTITY.format(base + n), money=10**12, offering=offering)
            for base, offering in ((0, "plan"), (50_000_000, "bundle"))
            for n in range(accounts)
        ),
        timed=False,
    )
    await bench.run((case.request(n) for n in range(min(requests, accounts))), timed=False)
    bench.answers.good = bench.answers.bad = 0
    bench.owner.asked.clear()
    rounds: list[float] = []
    for turn in range(ROUNDS):
        bench.seconds = 0.0
        await bench.run((case.request(turn * requests + n) for n in range(requests)), timed=True)
        rounds.append(bench.seconds / requests * 1e6)
    bench.engine.close()
    asked = " ".join(f"{name} {count}" for name, count in sorted(bench.owner.asked.items()))
    counts = f"good {bench.answers.good} bad {bench.answers.bad}   {asked}"
    print(f"{case.name:<30} {min(rounds):7.1f} µs   median {median(rounds):7.1f}   {counts}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--accounts", type=int, default=5_000)
    parser.add_argument("--profile", default="", help="only the case that begins so, with its profile")
    given = parser.parse_args()
    for case in cases(given.accounts):
        if case.name.startswith(given.profile):
            profile = cProfile.Profile() if given.profile else None
            asyncio.run(measure(case, given.requests, given.accounts, profile))
            if profile is not None:
                pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
