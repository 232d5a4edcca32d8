"""What the payer of many accounts is asked, and documents that wait: by the calls that consoles use."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from msgspec import Raw
from msgspec.msgpack import encode
from msgspec.structs import replace
from onetier.v1 import billing_pb2 as pb
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from typer.testing import CliRunner, Result

from appserver.billing.asking import Question
from appserver.billing.bills import bill_told
from appserver.billing.releasing import require_released
from business.billing.actions import ApproveDocuments, CompleteRun, OpenRun, RefuseDocuments, RunAction
from business.billing.deciding import decide
from business.billing.events import apply
from business.billing.kind import subject_of
from business.billing.periods import read_period
from business.subjects import unborn
from charging.base.localtime import day_of
from charging.base.subject import PackedSubject
from charging.errors import Broken, Fault, Refused
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.permission import BUILT_IN, NO_LIMIT, Grant
from charging.wire import Answer, Bills, Commit, FetchBills, Inspect, failed
from console.operations.billing import app
from console.operations.customer_payment import shared
from testkit.bills import a_bill
from testkit.ledger import opening
from testkit.owner import OwnerInMemory
from tests.unit.appserver.conftest import Platforms
from tests.unit.appserver.test_bill_accounts import DAY_MS, OVER_MS, PEOPLE, YUAN, billing, page, reason_of, use

__all__ = ["billing"]


def of_one_customer(owner: OwnerInMemory, *people: str) -> None:
    for who in people:
        owner.desk.accounts[who] = replace(owner.desk.accounts[who], customer_id="acme")


def asked(identity: str, **more: object) -> pb.ReadCustomerBillRequest:
    return pb.ReadCustomerBillRequest(identity=identity, period="2026-09", channel="front", **more)


async def test_a_number_is_read_as_people_write_it(billing: BillingServiceStub, owner: OwnerInMemory) -> None:
    spelled = f"+{PEOPLE[0].removeprefix('msisdn:')}"
    for_it = await billing.BillAccounts(
        pb.BillAccountsRequest(identity=f"{spelled[:5]} {spelled[5:]}", channel="front")
    )
    assert [each.account_id for each in for_it.outcomes] == [PEOPLE[0]]
    read = await billing.ReadBills(pb.ReadBillsRequest(identity=spelled, channel="front"))
    assert [each.number for each in read.bills] == [for_it.outcomes[0].bill.number]
    malformed = pb.ReadBillsRequest(identity="fax:12", channel="front")
    assert await reason_of(billing.ReadBills(malformed)) == "IDENTITY_MALFORMED"


async def test_a_customer_has_the_bills_of_all_its_accounts_also_of_those_closed_meanwhile(
    billing: BillingServiceStub, owner: OwnerInMemory, start_platform: Platforms
) -> None:
    of_one_customer(owner, *PEOPLE[:3])
    open_ = await billing.ReadCustomerBill(asked(PEOPLE[1]))
    assert (open_.complete, [each.state for each in open_.accounts]) == (False, ["open"] * 3)
    await billing.BillAccounts(page())
    owner.desk.do(PEOPLE[2], TopUp("main", "money", 2_345_678, 0, 0, "", "cash"))
    owner.desk.do(PEOPLE[2], SetStatus("closed", "gone"))
    told = await billing.ReadCustomerBill(asked(PEOPLE[0]))
    assert (told.customer_id, told.complete) == ("acme", True)
    assert [(each.account_id, each.state, each.open) for each in told.accounts] == [
        (PEOPLE[0], "billed", 2_340_000), (PEOPLE[1], "billed", 2_340_000), (PEOPLE[2], "billed", 0),
    ]  # fmt: skip
    (total,) = told.totals
    assert (total.currency, total.total, total.payable, total.open) == ("CNY", 7_020_000, 7_020_000, 4_680_000)
    assert told == await billing.ReadCustomerBill(asked(PEOPLE[1])), "whichever account is named, and however often"
    tier = await start_platform()
    command = ["customer-bill", PEOPLE[0], "2026-09", "--endpoint", tier.address]
    result = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert result.exit_code == 0, result.output
    assert "CNY: total 7.02, payable 7.02, open now 4.68" in result.output


async def test_its_pages_belong_to_one_customer_and_month(billing: BillingServiceStub, owner: OwnerInMemory) -> None:
    of_one_customer(owner, *PEOPLE[:3])
    first = await billing.ReadCustomerBill(asked(PEOPLE[0], accounts_max=2))
    rest = await billing.ReadCustomerBill(asked(PEOPLE[0], accounts_max=2, page=first.next_page))
    assert [each.account_id for each in (*first.accounts, *rest.accounts)] == PEOPLE[:3]
    assert rest.next_page == ""
    other = pb.ReadCustomerBillRequest(identity=PEOPLE[0], period="2026-10", channel="front", page=first.next_page)
    assert await reason_of(billing.ReadCustomerBill(other)) == "PAGE_TOKEN_FOREIGN"
    owner.desk.accounts[PEOPLE[5]] = replace(owner.desk.accounts[PEOPLE[5]], customer_id="other")
    foreign = asked(PEOPLE[5], page=first.next_page)
    assert await reason_of(billing.ReadCustomerBill(foreign)) == "PAGE_TOKEN_FOREIGN"
    owner.desk.accounts[PEOPLE[6]] = replace(owner.desk.accounts[PEOPLE[6]], customer_id="")
    assert await reason_of(billing.ReadCustomerBill(asked(PEOPLE[6]))) == "CUSTOMER_UNKNOWN"


async def test_documents_wait_for_their_approver_and_trials_for_nobody(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    await billing.BillAccounts(page())
    done = pb.ChangeBillRunsRequest(
        domain="GD", slots=[0], period="2026-09/1", request_key="end", channel="front", complete=pb.CompleteBillRun()
    )
    assert (await billing.ChangeBillRuns(done)).outcomes[0].run.documents == "free"
    for who in PEOPLE:
        use(owner, who, 5 * YUAN, OVER_MS + DAY_MS)
    owner.desk.now_ms = OVER_MS + 40 * DAY_MS
    opening = pb.OpenBillRun(until_ms=owner.desk.now_ms + DAY_MS, approval=True)
    change = pb.ChangeBillRunsRequest(
        domain="GD", slots=[0], period="2026-10/1", request_key="second", channel="front", open=opening
    )
    (outcome,) = (await billing.ChangeBillRuns(change)).outcomes
    assert (outcome.run.documents, outcome.run.opened_by) == ("held", "local")
    trial = await billing.BillAccounts(page(identity=PEOPLE[0], period="", trial=True))
    assert trial.outcomes[0].bill.total == 5_000_000
    await billing.BillAccounts(page(period="2026-10/1"))
    reading = pb.ReadBillsRequest(identity=PEOPLE[0], channel="front")
    assert len((await billing.ReadBills(reading)).bills) == 2


def runs_of(slot: str, *judged: RunAction, of: str = "2026-01/1") -> PackedSubject:
    state = None
    period = read_period(of)
    for action in (OpenRun(period, "", 1, 9, "", "operator/ann", True), CompleteRun(period), *judged):
        for event in decide(state, action, 2):
            state = apply(state, event)
    assert state is not None
    return PackedSubject(subject_of(slot), 3, Raw(encode(state)))


async def document_of(subject: PackedSubject, made_day: str = "2026-02-01") -> tuple[list[str], Fault | None]:
    asked: list[str] = []

    async def ask(questions: Sequence[Question]) -> list[Answer]:
        asked.extend(question.route for question in questions)
        return [subject for _ in questions]

    bill = bill_told(replace(a_bill(), number="GD-3-B-2026-0000017", made_day=made_day))
    try:
        await require_released(ask, [bill], "2026-01", "Asia/Shanghai")
    except Refused as refused:
        return asked, refused
    return asked, None


async def test_the_document_of_a_bill_is_asked_of_the_run_in_the_slot_that_numbered_it() -> None:
    period = read_period("2026-01/1")
    asked, fault = await document_of(runs_of("GD/3"))
    assert asked == ["domain:GD/3"]
    assert fault is not None
    assert (fault.reason, fault.facts["run"]) == ("DOCUMENTS_HELD", "GD/3:2026-01/1")
    _, fault = await document_of(runs_of("GD/3", RefuseDocuments(period, "operator/ben", "wrong tax")))
    assert fault is not None
    assert (fault.reason, fault.facts["why"]) == ("DOCUMENTS_REFUSED", "wrong tax")
    assert (await document_of(runs_of("GD/3", ApproveDocuments(period, "operator/ben"))))[1] is None
    assert (await document_of(unborn(subject_of("GD/3"))))[1] is None, "made alone, without a run"


async def test_a_bill_that_a_later_run_made_up_for_waits_with_the_documents_of_that_run() -> None:
    january, february = read_period("2026-01/1"), read_period("2026-02/1")
    first_ms, second_ms = (day_of(day) * DAY_MS + DAY_MS // 2 for day in ("2026-02-01", "2026-03-02"))
    state = None
    for now_ms, action in (
        (first_ms, OpenRun(january, "", 1, first_ms + 9, "", "operator/ann")),
        (first_ms, CompleteRun(january)),
        (second_ms, OpenRun(february, "", 1, second_ms + 9, "", "operator/ann", True)),
        (second_ms, CompleteRun(february)),
    ):
        for event in decide(state, action, now_ms):
            state = apply(state, event)
    assert state is not None
    subject = PackedSubject(subject_of("GD/3"), 3, Raw(encode(state)))
    assert (await document_of(subject))[1] is None, "made by its own run"
    _, fault = await document_of(subject, made_day="2026-03-02")
    assert fault is not None
    assert (fault.reason, fault.facts["run"]) == ("DOCUMENTS_HELD", "GD/3:2026-02/1")


ACCOUNTS = [f"GD/0:{number}" for number in range(3)]


async def paid_by_customer(endpoint: str, amount: str) -> tuple[Result, dict[str, int]]:
    """Pay in the name of the customer of the second account, and give what each account got."""
    command = ["pay", f"account:{ACCOUNTS[1]}", amount, "--customer", "--key", "june", "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, app, [*command, "--endpoint", endpoint])
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    return result, {row["account_id"]: row["amount"] for row in rows}


async def test_a_payment_of_a_customer_that_broke_half_way_goes_on_under_its_key_with_what_is_left(
    owner: OwnerInMemory, start_platform: Platforms
) -> None:
    """9 are owed by three accounts, 10 are paid: the rest is the balance of the account that was named."""
    for number, account_id in enumerate(ACCOUNTS):
        owner.desk.do(account_id, replace(opening(account_id), customer_id="acme"))
        due_ms = owner.desk.now_ms + number * DAY_MS
        owner.desk.do(account_id, TakeOverBill(f"B-{number}", "", "", "", 3 * YUAN, due_ms, ""))
    tier = await start_platform()
    came: list[str] = []

    def breaks_at_the_second(ask: object) -> Answer | None:
        if isinstance(ask, Commit) and isinstance(ask.command.action, Pay):
            came.append(ask.identity)
            return failed(Broken("ANSWER_MALFORMED", "it broke")) if len(came) == 2 else None
        return None

    owner.intercept = breaks_at_the_second
    broken, _ = await paid_by_customer(tier.address, "10")
    assert broken.exit_code == 1
    assert came == [f"account:{ACCOUNTS[0]}", f"account:{ACCOUNTS[2]}"]
    # Meanwhile another of them pays a part by itself: what is left is shared anew.
    owner.desk.do(ACCOUNTS[2], Pay(YUAN, "", "", "", "payment", "at the counter"), "own")
    for _ in range(2):
        result, shares = await paid_by_customer(tier.address, "10")
        assert result.exit_code == 0, result.output
        assert shares == {ACCOUNTS[0]: 3 * YUAN, ACCOUNTS[1]: 5 * YUAN, ACCOUNTS[2]: 2 * YUAN}
    assert not any(owner.desk.accounts[each].open.bills for each in ACCOUNTS)
    assert [owner.desk.accounts[each].books[0].amount for each in ACCOUNTS] == [0, 2 * YUAN, 0]
    for other in ("9", "11"):
        wrong, _ = await paid_by_customer(tier.address, other)
        assert (wrong.exit_code, "REQUEST_KEY_REUSED" in wrong.output) == (1, True)


def owing(account_id: str, due_ms: int, owed: int, status: str = "active") -> desk.ArrearsView:
    bills = [desk.OpenBill(due_ms=due_ms, open=owed)] if owed else []
    return desk.ArrearsView(account_id=account_id, status=status, bills=bills)


def test_shares_are_the_oldest_debts_first_and_the_rest_goes_to_an_open_account_last() -> None:
    three = [owing("a", 3, 10), owing("b", 1, 10, "closed"), owing("c", 2, 10)]
    assert shared(15, three, "a") == [("b", 10), ("c", 5)]
    assert shared(33, three, "c") == [("b", 10), ("a", 10), ("c", 13)]
    assert shared(33, three, "b") == [("b", 10), ("c", 10), ("a", 13)]
    with pytest.raises(Refused) as caught:
        shared(11, three[1:2], "b")
    assert caught.value.reason == "PAYMENT_EXCEEDS_BILL"


async def test_a_bill_that_waits_is_data_of_nobody_but_who_is_granted_held_bills(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    of_one_customer(owner, *PEOPLE[:1])
    await billing.BillAccounts(page())
    waiting = runs_of("GD/0", of="2026-09/1")

    def with_numbers_of_the_slot(ask: object) -> Answer | None:
        if isinstance(ask, FetchBills):
            return Bills(PEOPLE[0], (replace(a_bill(), number="GD-0-B-2026-0000001", period="2026-09/1"),))
        return waiting if isinstance(ask, Inspect) else None

    owner.intercept = with_numbers_of_the_slot
    reading = pb.ReadBillsRequest(identity=PEOPLE[0], channel="front")
    for names, numbers, withheld, state in (
        (("bills",), [], ["2026-09/1"], "held"),
        (("bills", "held_bills"), ["GD-0-B-2026-0000001"], [], "billed"),
    ):
        owner.grants = (Grant("local", names, NO_LIMIT, NO_LIMIT, actors=True),)
        owner.revision += 1
        read = await billing.ReadBills(reading)
        assert ([bill.number for bill in read.bills], list(read.withheld)) == (numbers, withheld)
        whole = await billing.ReadCustomerBill(asked(PEOPLE[0]))
        assert [each.state for each in whole.accounts] == [state]
        assert (whole.complete, len(whole.totals)) == (state == "billed", len(numbers))
    waiting = runs_of("GD/0", ApproveDocuments(read_period("2026-09/1"), "operator/ben"), of="2026-09/1")
    owner.grants = (Grant("local", ("bills",), NO_LIMIT, NO_LIMIT, actors=True),)
    owner.revision += 1
    assert len((await billing.ReadBills(reading)).bills) == 1, "approved"


def test_operators_may_read_bills_that_wait_and_front_ends_may_not() -> None:
    may = {each.subject for each in BUILT_IN if "held_bills" in each.commands}
    assert may == {"operator"}
