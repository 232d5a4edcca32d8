"""Chaos on the real Cassandra, three nodes, three copies: owners and nodes are killed and stopped under load.

What is wanted in the end is in the journals' own bytes: each acknowledgement once, nothing twice, balances equal to the
sum of their movements. `ONETIER_CHAOS_SEED=7 pytest tests/cluster/test_chaos_cassandra.py` chooses the same faults
again, `ONETIER_CHAOS_SECONDS=600` goes on for longer.
"""

import asyncio
import os
import secrets
import time
from pathlib import Path
from random import Random

import pytest
from onetier.v1 import service_desk_pb2 as desk

from console.proof import compare, count
from console.system import Shape
from localcassandra.harness import LocalCluster
from tests.cluster.callers import Callers
from tests.cluster.faults import Faults
from tests.cluster.history import Figures, check_history, read_history
from tests.cluster.small_country import OPENING, SmallCountry, call, deposit, settle_country, transfer

SEED = int(os.environ.get("ONETIER_CHAOS_SEED", "0")) or secrets.randbelow(1_000_000)
SECONDS = float(os.environ.get("ONETIER_CHAOS_SECONDS", "60"))
FAULT_TIMEOUT_S = 150.0
QUIET_S = 2.0
"""Between faults, so that some work is done."""
CROWD = 32
SLOTS = {"GD": 3, "XJ": 1}
SETTINGS = {
    # Often, so that segments roll and rounds of snapshots happen in the midst of faults.
    "ONETIER_SEGMENT_GROUPS_MAX": "60",
    "ONETIER_SNAPSHOT_ENTRIES": "400",
    "ONETIER_SNAPSHOT_INTERVAL_MS": "3000",
}

pytestmark = [
    pytest.mark.cassandra,
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS * 2 + 480),
]


async def test_nothing_is_lost_or_doubled_whatever_is_killed_or_stopped(
    cassandra_three: LocalCluster, tmp_path: Path
) -> None:
    print(f"\nchaos seed {SEED}")
    shape = Shape(datacenters=1, domain_servers=2, app_servers=2)
    async with settle_country(
        tmp_path,
        slots=SLOTS,
        people=12,
        shape=shape,
        base=cassandra_three.url("chaos", "&timeout_ms=3000"),
        settings=SETTINGS,
    ) as country:
        faults = Faults(country.system, Random(SEED), cassandra_three, 3)
        people = country.everybody
        callers = Callers(country.client, lambda number: mixed(people, number), CROWD, 5_000)
        began = time.monotonic()
        try:
            await inject(faults, Random(SEED + 1), callers)
            faulty_s = time.monotonic() - began
            await asyncio.sleep(QUIET_S)
        finally:
            await callers.stop(90)
        deposits = sum(
            told.movements[0][2] - told.movements[0][1] for key, told in callers.told.items() if "dep" in key
        )
        charges = {key: told.amount for key, told in callers.told.items() if key.startswith("call-")}
        total = OPENING * len(people) + deposits - sum(charges.values())
        balances = await country.settled_balances(total, 90)
        await country.system.supervisor.drain()
        history = await read_history(country.journals)
        figures = check_history(callers.sent, callers.told, balances, history)
        report(country, faults, callers, figures, faulty_s)
        assert callers.complaints == []
        assert figures.acknowledged == figures.sent == figures.journaled
        assert (figures.lost, figures.doubled, figures.unbalanced) == (0, 0, 0), figures.findings
        verdict = compare(charges, await count(country.journals))
        assert verdict.holds, verdict.complaints


def mixed(people: list[str], number: int) -> desk.ServiceRequest:
    """Give the request of a number: mostly calls, some deposits and transfers."""
    identity = people[number * 7 % len(people)]
    if number % 20 == 3:
        return deposit(identity, number)
    if number % 20 == 11:
        return transfer(identity, people[(number * 7 + 1 + number // 20 % (len(people) - 1)) % len(people)], number)
    return call(identity, number)


async def inject(faults: Faults, random: Random, callers: Callers) -> None:
    """Inject each kind of fault once in a shuffled order, then any until the time is over. One must move between."""
    kinds = [
        faults.kill_owner,
        faults.pause_owner,
        faults.pause_node,
        faults.kill_node,
        faults.kill_owner_while_a_node_hangs,
    ]
    random.shuffle(kinds)
    until = time.monotonic() + SECONDS
    rounds = 0
    while rounds < len(kinds) or time.monotonic() < until:
        fault = kinds[rounds] if rounds < len(kinds) else random.choice(kinds)
        rounds += 1
        async with asyncio.timeout(FAULT_TIMEOUT_S):
            before = len(callers.told)
            await fault()
            while len(callers.told) < before + CROWD:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await asyncio.sleep(QUIET_S)


def report(country: SmallCountry, faults: Faults, callers: Callers, figures: Figures, faulty_s: float) -> None:
    """Print the figures."""
    logs = {server.log for server in country.system.domain_servers}
    stepped_down = sum(log.read_text("utf-8").count("stepped down") for log in logs)
    charged = sum(1 for key in callers.told if key.startswith("call-"))
    print(
        f"\nseed {SEED}: {faults.counts.total()} faults in {faulty_s:.0f} s ({dict(faults.counts)}), "
        f"{faults.taken_over} slots taken over from stopped owners, {stepped_down} refused by the fence\n"
        f"{figures.acknowledged} acknowledged ({charged} charges), {callers.unknown} asks without an outcome, "
        f"{callers.unheard} effects whose acknowledgement was lost and repeated, "
        f"longest wait {callers.longest_s:.1f} s\n"
        f"lost {figures.lost}, doubled {figures.doubled}, unbalanced {figures.unbalanced}"
    )
