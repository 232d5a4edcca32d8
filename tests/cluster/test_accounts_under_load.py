"""Accounts through all the tiers, real processes: sessions in parallel never overspend, bad input moves nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest
from onetier.v1 import service_desk_pb2 as desk

from audit.journals import JournalRef, audit_journal, match_transfers
from charging.errors import Fault
from cluster.system import Shape
from country import offers
from onetier_client import AsyncClient, requests
from tests.cluster.faults import Faults
from tests.cluster.small_country import DAY_MS, SmallCountry, settle_country

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(180)]
POOR = "msisdn:8613099999999"
MONEY, CREDIT = 50_000_007, 1_000_004
"""With whole minutes at a price of a quarter of a yuan, eleven micro-units are left that nobody can use."""
MINUTE = 250_000
SESSIONS = 16
CALLED = "8613800000000"


def use(requested: int, used: int = 0) -> list[desk.UnitUse]:
    """Report and ask for seconds of a call."""
    return [
        desk.UnitUse(
            service_code=offers.VOICE, requested=requested, used=used, other_party=CALLED, event_time_ms=DAY_MS
        )
    ]


async def open_poor(client: AsyncClient) -> None:
    contract = desk.Contract(subscriptions=[desk.Subscription(offering=offers.MOBILE_PAY_AS_YOU_GO)])
    account = desk.OpenAccount(
        payment_mode="postpaid",
        credit_limit=CREDIT,
        contract=contract,
        books=[desk.BalanceBook(book_id="main", amount=MONEY)],
    )
    await client.open_account(POOR, account, request_key="open-poor")
    quoted = await client.quote(POOR, offers.VOICE, 60, event_time_ms=DAY_MS, other_party=CALLED)
    assert quoted.amount == MINUTE


async def talk(client: AsyncClient, number: int) -> int:
    """Use all that is granted until nothing is; gives what the session was charged."""
    name = f"session-{number}"
    result = await client.session_create(POOR, name, use(90))
    invocation = 0
    while result.grants[0].granted:
        invocation += 1
        assert result.grants[0].final_unit == (result.grants[0].granted < 90)
        result = await client.session_update(POOR, name, invocation, use(90, used=result.grants[0].granted))
    assert result.grants[0].final_unit
    assert result.grants[0].final_action == desk.SessionResult.Grant.FINAL_ACTION_TERMINATE
    result = await client.session_release(POOR, name, invocation + 1, use(0))
    return result.grants[0].charged


async def watch(client: AsyncClient) -> int:
    """Look at the balance again and again: what is granted and charged is always covered. Gives how often."""
    looked = 0
    try:
        while True:
            seen = await client.balance(POOR)
            assert seen.real - seen.reserved >= -CREDIT
            assert seen.available == seen.real - seen.reserved + CREDIT
            looked += 1
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        return looked


async def check_journals(country: SmallCountry) -> None:
    """The audit, while everything runs, looks at the floor of each book after each entry."""
    refs = [JournalRef(url, name, ring=country.ring) for url, names in country.journals.items() for name in names]
    found = [(await audit_journal(ref, "", lambda _: None)).report for ref in refs]
    match_transfers(found)
    assert [report.findings for report in found] == [[]] * len(refs)


async def test_sessions_in_parallel_never_overspend_and_survive_their_owner(tmp_path: Path) -> None:
    shape = Shape(datacenters=1, domain_servers=2, app_servers=2)
    async with settle_country(tmp_path, slots={"GD": 1}, people=1, shape=shape) as country:
        client = country.client
        await open_poor(client)
        watching = asyncio.create_task(watch(client))
        talking = asyncio.gather(*(talk(client, number) for number in range(SESSIONS)))
        async with asyncio.timeout(20):
            while not (await client.balance(POOR)).reserved:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        repeats = client.repeats
        await Faults(country.system, Random(3)).kill_owner()
        charged = await talking
        watching.cancel()
        assert await watching > 0
        assert client.repeats > repeats, "the owner died when all was over"
        balance = await client.balance(POOR)
        assert sum(charged) == (MONEY + CREDIT) // MINUTE * MINUTE
        assert (balance.real, balance.reserved, balance.available) == (11 - CREDIT, 0, 11)
        assert all(charged)
        await check_journals(country)


Do = Callable[[], Awaitable[object]]


async def test_each_bad_request_has_a_reason_of_its_own_and_moves_nothing(tmp_path: Path) -> None:
    shape = Shape(datacenters=1, domain_servers=1, app_servers=1)
    async with settle_country(tmp_path, slots={"GD": 1}, people=2, shape=shape) as country:
        client = country.client
        one, other = country.everybody
        facts: requests.Facts = {"event_time_ms": DAY_MS, "other_party": CALLED}
        for key in ("call", "given-back"):
            await client.charge(one, offers.VOICE, 61, request_key=key, **facts)
        await client.refund(one, "given-back", reason="bad line")
        await client.session_create(one, "over", use(60))
        used = await client.session_update(one, "over", 1, use(0, used=60), request_key="in-session")
        await client.session_release(one, "over", 2, use(0))
        suspend = desk.SetAccountStatus(status="suspended", reason="lost")
        bad: dict[str, Do] = {
            "SESSION_UNKNOWN": lambda: client.session_update(one, "nobody", 1, use(60)),
            "SESSION_RELEASED_ALREADY": lambda: client.session_release(one, "over", 3, use(0)),
            "SESSION_RELEASED": lambda: client.session_update(one, "over", 3, use(60)),
            "REFUND_EXCEEDS_CHARGE": lambda: client.refund(one, "call", 10_000_000),
            "REFUNDED_ALREADY": lambda: client.refund(one, "given-back"),
            "TRANSFER_TO_ITSELF": lambda: client.transfer(one, one, 5),
            "TOP_UP_NOT_POSITIVE": lambda: client.top_up(one, -5),
            "REQUEST_KEY_REUSED": lambda: client.charge(one, offers.VOICE, 62, request_key="call", **facts),
            "CHARGE_UNKNOWN": lambda: client.refund(one, "never"),
        }
        await refused(client, one, bad)
        assert used.grants[0].charged == MINUTE
        given_back = await client.refund(one, "in-session", reason="what a session charged, too")
        assert given_back.movements[0].delta == MINUTE
        await client.execute(one, suspend)
        await refused(client, one, {"ACCOUNT_SUSPENDED": lambda: client.session_create(one, "late", use(60))})
        assert (await client.balance(other)).version == 1
        await check_journals(country)


async def refused(client: AsyncClient, identity: str, bad: dict[str, Do]) -> None:
    """Each is refused with its reason, and the account stays as it was."""
    before = await client.balance(identity)
    for reason, do in bad.items():
        with pytest.raises(Fault) as fault:
            await do()
        assert fault.value.reason == reason
        assert await client.balance(identity) == before, reason
