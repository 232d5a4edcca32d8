"""`onetier do top-up` and all the others, on a whole small system."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from charging.errors import Fault
from cluster.system import Shape
from onetier_client import AsyncClient
from testkit.commands import COMMANDS
from testkit.rehearsal import DAY_MS, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
LATER = frozenset(
    {
        "pause",
        "resume",
        "change_identity",
        "change_characteristics",
        "set_spending_limit",
        "drop_book",
        "set_payer",
        "set_payee",
        "post_usage",
        "gift",
        "give_offering",
        "pay",
    }
    | {"reverse_payment", "settle", "dispute", "resolve_dispute", "credit_bill", "write_off", "recover"}
    | {"agree_instalments", "dun", "take_over_bill", "redeem_voucher", "lift_voucher_block", "restate_usage"}
)
"""Commands of the second half."""
TYPIST = """
import json, sys
from typer.testing import CliRunner
from console.main import mounted
for line in sys.stdin:
    result = CliRunner().invoke(mounted(), json.loads(line))
    print(json.dumps([result.exit_code, result.output]), flush=True)
"""
"""Types one command after the other: starting Python for each would take longer than all of them."""


class Terminal:
    """A process that does commands of `onetier do` at one endpoint."""

    def __init__(self, process: Process, endpoint: str) -> None:
        self._process = process
        self._endpoint = endpoint
        self.done: set[str] = set()

    async def do(self, kind: str, identity: str, *arguments: str, status: int | None = 0) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        command = ["do", kind.replace("_", "-"), identity, *arguments, "--endpoint", self._endpoint]
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        exit_code, output = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 60))
        assert status is None or exit_code == status, output
        self.done.add(kind)
        return str(output)

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


async def terminal(endpoint: str) -> Terminal:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", TYPIST, stdin=PIPE, stdout=PIPE, cwd=ROOT)
    return Terminal(process, endpoint)


async def test_every_command_is_done_from_the_command_line(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=1)) as small:
        who, other = (account.members[0].identity for account in small.mobiles()[:2])
        taken = {member.identity for account in small.country.people.accounts for member in account.members}
        new = next(number for end in range(9_999) if (number := f"{who[:-4]}{end:04}") not in taken)
        client, typed = small.client, await terminal(small.system.endpoints[0])
        do = typed.do

        book = '{"book_id": "main", "unit": "money", "amount": "5000000"}'
        terms = ("--payment-mode", "prepaid", "--credit-limit", "0", "--account-attributes", "segment=gold")
        assert "version 1 of account" in await do("open_account", new, *terms, "--books", book)
        assert (await client.balance(new)).real == 5_000_000

        before = (await client.balance(who)).real
        assert "main" in await do("top_up", who, "--amount", "50.5", "--key", "paid")
        assert "as it was done before" in await do("top_up", who, "--amount", "50.5", "--key", "paid")
        assert (await client.balance(who)).real == before + 50_500_000
        pack = ("--unit", "second", "--book-id", "pack", "--valid-to-ms", "2099-01-01T00:00:00+08:00")
        assert "book pack: 0 → 600 second" in await do("top_up", who, "--amount", "600", *pack)
        slip = ("--reason", "slip")
        assert "600 → 540 second" in await do("adjust", who, "--delta", "-60", "--book-id", "pack", *slip)
        before = (await client.balance(who)).real
        await do("adjust", who, "--delta", "-3.5", *slip)
        assert (await client.balance(who)).real == before - 3_500_000
        await do("transfer", who, "--to-identity", other, "--amount", "1.25")
        assert (await client.balance(who)).real == before - 4_750_000

        await do("set_threshold", who, "--threshold-id", "low", "--watches", "balance", "--mark", "10")
        await do("set_threshold", who, "--threshold-id", "low", "--remove")
        await do("set_credit_limit", who, "--credit-limit", "100.5", "--reason", "a good customer")
        assert (await client.balance(who)).credit_limit == 100_500_000
        await do("set_payment_mode", who, "--payment-mode", "prepaid")
        await do("set_account_profile", who, "--account-attributes", "segment=gold")
        offering = (await client.contract(who)).subscriptions[0].offering
        await do("set_contract", who, "--contract", json.dumps({"subscriptions": [{"offering": offering}]}))

        assert "MEMBER_LAST" in await do("leave", who, "--reason", "moves", status=1)
        pack = ("--offering", "data-pack-5g")
        assert "version" in await do("subscribe", who, *pack, "--when", "next_cycle")
        assert "SUBSCRIBED_ALREADY" in await do("subscribe", who, *pack, "--when", "next_cycle", status=1)
        await do("unsubscribe", who, *pack, "--when", "next_cycle")
        assert "NOT_SUBSCRIBED" in await do("unsubscribe", who, *pack, status=1)
        plan = "mobile-59" if offering != "mobile-59" else "mobile-129"
        change = ("--from-offering", offering, "--to-offering", plan, "--when", "next_cycle")
        await do("change_plan", who, *change)
        kept = {each.offering: each for each in (await client.contract(who)).subscriptions}
        assert kept[offering].valid_to_ms == kept[plan].valid_from_ms > DAY_MS
        assert set(kept) == {offering, plan}

        son = next(number for end in range(9_999) if (number := f"{new[:-4]}{end:04}") not in taken | {new})
        await _move(client, do, who, son)
        step = ("--session-id", "s-1", "--units")
        begun = await do(
            "session", who, *step, '{"service_code": "data", "requested": "1000"}', "--operation", "create"
        )
        assert "step 0 of session s-1" in begun
        ended = ('{"service_code": "data", "used": "10"}', "--operation", "release", "--invocation", "1")
        assert "step 1 of session s-1" in await do("session", who, *step, *ended)
        await client.charge(who, "voice", 61, other_party=other, event_time_ms=DAY_MS, request_key="call")
        await do("refund", who, "--charge-key", "call", "--reason", "bad line")

        assert "PROPOSAL_UNKNOWN" in await do("approve", who, "--of-key", "nothing", status=1)
        assert "AMOUNT_OUT_OF_RANGE" in await do("set_credit_limit", who, "--credit-limit", "-1", status=1)
        assert "no amount of money" in await do("top_up", who, "--amount", "much", status=2)
        assert "name=value" in await do("set_account_profile", who, "--account-attributes", "segment", status=2)
        await do("set_account_status", who, "--status", "suspended", "--reason", "lost phone")
        told = {line.reason for line in await client.history(who, 40)}
        assert {"lost phone", "bad line", "slip"} <= told
        await typed.close()
    assert typed.done == set(COMMANDS) - LATER


async def _move(client: AsyncClient, do: Callable[..., Awaitable[str]], who: str, son: str) -> None:
    """Let a member join and leave, free its number, and give the account to another customer."""
    assert "version" in await do("join", who, "--member", son, "--reason", "a son")
    assert "MEMBER_KNOWN" in await do("join", who, "--member", son, status=1)
    kept = ("--to-account-id", "GD/0:somebody", "--reason", "moves out")
    await do("leave", son, *kept)
    region = (await client.account(who)).domain
    await _resting(client, region, [(son, "GD/0:somebody")])
    await do("release_number", who, "--number", son, "--reason", "a hospital wants it")
    await _resting(client, region, [])
    assert "NUMBER_NOT_KEPT" in await do("release_number", who, "--number", son, "--reason", "again", status=1)
    await do("transfer_ownership", who, "--customer-id", "c-77", "--reason", "sold the shop")
    assert "ACCOUNT_NOT_CLOSED" in await do("reopen_account", who, status=1)


async def _resting(client: AsyncClient, region: str, wanted: list[tuple[str, str]]) -> None:
    """Wait until a region's list has these numbers, each with whom it is kept for: it is written behind."""
    async with asyncio.timeout(60):
        while True:
            found: list[tuple[str, str]] = []
            cursor = ""
            while True:
                page = await client.resting_numbers(region, page_cursor=cursor)
                found += [(each.number, each.kept_for) for each in page.numbers]
                cursor = page.next_cursor
                if not cursor:
                    break
            if found == wanted:
                return
            await asyncio.sleep(0.1)


