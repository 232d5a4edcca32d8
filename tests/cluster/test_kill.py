"""Processes of every tier are killed and stopped under load, and a reader of its own says what the journals hold.

`ONETIER_KILL_SEED=7 pytest tests/cluster/test_kill.py` chooses the same processes again, `ONETIER_KILL_SECONDS=600`
goes on for longer. The reader (`plain_reader`) shares no code with the house.
"""

import asyncio
import os
import secrets
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from onetier.v1 import service_desk_pb2 as desk

from cluster.supervisor import Running
from cluster.system import Shape, System
from tests.cluster.callers import TRANSFERS_PILE_UP, Callers
from tests.cluster.plain_reader import PlainBooks, read_plainly
from tests.cluster.small_country import OPENING, SmallCountry, call, deposit, settle_country, transfer

SEED = int(os.environ.get("ONETIER_KILL_SEED", "0")) or secrets.randbelow(1_000_000)
SECONDS = float(os.environ.get("ONETIER_KILL_SECONDS", "25"))
CROWD = 24
SETTINGS = {"ONETIER_SNAPSHOT_ENTRIES": "400", "ONETIER_SNAPSHOT_INTERVAL_MS": "2000"}
"""Rounds of snapshots happen in the midst of faults; segments are kept whole, so that all of it can be added up."""

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(SECONDS * 2 + 240)]


async def test_whatever_process_dies_no_intent_is_lost_or_doubled(tmp_path: Path) -> None:
    print(f"\nkill seed {SEED}")
    shape = Shape(datacenters=2, domain_servers=2, app_servers=2)
    slots = {"GD": 2, "XJ": 1}
    async with settle_country(tmp_path, slots=slots, people=12, shape=shape, settings=SETTINGS) as country:
        people = country.everybody
        callers = Callers(country.client, lambda number: intent(people, number), CROWD, 5_000, TRANSFERS_PILE_UP)
        deaths: Counter[str] = Counter()
        try:
            system = country.system
            tiers = {"owner": system.domain_servers, "router": system.datacenters, "platform": system.app_servers}
            async with asyncio.timeout(SECONDS * 2 + 60), asyncio.TaskGroup() as group:
                for place, (tier, processes) in enumerate(tiers.items()):
                    group.create_task(kill_on(system, tier, processes, Random(SEED + place), deaths))
        finally:
            await callers.stop(90)
        total = OPENING * len(people) + gained(callers) - sum(told.amount for told in callers.told.values())
        balances = await country.settled_balances(total, 60)
        await country.system.supervisor.drain()
        files = {Path(url.partition("://")[2]): names for url, names in country.journals.items()}
        books = await asyncio.to_thread(read_plainly, files)
        print(
            f"seed {SEED}: {deaths.total()} deaths ({dict(deaths)}), {len(callers.sent):,} intents, "
            f"{len(callers.told):,} acknowledged, {callers.unheard} of them told again, {books.entries:,} entries"
        )
        judge(country, callers, books, balances)
        assert set(deaths) & {"owner killed", "owner stopped"}
        assert deaths.total() >= 3
        assert len(callers.told) > 100


def intent(people: list[str], number: int) -> list[desk.ServiceRequest]:
    """Mostly charges; every tenth intent brings money, every tenth sends some to another domain."""
    identity = people[number % len(people)]
    match number % 10:
        case 3:
            return [deposit(identity, number)]
        case 7:
            return [transfer(identity, people[(number + len(people) // 2) % len(people)], number)]
    return [call(identity, number)]


async def kill_on(system: System, tier: str, processes: list[Running], random: Random, deaths: Counter[str]) -> None:
    """Kill a tier's processes, or ask them to stop, one after another; each starts again where callers look for it."""
    until = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < until:
        await asyncio.sleep(random.uniform(0.2, 1.5))
        number = random.randrange(len(processes))
        victim = processes[number]
        if random.random() < 0.8:
            victim.kill()
            await victim.wait()
            deaths[f"{tier} killed"] += 1
        else:
            assert await victim.drain() == 0
            deaths[f"{tier} stopped"] += 1
        await asyncio.sleep(random.uniform(0.0, 1.0))
        processes[number] = await start_again(system, tier, number, victim)


async def start_again(system: System, tier: str, number: int, victim: Running) -> Running:
    """Start the process that a dead one is followed by, at the same address where others know it by that."""
    port = int(victim.address.rpartition(":")[2])
    match tier:
        case "owner":
            return await system.start_process("domainserver", number)
        case "router":
            return await system.start_process("datacenter", number, port)
    return await system.start_process("appserver", number, port)


def gained(callers: Callers) -> int:
    """Micro-units that deposits brought."""
    return sum(callers.sent[key].top_up.amount for key in callers.told if key.startswith("deposit-"))


def judge(country: SmallCountry, callers: Callers, books: PlainBooks, balances: dict[str, int]) -> None:
    """Hold what callers were told against what the plain reader found."""
    assert callers.complaints == []
    assert books.gaps == []
    asked = {key: books.effects[key] for key in callers.sent if key not in callers.refused}
    assert {key: count for key, count in asked.items() if count != 1} == {}, "lost or doubled"
    assert not any(books.effects[key] for key in callers.refused)
    charged = {key: told.amount for key, told in callers.told.items() if key.startswith("call-")}
    assert charged == {key: books.amounts[key] for key in charged}
    assert books.under_way == 0
    assert sum(books.money.values()) == sum(balances.values())
    assert sorted(books.money[account] for account in books.money) == sorted(balances.values())
    assert len(books.money) == len(country.everybody)
