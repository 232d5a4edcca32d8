"""A billing run at the platform: pages of accounts, fees first, trials, and what comes between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import grpc
import pytest
from msgspec import Raw
from msgspec.structs import replace
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from typer.testing import CliRunner

from appserver.billing import parts
from appserver.billing.asking import Question
from appserver.billing.billing import AccountBilling
from appserver.billing.bills import bill_told
from appserver.billing.closings import BillingCaller
from business.billing.periods import ends_ms, read_period
from charging.base.localtime import LocalTime
from charging.base.usage import Usage, unpack_steps
from charging.catalogue.document import Catalogue, from_plain
from charging.errors import Unavailable
from charging.ledger.auditing import audit
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.top_up import TopUp
from charging.ledger.ledger import seal
from charging.plans.timeline import Timeline
from charging.wire import Answer, Bills, CloseAccounts, Pull, failed
from console.operations.billing import app
from documents.jsonform import from_json
from runtime.channel import open_channel
from runtime.status import from_rpc_error, from_status
from testkit.bills import a_bill
from testkit.ledger import an_account, charge_of, contract_of, opening
from testkit.owner import OwnerInMemory
from tests.unit.appserver.conftest import Platforms

SHANGHAI = LocalTime("Asia/Shanghai")
OVER_MS = ends_ms(read_period("2026-09/1"), SHANGHAI)
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
PEOPLE = [f"msisdn:8613900000{number:03d}" for number in range(7)]
YUAN = 1_000_000


@pytest.fixture
async def billing(start_platform: Platforms, owner: OwnerInMemory) -> AsyncIterator[BillingServiceStub]:
    """The billing service; September, in which seven people used a little each, is over, its run is open in GD/0."""
    owner.publish(with_rent())
    owner.desk.now_ms = OVER_MS - 10 * DAY_MS
    for who in PEOPLE:
        contract = replace(contract_of(who), subscriptions=())
        action = replace(opening(who, 0, credit_limit=500 * YUAN), contract=contract, zone="Asia/Shanghai")
        owner.desk.do(who, action)
        owner.contracts[who] = contract
        use(owner, who, 2_345_678)
    owner.desk.now_ms = OVER_MS + DAY_MS
    tier = await start_platform()
    channel = open_channel(tier.address)
    stub = BillingServiceStub(channel)
    await stub.ChangeBillRuns(
        pb.ChangeBillRunsRequest(
            domain="GD",
            slots=[0],
            period="2026-09/1",
            request_key="run",
            channel="front",
            open=pb.OpenBillRun(until_ms=OVER_MS + 2 * DAY_MS),
        )
    )
    yield stub
    await channel.close()


def with_rent(version: str = "2", **more: object) -> Catalogue:
    """A catalogue with a plan that has a rent in advance."""
    return from_plain(
        more
        | {
            "catalogue": "test",
            "version": version,
            "currency": "CNY",
            "services": [{"id": "voice", "unit": "second"}],
            "tariffs": [
                {
                    "id": "calls",
                    "service": "voice",
                    "standard": True,
                    "prices": [{"id": "all", "rates": [{"price": "0.2", "per": "60", "increment": "60"}]}],
                }
            ],
            "fees": [{"id": "rent", "amount": "30", "prorated": True}],
            "offerings": [{"id": "plan", "services": ["voice"], "fees": ["rent"]}],
            "dunning": [{"id": "all", "late_fee": {"per_mille_a_day": "3"}}],
        }
    )


def use(owner: OwnerInMemory, who: str, amount: int, start_ms: int = OVER_MS - 5 * DAY_MS) -> None:
    account = owner.desk.accounts[who]
    usage = Usage(who, "voice", start_ms, 60)
    owner.desk.do(who, PostCharge(usage, seal(charge_of(amount)), account.version, account.mark))


def page(**given: object) -> pb.BillAccountsRequest:
    fields: dict[str, object] = {"domain": "GD", "slot": 0, "period": "2026-09/1", "channel": "front"}
    return pb.BillAccountsRequest(**(fields | given))


async def reason_of(call: object) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as met:
        await call  # type: ignore[misc]
    return from_rpc_error(met.value).reason


async def test_a_run_bills_page_by_page_and_asking_again_finds_nobody_due(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    first = await billing.BillAccounts(page(accounts_max=3))
    rest = await billing.BillAccounts(page(page=first.next_page))
    told = [*first.outcomes, *rest.outcomes]
    assert [each.account_id for each in told] == PEOPLE
    assert {each.bill.total for each in told} == {2_340_000}
    assert sorted(each.bill.number for each in told) == [f"bill-{number}" for number in range(1, 8)]
    assert (rest.next_page, (await billing.BillAccounts(page())).outcomes) == ("", [])
    read = await billing.ReadBills(pb.ReadBillsRequest(identity=PEOPLE[0], channel="front"))
    assert [bill.number for bill in read.bills] == [told[0].bill.number]
    assert read.bills[0] == told[0].bill


async def test_a_trial_is_the_real_bill_to_the_last_micro_unit_and_keeps_nothing(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    owner.contracts[PEOPLE[0]] = contract_of(PEOPLE[0])
    before = dict(owner.desk.accounts)
    trial = await billing.BillAccounts(page(trial=True))
    assert owner.desk.accounts == before
    real = await billing.BillAccounts(page())
    for guess, done in zip(trial.outcomes, real.outcomes, strict=True):
        assert guess.bill.number == ""
        guess.bill.number = done.bill.number
        assert guess == done


async def test_fees_that_fell_due_are_posted_once_with_the_bill(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    owner.contracts[PEOPLE[0]] = contract_of(PEOPLE[0])
    (outcome,) = (await billing.BillAccounts(page(identity=PEOPLE[0], period=""))).outcomes
    assert [(line.kind, line.rule, line.net) for line in outcome.bill.lines] == [
        ("usage", "", 2_345_678),
        ("fee", "rent", 30 * YUAN),
    ]
    marks = owner.desk.accounts[PEOPLE[0]].open.fees
    assert [mark.fee for mark in marks] == ["rent"]
    assert marks[0].to_ms > OVER_MS, "October is paid in advance, and on the bill of October"


async def test_discounts_of_the_whole_bill_are_lines_of_it_at_their_level_and_the_books_give_them_back(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    rules = [
        {"id": "loyal", "stage": "product", "level": "C", "percent": "10", "applies_to": ["bill"],
         "when": {"customer": {"grade": ["gold"]}}},
        {"id": "no-calls", "stage": "subscriber", "percent": "50", "applies_to": ["bill"],
         "when": {"items": ["voice"]}},
    ]  # fmt: skip
    owner.publish(with_rent("3", discounts=rules))
    who = PEOPLE[0]
    owner.contracts[who] = replace(owner.contracts[who], agreements=("no-calls",))
    owner.desk.do(who, SetProfile({}, {"grade": "gold"}, ()))
    trial = (await billing.BillAccounts(page(identity=who, trial=True))).outcomes[0].bill
    (outcome,) = (await billing.BillAccounts(page(identity=who))).outcomes
    assert [(line.kind, line.level, line.rule, line.net) for line in outcome.bill.lines] == [
        ("usage", "", "", 2_345_678),
        ("discount", "S", "no-calls", -1_172_839),
        ("discount", "C", "loyal", -117_284),
    ]
    trial.number = outcome.bill.number
    assert trial == outcome.bill
    account = owner.desk.accounts[who]
    assert (outcome.bill.total, outcome.bill.carried_out, account.books[0].amount) == (1_050_000, 5_555, -5_555)
    closed = owner.desk.journals[who][-1].events[0]
    assert isinstance(closed, PeriodClosed)
    assert [(step.rule, step.level) for step in unpack_steps(Raw(closed.steps)) if step.kind == "discount"] == [
        ("no-calls", "S"),
        ("loyal", "C"),
    ]
    assert audit(owner.desk.journals[who], who).findings == ()


async def test_fees_and_bill_are_one_entry_of_the_journal(billing: BillingServiceStub, owner: OwnerInMemory) -> None:
    owner.contracts[PEOPLE[0]] = contract_of(PEOPLE[0])
    before = len(owner.desk.journals[PEOPLE[0]])
    await billing.BillAccounts(page(identity=PEOPLE[0], period=""))
    (entry,) = owner.desk.journals[PEOPLE[0]][before:]
    kinds = [type(event).__name__ for event in entry.events]
    assert (set(kinds[:-1]), kinds[-1]) == ({"FeePosted"}, "PeriodClosed")


async def test_fees_that_there_is_no_money_for_are_told_and_stay_due_while_the_bill_is_made(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    owner.contracts[PEOPLE[0]] = contract_of(PEOPLE[0])
    account = owner.desk.accounts[PEOPLE[0]]
    owner.desk.accounts[PEOPLE[0]] = replace(account, terms=replace(account.terms, credit_limit=0))
    (outcome,) = (await billing.BillAccounts(page(identity=PEOPLE[0], period=""))).outcomes
    assert from_status(outcome.fees_error).reason == "INSUFFICIENT_FUNDS"
    assert [line.kind for line in outcome.bill.lines] == ["usage"]
    assert owner.desk.accounts[PEOPLE[0]].open.fees == ()


async def test_nobody_is_billed_whose_contract_can_t_be_read_for_its_fees_would_be_left_out(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    away = failed(Unavailable("STORE_UNAVAILABLE", "the store is away", retry_ms=10))
    owner.intercept = lambda ask: away if isinstance(ask, Pull) and ask.identity == PEOPLE[0] else None
    told = await billing.BillAccounts(page())
    errors = {each.account_id: from_status(each.error).reason for each in told.outcomes if each.HasField("error")}
    assert errors == {PEOPLE[0]: "STORE_UNAVAILABLE"}
    owner.intercept = None
    assert [each.account_id for each in (await billing.BillAccounts(page())).outcomes] == PEOPLE[:1]


async def test_a_contract_that_ends_between_makes_the_bill_anew_without_its_fee(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    owner.contracts[PEOPLE[0]] = contract_of(PEOPLE[0])
    ends = [replace(contract_of(PEOPLE[0]), subscriptions=())]

    def between(ask: object) -> Answer | None:
        if isinstance(ask, CloseAccounts) and ends:
            owner.desk.do(PEOPLE[0], SetContract(ends[0]))
            owner.contracts[PEOPLE[0]] = ends.pop()
        return None

    owner.intercept = between
    (outcome,) = (await billing.BillAccounts(page(identity=PEOPLE[0], period=""))).outcomes
    assert [line.kind for line in outcome.bill.lines] == ["usage"]


async def test_a_page_is_billed_in_parts_and_told_in_its_order(
    billing: BillingServiceStub, owner: OwnerInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_ACCOUNTS", 2)
    monkeypatch.setattr(parts, "PARTS_AT_ONCE", 2)
    told = (await billing.BillAccounts(page())).outcomes
    assert [each.account_id for each in told] == PEOPLE
    assert sorted(each.bill.number for each in told) == [f"bill-{number}" for number in range(1, 8)]


async def test_a_run_may_ask_for_the_sums_of_bills_alone(billing: BillingServiceStub) -> None:
    whole = (await billing.BillAccounts(page(trial=True))).outcomes
    sums = (await billing.BillAccounts(page(trial=True, sums_only=True))).outcomes
    for full, brief in zip(whole, sums, strict=True):
        assert (full.bill.lines != [], brief.bill.lines) == (True, [])
        for field in ("lines", "taxes", "money"):
            full.bill.ClearField(field)
        assert full == brief


async def test_who_is_billed_between_two_workers_is_told_once_as_done_and_once_as_done_before(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    first = await billing.BillAccounts(page(accounts_max=2))
    listed = owner.intercept
    again = await billing.BillAccounts(page(identity=PEOPLE[0], period="", trial=True))
    assert again.outcomes[0].period == "2026-10/1"
    assert listed is None
    assert len(first.outcomes) == 2


async def test_an_account_that_is_charged_meanwhile_is_billed_anew_with_the_charge(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    late = [1]

    def between(ask: object) -> Answer | None:
        if isinstance(ask, CloseAccounts) and PEOPLE[3] in [each.account_id for each in ask.closes] and late:
            use(owner, PEOPLE[3], late.pop() * YUAN)
        return None

    owner.intercept = between
    told = await billing.BillAccounts(page())
    assert {each.account_id: each.bill.total for each in told.outcomes}[PEOPLE[3]] == 3_340_000
    assert not any(each.HasField("error") for each in told.outcomes)


async def test_without_an_open_run_nobody_is_billed_but_a_single_account_on_demand(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    assert await reason_of(billing.BillAccounts(page(slot=1))) == "RUN_NOT_OPEN"
    assert await reason_of(billing.BillAccounts(page(period="2026-10/1"))) == "RUN_NOT_OPEN"
    assert await reason_of(billing.BillAccounts(page(period="later"))) == "PERIOD_MALFORMED"
    assert await reason_of(billing.BillAccounts(page(slot=99))) == "SLOT_UNKNOWN"
    assert await reason_of(billing.BillAccounts(page(identity=PEOPLE[2], period="2027-01/1"))) == "BILL_PERIOD_AHEAD"
    assert await reason_of(billing.BillAccounts(page(identity=PEOPLE[2], period="2026-08/1"))) == "BILL_PERIOD_CLOSED"
    (one,) = (await billing.BillAccounts(page(identity=PEOPLE[2]))).outcomes
    assert one.bill.total == 2_340_000
    (early,) = (await billing.BillAccounts(page(identity=PEOPLE[2], period="2026-10/1"))).outcomes
    assert from_status(early.error).reason == "PERIOD_NOT_OVER"


async def test_an_account_that_was_refused_too_early_is_billed_by_the_next_try(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    owner.desk.now_ms = OVER_MS - 1
    (early,) = (await billing.BillAccounts(page(identity=PEOPLE[2]))).outcomes
    assert from_status(early.error).reason == "PERIOD_NOT_OVER"
    owner.desk.now_ms = OVER_MS
    (one,) = (await billing.BillAccounts(page(identity=PEOPLE[2]))).outcomes
    assert (one.bill.total, one.HasField("error")) == (2_340_000, False)


async def test_a_page_token_of_another_account_begins_nowhere(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    await billing.BillAccounts(page())
    told = await billing.ReadBills(pb.ReadBillsRequest(identity=PEOPLE[0], channel="front", periods_max=1))
    wrong = pb.ReadBillsRequest(identity=PEOPLE[1], channel="front", page=told.next_page)
    assert await reason_of(billing.ReadBills(wrong)) == "PAGE_TOKEN_FOREIGN"


async def test_what_is_left_to_pay_is_owed_by_service_with_the_late_fee_of_the_catalogue(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    await billing.BillAccounts(page(accounts_max=1))
    (owed,) = owner.desk.accounts[PEOPLE[0]].open.bills
    assert [(row.service, row.open) for row in owed.items] == [("voice", 2_340_000)]
    assert owed.late.ppm_a_day == 3_000


async def test_a_closed_bill_is_printed_with_the_periods_before_it(
    billing: BillingServiceStub, start_platform: Platforms, owner: OwnerInMemory, tmp_path: Path
) -> None:
    await billing.BillAccounts(page())
    use(owner, PEOPLE[0], 5_000_000, OVER_MS + DAY_MS)
    owner.desk.now_ms = OVER_MS + 32 * DAY_MS
    await billing.BillAccounts(pb.BillAccountsRequest(identity=PEOPLE[0], channel="front"))
    tier = await start_platform()

    async def document(*arguments: str, status: int = 0) -> str:
        command = ["document", PEOPLE[0], *arguments, "--endpoint", tier.address, "--datacenter", "127.0.0.1:9"]
        result = await asyncio.to_thread(CliRunner().invoke, app, command)
        assert result.exit_code == status, result.output
        return result.stdout

    made = from_json((await document("2026-10", "--language", "en", "--json")).encode())
    told = (await billing.ReadBills(pb.ReadBillsRequest(identity=PEOPLE[0], channel="front"))).bills
    assert (made.language, made.bill.number, made.bill.period) == ("en", told[0].number, "2026-10/1")
    assert bill_told(made.bill) == told[0]
    assert [(past.period, past.total) for past in made.history] == [
        ("2026-09/1", told[1].total),
        ("2026-10/1", told[0].total),
    ]
    first = from_json((await document("2026-09/1", "--json")).encode())
    assert (first.language, [past.period for past in first.history]) == ("zh", ["2026-09/1"])
    await document("2026-10", "--out", str(tmp_path / "bills" / "october.pdf"))
    assert (tmp_path / "bills" / "october.pdf").read_bytes().startswith(b"%PDF-")
    await document("2026-11", "--json", status=1)
    await document(status=2)
    assert not first.payments
    owner.desk.do(PEOPLE[0], Pay(YUAN, "", "", "", "transfer", ""), "by-bank")
    owner.desk.do(PEOPLE[0], ReversePayment("by-bank", "no cover"), "back")
    owner.desk.do(PEOPLE[0], TopUp("main", "money", 3 * YUAN, 0, 0, "", "cash"), "at-the-counter")
    settled = from_json((await document("2026-09/1", "--json")).encode()).payments
    assert [(each.day, each.kind, each.amount, each.reference) for each in settled] == [
        ("2026-11-02", "transfer", YUAN, "by-bank"),
        ("2026-11-02", "reversed", -YUAN, "back"),
        ("2026-11-02", "balance", 2_340_000, "at-the-counter"),
    ]
    assert sum(each.amount for each in settled) == told[1].payable


async def test_bills_that_were_made_before_a_port_are_read_where_they_were_made() -> None:
    asked: list[str] = []
    kept = {"account:GD/3:msisdn:1": [a_bill(2)], "domain:GD/3": [a_bill(1)], "domain:XJ/7": []}

    async def ask(questions: Sequence[Question]) -> list[Answer]:
        asked.extend(question.route for question in questions)
        return [Bills("GD/3:msisdn:1", tuple(kept[question.route])) for question in questions]

    moved = an_account("GD/3:msisdn:1", 9, "BJ", closed=2026 * 12, places=("GD/3", "XJ/7"))
    billing = AccountBilling(ask, Timeline.build([], "BJ", "Asia/Shanghai"), BillingCaller("", "", ""), OVER_MS)
    told = await billing.read(moved, pb.ReadBillsRequest(identity="msisdn:1"))
    assert asked == ["account:GD/3:msisdn:1", "domain:GD/3", "domain:XJ/7"]
    assert sorted(bill.number for bill in told.bills) == ["GD-2026-000000001", "GD-2026-000000002"]
