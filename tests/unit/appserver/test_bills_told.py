"""What a run, and who reads bills, is told when something comes between: other workers, lost answers, pages behind."""

import asyncio

from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from typer.testing import CliRunner

from charging.errors import Unavailable
from charging.wire import Answer, CloseAccounts, FetchBills, failed
from console.operations.billing import app
from console.operations.billing_running import RunOrder, work
from runtime.status import from_status
from testkit.owner import OwnerInMemory
from tests.unit.appserver.conftest import Platforms
from tests.unit.appserver.test_bill_accounts import DAY_MS, OVER_MS, PEOPLE, billing, page, use

__all__ = ["billing"]


async def test_whom_another_worker_billed_meanwhile_is_told_by_the_sums_alone_where_these_were_asked_for(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    meanwhile = [PEOPLE[3]]

    def between(ask: object) -> Answer | None:
        if isinstance(ask, CloseAccounts) and meanwhile:
            (close,) = [each for each in ask.closes if each.account_id == meanwhile[0]]
            owner.desk.do(meanwhile.pop(), close.action)
        return None

    owner.intercept = between
    told = (await billing.BillAccounts(page(sums_only=True))).outcomes[3]
    assert (told.repeated, told.bill.total, list(told.bill.lines), list(told.bill.money)) == (True, 2_340_000, [], [])


async def test_a_bill_that_can_t_be_read_is_told_of_its_account_and_the_page_goes_on(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    meanwhile = [PEOPLE[3]]
    away = failed(Unavailable("STORE_UNAVAILABLE", "the store is away", retry_ms=10))

    def between(ask: object) -> Answer | None:
        if isinstance(ask, CloseAccounts) and meanwhile:
            (close,) = [each for each in ask.closes if each.account_id == meanwhile[0]]
            owner.desk.do(meanwhile.pop(), close.action)
        return away if isinstance(ask, FetchBills) else None

    owner.intercept = between
    told = (await billing.BillAccounts(page())).outcomes
    errors = {each.account_id: from_status(each.error).reason for each in told if each.HasField("error")}
    assert (len(told), errors) == (len(PEOPLE), {PEOPLE[3]: "STORE_UNAVAILABLE"})


async def test_a_bill_that_is_looked_for_by_its_number_is_found_on_a_page_behind(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    await billing.BillAccounts(page())
    use(owner, PEOPLE[0], 5_000_000, OVER_MS + DAY_MS)
    owner.desk.now_ms = OVER_MS + 32 * DAY_MS
    await billing.BillAccounts(page(identity=PEOPLE[0], period=""))
    asked = pb.ReadBillsRequest(identity=PEOPLE[0], channel="front", periods_max=1)
    newest = await billing.ReadBills(asked)
    asked.page = newest.next_page
    (oldest,) = (await billing.ReadBills(asked)).bills
    asked.page, asked.number = "", oldest.number
    none = await billing.ReadBills(asked)
    assert (list(none.bills), none.next_page) == ([], newest.next_page)
    asked.page = none.next_page
    assert list((await billing.ReadBills(asked)).bills) == [oldest]


async def test_the_command_line_tells_of_a_next_page_of_bills_where_there_is_one(
    billing: BillingServiceStub, start_platform: Platforms, owner: OwnerInMemory
) -> None:
    await billing.BillAccounts(page())
    use(owner, PEOPLE[0], 5_000_000, OVER_MS + DAY_MS)
    owner.desk.now_ms = OVER_MS + 32 * DAY_MS
    await billing.BillAccounts(page(identity=PEOPLE[0], period=""))
    tier = await start_platform()
    for periods, more in (("1", True), ("2", False), ("12", False)):
        ask = ["bills", PEOPLE[0], "--periods", periods, "--endpoint", tier.address]
        result = await asyncio.to_thread(CliRunner().invoke, app, ask)
        assert result.exit_code == 0, result.output
        assert ("next page" in result.stdout) is more


async def test_a_period_with_nothing_to_bill_is_said_to_be_so_and_the_one_that_is_named_is_looked_at(
    billing: BillingServiceStub, start_platform: Platforms
) -> None:
    tier = await start_platform()

    async def said(*options: str) -> str:
        ask = ["bill", PEOPLE[0], *options, "--endpoint", tier.address]
        result = await asyncio.to_thread(CliRunner().invoke, app, ask)
        assert result.exit_code == 1, result.output
        return result.stderr

    assert "has no such bill" in await said()
    assert "BILL_PERIOD_AHEAD" in await said("--trial", "--period", "2026-10")
    await billing.BillAccounts(page(identity=PEOPLE[0], period=""))
    assert f"there is nothing to bill in 2026-10/1 of {PEOPLE[0]}" in await said("--trial")


async def test_a_run_takes_for_done_whose_answer_was_lost_and_who_is_due_no_more(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    lost = [failed(Unavailable("STORE_UNAVAILABLE", "the owner is gone", retry_ms=1))]

    def between(ask: object) -> Answer | None:
        if not isinstance(ask, CloseAccounts) or not lost:
            return None
        for close in ask.closes:
            owner.desk.do(close.account_id, close.action)
        return lost.pop()

    owner.intercept = between
    order = RunOrder("GD", "2026-09/1", [0], 1, 100, False, "", "front")
    totals = await work(billing, order, lambda _: None)
    assert (totals.accounts, totals.unheard, totals.failures) == (0, len(PEOPLE), {})
