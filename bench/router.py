"""What an item costs the data center, microseconds of one core: routing alone, and with both envelopes.

.venv/bin/python bench/router.py
"""

import random
import time
from collections.abc import Callable, Sequence

from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse

from datacenter.routing.router import Owners, Router
from directory.changes import Amendment, Change, DirectoryEntry, Domain, NumberPlan, UnitAddress
from directory.routes import RouteCache
from directory.state import DirectoryState

DOMAINS = [f"D{number:02d}" for number in range(31)]
PREFIXES = 110_000
IDENTITIES = 200_000
ENTRIES = 100_000
BODY = bytes(220)
REPLY = bytes(90)


def country() -> DirectoryState:
    """Make a directory of the country's size."""
    heads = range(130, 130 + PREFIXES // 10_000)
    ranges = {f"86{head}{tail:04d}": DOMAINS[(head + tail) % 31] for head in heads for tail in range(10_000)}
    changes: list[Change] = [UnitAddress("u", "memory:u")]
    changes += [Domain(code, code, "Asia/Shanghai", 1, "u", "u") for code in DOMAINS]
    changes += [NumberPlan(ranges)]
    changes += [DirectoryEntry(f"broadband:name{number:07d}@adsl", DOMAINS[number % 31]) for number in range(ENTRIES)]
    state = DirectoryState()
    state.apply("country", b"", Amendment("bench", 0, tuple(changes)), 1)
    return state


def identities(seed: int) -> list[str]:
    """Make mobile numbers of the plan."""
    chance = random.Random(seed)
    return [f"msisdn:86{chance.randint(130, 140)}{chance.randint(0, 99_999_999):08d}" for _ in range(IDENTITIES)]


def best_us(work: Callable[[], object], items: int, times: int = 7) -> float:
    """Give the best of some runs, microseconds an item: the machine's noise only adds."""
    spent: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return min(spent) / items * 1e6


def row(name: str, micros: float) -> None:
    """Print one line of the table."""
    print(f"{name:<58} {micros:8.3f} µs")


def look_ups(state: DirectoryState, numbers: Sequence[str]) -> None:
    """Measure what finding a route costs."""
    digits = [number[7:] for number in numbers]
    match = state.plan.match
    row("longest prefix of 110,000", best_us(lambda: [match(number) for number in digits], len(digits)))

    def fill() -> None:
        cache = RouteCache(state, 500_000)
        for number in numbers:
            cache[number]

    row("route, not in the cache", best_us(fill, len(numbers), 3))
    cache = RouteCache(state, 500_000)
    for number in numbers:
        cache[number]
    row("route, cached", best_us(lambda: [cache[number] for number in numbers], len(numbers)))


def batches(state: DirectoryState, numbers: Sequence[str], size: int, servers: int) -> None:
    """Measure a whole pass: read the envelope, sort, write the owners' envelopes, hand the replies back."""
    cache = RouteCache(state, 500_000)
    router = Router(lambda identity: cache[identity].key, lambda domain: 1)
    router.owners = Owners.of({f"{code}/0": f"host:{number % servers}" for number, code in enumerate(DOMAINS)})
    requests = [
        RouteRequest(
            batch_id=1, positions=range(size), routes=numbers[at : at + size], bodies=[BODY] * size
        ).SerializeToString()
        for at in range(0, 20 * 1_000, size)
    ]
    items = size * len(requests)
    replies = ReplyBatch(positions=range(size), bodies=[REPLY] * size).SerializeToString()
    packed = ServeResponse(batch_id=1, answered=size, replies=replies).SerializeToString()
    parsed = [RouteRequest.FromString(request) for request in requests]

    def route() -> None:
        for request in parsed:
            router.route(list(request.positions), list(request.routes), list(request.bodies))

    def whole() -> None:
        for raw in requests:
            request = RouteRequest.FromString(raw)
            grouped = router.route(list(request.positions), list(request.routes), list(request.bodies))
            for load in grouped.loads.values():
                ServeRequest(
                    batch_id=1, timeout_ms=5_000, positions=load.positions, slots=load.slots, bodies=load.bodies
                ).SerializeToString()
            response = ServeResponse.FromString(packed)
            RouteResponse(batch_id=1, replies=response.replies).SerializeToString()

    row(f"sort a batch of {size} to {servers} servers", best_us(route, items))
    row(f"the same with all envelopes, there and back ({size}, {servers})", best_us(whole, items))


def main() -> None:
    """Print the table."""
    state = country()
    numbers = identities(8)
    look_ups(state, numbers)
    for servers in (1, 2, 4):
        batches(state, numbers, 1_000, servers)
    for size in (1, 10, 100):
        batches(state, numbers, size, 2)


if __name__ == "__main__":
    main()