async def _payers(client: AsyncClient, do: Callable[..., Awaitable[str]], who: str, other: str) -> None:
    """Let one account pay the bills of another, which the account view tells of both."""
    firm, paid = [(await client.account(each)).account_id for each in (who, other)]
    await do("set_payee", who, "--payee-account-id", paid, "--reason", "works here")
    await do("set_payer", other, "--payer-account-id", firm, "--reason", "works there")
    assert "PAYS_FOR_OTHERS" in await do("set_payer", who, "--payer-account-id", paid, "--reason", "no", status=1)
    assert list((await client.account(who)).payee_account_ids) == [paid]
    assert (await client.account(other)).payer_account_id == firm


async def test_every_command_of_bills_limits_and_pauses_is_done_from_the_command_line(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=1)) as small:
        who, other = (account.members[0].identity for account in small.mobiles()[:2])
        taken = {member.identity for account in small.country.people.accounts for member in account.members}
        new = next(number for end in range(9_999) if (number := f"{who[:-4]}{end:04}") not in taken)
        client, typed = small.client, await terminal(small.system.endpoints[0])
        do = typed.do

        await do("set_account_profile", who, "--account-attributes", "settle_by_hand=yes")
        await do("top_up", who, "--amount", "500")
        for number in ("old-1", "old-2"):
            due = ("--due-ms", "2026-01-01T00:00:00+08:00", "--reason", "from the old system", "--actor", "li")
            await do("take_over_bill", who, "--bill", number, "--amount", "40", "--period", "2025-12/1", *due)
        await _payers(client, do, who, other)
        slip = ("--reason", "a complaint", "--actor", "li")
        await do("dispute", who, "--bill", "old-1", *slip)
        await do("resolve_dispute", who, "--bill", "old-1", "--credit", "5", *slip)
        await do(
            "agree_instalments",
            who,
            "--bill",
            "old-1",
            "--parts",
            "3",
            "--first-due-ms",
            str(DAY_MS + 30 * 86_400_000),
            *slip,
        )
        await do("credit_bill", who, "--bill", "old-1", "--amount", "5", *slip)
        await do("pay", who, "--bill", "old-1", "--amount", "10", "--key", "paid")
        assert "PAYMENT_EXCEEDS_BILL" in await do("pay", who, "--bill", "old-1", "--amount", "900", status=1)
        await do("reverse_payment", who, "--of-key", "paid", *slip)
        await do("settle", who, "--bill", "old-1")
        approved = ("--approver", "wang", *slip)
        assert "WRITE_OFF_UNAPPROVED" in await do(
            "write_off", who, "--bill", "old-2", "--amount", "40", *slip, status=1
        )
        await do("write_off", who, "--bill", "old-2", "--amount", "40", *approved)
        await do("recover", who, "--bill", "old-2", "--amount", "7", *slip)
        dunned = await do("dun", who, status=None)  # The sample duns nobody at night.
        assert "version" in dunned or "DUNNING_QUIET" in dunned

        limit = ("--limit-id", "daily", "--amount", "3", "--period", "day", "--warn-percent", "80")
        await do("set_spending_limit", who, *limit)
        assert "BOOK_UNKNOWN" in await do("drop_book", who, "--book-id", "nothing", *slip, status=1)
        uses = ("--uses", f'{{"service_code": "voice", "event_time_ms": "{DAY_MS}", "quantity": "61"}}')
        await do("post_usage", who, "--feed", "plant", "--batch", "1", *uses)
        assert "BATCH_TAKEN" in await do("post_usage", who, "--feed", "plant", "--batch", "1", *uses, status=1)
        line = f'{{"event_time_ms": "{DAY_MS}", "item": "voice", "difference": "5"}}'
        job = ("--feed", "rerate", "--batch", "1", "--expected-version", "1", "--from-ms", str(DAY_MS), "--lines", line)
        assert "RESTATEMENT_STALE" in await do("restate_usage", who, *job, "--reason", "slip", status=1)
        gift = ("--to-identity", other, "--amount", "10", "--rule", "none")
        assert "GIFT_UNKNOWN" in await do("gift", who, *gift, status=1)
        await _give(client, do, who, other)
        wrong = ("--code", "GD-00005-03KJV-93F0Y-TYN8X")
        assert "VOUCHER_UNKNOWN" in await do("redeem_voucher", who, *wrong, status=1)
        await do("lift_voucher_block", who, "--reason", "has the card")
        await do("pause", who, "--reason", "travels")
        assert "CONTRACT_SUSPENDED" in str(await _refusal(client.charge(who, "voice", 61, other_party=other)))
        await do("resume", who, "--reason", "is back")
        hall = ("--set-attributes", "language=en", "--group", "family", "--group-members", other, "--reason", "asked")
        await do("change_characteristics", who, *hall)
        assert (await client.contract(who)).attributes["language"] == "en"
        wrong = ("--set-attributes", "language=fr")
        assert "CHARACTERISTIC_VALUE_UNKNOWN" in await do("change_characteristics", who, *wrong, status=1)
        await do("change_identity", who, "--to-identity", new, "--reason", "a new number")
        assert (await client.contract(new)).identity == new
        await typed.close()
    assert typed.done == LATER | {"top_up", "set_account_profile"}


async def _refusal(call: Awaitable[object]) -> str:
    with pytest.raises(Fault) as raised:
        await call
    return raised.value.reason


async def _give(client: AsyncClient, do: Callable[..., Awaitable[str]], who: str, other: str) -> None:
    """Buy an offering for somebody else."""
    given = ("--to-identity", other, "--offering")
    assert "OFFERING_NOT_GIVEN" in await do("give_offering", who, *given, "data-pack-5g", status=1)
    assert "would get 1 × data-week-2g" in await do("give_offering", who, *given, "data-week-2g", "--preview")
    await do("give_offering", who, *given, "data-week-2g")
    async with asyncio.timeout(60):
        while "data-week-2g" not in str(await client.contract(other)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
