"""Chaos on the real Cassandra, three nodes, three copies: owners and nodes are killed and stopped under load.

What is wanted in the end is in the journals' own bytes: each acknowledgement once, nothing twice, balances equal to the
sum of their movements; each step of a session and each refund once, nothing kept by a session in the end, no account
below its credit after any entry, one that is always near it included.

`ONETIER_CHAOS_SEED=7 pytest tests/cluster/test_chaos_cassandra.py` chooses the same faults again,
`ONETIER_CHAOS_SECONDS=600` goes on for longer.
"""

import asyncio
import os
import secrets
import time
from pathlib import Path
from random import Random

import pytest
from onetier.v1 import service_desk_pb2 as desk

from audit.proof import compare, count
from cluster.system import Shape
from country import offers
from testkit.cassandra import LocalCluster
from tests.cluster.callers import Callers
from tests.cluster.faults import Faults
from tests.cluster.history import Figures, History, check_history, read_history
from tests.cluster.small_country import (
    OPENING,
    SmallCountry,
    call,
    deposit,
    refund,
    session,
    settle_country,
    transfer,
)

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
    # Sessions that are left open end while the test runs; a step must not wait for so long.
    "ONETIER_SESSION_VALIDITY_MS": "90000",
}
EXPIRY_TIMEOUT_S = 120.0
POOR = "msisdn:8613099999999"
MONEY, CREDIT = 2_000_003, 500_002
"""Micro-units that a poor account opens with; a minute is a quarter of a yuan, and a session asks for two."""
BUSINESS = frozenset({"INSUFFICIENT_FUNDS", "QUOTA_NOT_COVERED", "REFUNDS_FULL", "SESSIONS_FULL"})

pytestmark = [
    pytest.mark.cassandra,
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS * 2 + 600),
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
        await open_poor(country)
        callers = Callers(country.client, lambda number: mixed(people, number), CROWD, 5_000, BUSINESS)
        began = time.monotonic()
        try:
            await inject(faults, Random(SEED + 1), callers)
            faulty_s = time.monotonic() - began
            await asyncio.sleep(QUIET_S)
        finally:
            await callers.stop(90)
        charges, refunded = charges_told(callers), gained(callers, "refund-")
        brought = MONEY + gained(callers, "deposit-") + refunded
        total = OPENING * len(people) + brought - sum(charges.values())
        balances = await country.settled_balances(total, 90)
        await country.until_nothing_is_reserved(EXPIRY_TIMEOUT_S)
        await country.system.supervisor.drain()
        history = await read_history(country.journals, country.ring)
        figures = check_history(callers.sent, callers.told, balances, history, callers.refused)
        report(country, faults, callers, figures, history, faulty_s)
        assert callers.complaints == []
        assert figures.acknowledged == figures.journaled == figures.sent - len(callers.refused)
        assert (figures.lost, figures.doubled, figures.unbalanced) == (0, 0, 0), figures.findings
        assert (figures.hanging, figures.overspent) == (0, 0), figures.findings
        verdict = compare(charges, await count(country.journals))
        assert (verdict.lost, verdict.doubled, verdict.different) == (0, 0, 0), verdict.complaints
        assert (verdict.complaints, verdict.difference, verdict.billed_amount) == ((), 0, refunded)
        assert verdict.acknowledged_amount == verdict.journaled_amount == verdict.moved_amount
        assert history.refunded, "nothing was refunded"
        assert history.ended.total() > sum(key.endswith("-3") for key in callers.told), "no session expired"
        assert any(request.identity == POOR for key, request in callers.sent.items() if key in callers.refused)


async def open_poor(country: SmallCountry) -> None:
    """Open an account that is always near its credit limit."""
    account = desk.OpenAccount(
        payment_mode="postpaid",
        credit_limit=CREDIT,
        contract=desk.Contract(subscriptions=[desk.Subscription(offering=offers.MOBILE_PAY_AS_YOU_GO)]),
        books=[desk.BalanceBook(book_id="main", amount=MONEY)],
    )
    await country.client.open_account(POOR, account, request_key="open-poor")
    country.people["GD"] += (POOR,)


def gained(callers: Callers, prefix: str) -> int:
    """What requests whose keys begin so brought into the main book, as callers were told."""
    told = [one for key, one in callers.told.items() if key.startswith(prefix)]
    return sum(after - before for one in told for _, before, after in one.movements)


def charges_told(callers: Callers) -> dict[str, int]:
    """Give the charge under each key of a call or a session's step; callers were told a session's sum so far."""
    told = {key: one.amount for key, one in callers.told.items() if key.startswith(("call-", "session-"))}
    so_far: dict[str, int] = {}
    for key in sorted(key for key in told if key.startswith("session-")):
        session, total = key.rpartition("-")[0], told[key]
        told[key] = total - so_far.get(session, 0)
        so_far[session] = total
    return told


def mixed(people: list[str], number: int) -> list[desk.ServiceRequest]:
    """Give the requests of a number: mostly calls, some deposits, transfers, sessions and refunds."""
    identity = people[(number * 7 + number // 20) % len(people)]
    match number % 20:
        case 3:
            return [deposit(identity, number)]
        case 6 | 16:
            # One of eight is left open by its caller, of one in four a step is given back.
            asked = session(identity, number, released=number % 80 != 16)
            return [*asked, refund(identity, asked[2].request_key, number)] if number % 40 == 6 else asked
        case 9 | 19:
            return session(POOR, number, released=number % 80 != 9)
        case 11:
            other = people[(number * 7 + number // 20 + 1 + number // 20 % (len(people) - 1)) % len(people)]
            return [transfer(identity, other, number)]
        case 13 if number % 200 == 13:
            return [deposit(POOR, number)]
        case 17:
            # Partly or wholly.
            return [call(identity, number), refund(identity, f"call-{number}", number, number % 3 * 100_000)]
    return [call(identity, number)]


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


def report(
    country: SmallCountry, faults: Faults, callers: Callers, figures: Figures, history: History, faulty_s: float
) -> None:
    """Print the figures."""
    logs = {server.log for server in country.system.domain_servers}
    stepped_down = sum(log.read_text("utf-8").count("stepped down") for log in logs)
    charged = sum(1 for key in callers.told if key.startswith("call-"))
    print(
        f"\nseed {SEED}: {faults.counts.total()} faults in {faulty_s:.0f} s ({dict(faults.counts)}), "
        f"{faults.taken_over} slots taken over from stopped owners, {stepped_down} refused by the fence\n"
        f"{figures.acknowledged} acknowledged ({charged} charges, {history.steps.total()} steps of "
        f"{history.ended.total()} sessions, {len(history.refunded)} refunds), {len(callers.refused)} refused, "
        f"{callers.unknown} asks without an outcome, "
        f"{callers.unheard} effects whose acknowledgement was lost and repeated, "
        f"longest wait {callers.longest_s:.1f} s\n"
        f"lost {figures.lost}, doubled {figures.doubled}, unbalanced {figures.unbalanced}, "
        f"hanging {figures.hanging}, overspent {figures.overspent}"
    )
