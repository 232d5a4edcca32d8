"""Several domain servers share the slots of one domain; transfers cross domains; owners join, leave, die, are stopped.

All on SQLite, with real processes: the promises do not depend on the store.
"""

import asyncio
from pathlib import Path
from random import Random

import pytest
from onetier.v1 import service_desk_pb2 as desk

from cluster.system import Shape
from onetier_client import AsyncClient
from tests.cluster.callers import TRANSFERS_PILE_UP, Callers
from tests.cluster.faults import Faults
from tests.cluster.history import check_history, read_history
from tests.cluster.small_country import OPENING, call, settle_country, transfer

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(180)]
TRANSFERS_MIN = 60
STEPS = ("sent", "received", "settled", "returned")


async def test_servers_join_and_leave_under_load_and_ordinary_clients_see_no_error(tmp_path: Path) -> None:
    shape = Shape(datacenters=1, domain_servers=2, app_servers=2)
    async with settle_country(tmp_path, slots={"GD": 4}, people=24, shape=shape) as country:
        system, people = country.system, country.everybody
        faults = Faults(system, Random(1))
        slots = [f"GD/{number}" for number in range(4)]
        first = system.domain_servers[0].address
        # An ordinary client: one call, ten seconds, repeats inside.
        async with AsyncClient(system.endpoints) as client:
            callers = Callers(client, lambda number: [call(people[number % len(people)], number)], 24, 10_000)
            try:
                await asyncio.sleep(1.0)
                assert len(set((await faults.owners()).values())) == 2
                system.domain_servers.append(await system.start_process("domainserver", 2))
                newcomer = system.domain_servers[2].address
                await faults.wait_until(lambda owners: newcomer in owners.values())
                joined = len(callers.told)
                assert await system.domain_servers[0].drain() == 0
                await faults.wait_for_owners(slots, other_than=first)
                left = len(callers.told)
                await asyncio.sleep(1.0)
            finally:
                await callers.stop(30)
            repeats = client.repeats
        balances = await country.balances()
        await system.supervisor.drain()
        figures = check_history(
            callers.sent, callers.told, balances, await read_history(country.journals, country.ring)
        )
        print(f"\n{figures}, repeats inside the client {repeats}, longest wait {callers.longest_s:.2f} s")
        assert callers.complaints == []
        assert callers.unknown == 0
        assert 0 < joined < left < len(callers.told)
        assert (figures.lost, figures.doubled, figures.unbalanced) == (0, 0, 0), figures.findings
        assert figures.acknowledged == figures.sent == figures.journaled


async def test_transfers_between_domains_arrive_once_though_owners_are_killed(tmp_path: Path) -> None:
    shape = Shape(datacenters=1, domain_servers=2, app_servers=1)
    slots = {"GD": 2, "XJ": 1}
    async with settle_country(tmp_path, slots=slots, people=6, shape=shape) as country:
        south, west = country.people["GD"], country.people["XJ"]
        faults = Faults(country.system, Random(2))

        def there_and_back(number: int) -> list[desk.ServiceRequest]:
            one, other = south[number % len(south)], west[number // len(south) % len(west)]
            return [transfer(one, other, number) if number % 2 else transfer(other, one, number)]

        callers = Callers(country.client, there_and_back, 4, 10_000, TRANSFERS_PILE_UP)
        try:
            for _ in range(4):
                await asyncio.sleep(0.7)
                await faults.kill_owner()
            await asyncio.sleep(1.0)
        finally:
            await callers.stop(60)
        balances = await country.settled_balances(OPENING * len(country.everybody), 60)
        await country.system.supervisor.drain()
        history = await read_history(country.journals, country.ring)
        figures = check_history(callers.sent, callers.told, balances, history, callers.refused)
        steps = {step: sum(count for (name, _), count in history.transfers.items() if name == step) for step in STEPS}
        print(f"\n{figures}, steps {steps}, owners killed {faults.counts.total()}")
        assert callers.complaints == []
        assert len(callers.told) >= TRANSFERS_MIN
        assert (figures.lost, figures.doubled, figures.unbalanced) == (0, 0, 0), figures.findings
        assert steps == dict(zip(STEPS, (len(callers.told),) * 3 + (0,), strict=True))
