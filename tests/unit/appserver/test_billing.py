"""Operators and bill runs at the platform: what is asked of a domain is asked of each slot, once for each key."""

from collections.abc import AsyncIterator, Callable

import grpc
import pytest
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub

from business.billing.periods import ends_ms, read_period
from charging.base.localtime import LocalTime
from charging.errors import Unavailable
from charging.ledger.permission import Grant
from charging.wire import Answer, FetchReference, History, HistoryLine, Instruct, failed
from runtime.channel import open_channel
from runtime.server import RunningTier
from runtime.status import from_rpc_error, from_status
from testkit.owner import SLOTS, OwnerInMemory
from tests.unit.appserver.conftest import Platforms

OVER_MS = ends_ms(read_period("2026-09/1"), LocalTime("Asia/Shanghai"))
DAY_MS = 86_400_000


@pytest.fixture
async def billing(start_platform: Platforms, owner: OwnerInMemory) -> AsyncIterator[BillingServiceStub]:
    """The billing service of a platform; the period 2026-09/1 was over a day ago."""
    owner.desk.now_ms = OVER_MS + DAY_MS
    tier: RunningTier = await start_platform()
    channel = open_channel(tier.address)
    yield BillingServiceStub(channel)
    await channel.close()


def opening(key: str = "k-1", **given: object) -> pb.ChangeBillRunsRequest:
    fields: dict[str, object] = {
        "domain": "GD",
        "period": "2026-09/1",
        "request_key": key,
        "channel": "front",
        "open": pb.OpenBillRun(mode="direct", until_ms=OVER_MS + 2 * DAY_MS),
    }
    return pb.ChangeBillRunsRequest(**(fields | given))


async def reason_of(call: object) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as met:
        await call  # type: ignore[misc]
    return from_rpc_error(met.value).reason


async def test_a_domain_is_opened_in_all_its_slots_and_a_repeat_changes_nothing(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    first = await billing.ChangeBillRuns(opening())
    assert [each.run.run_id for each in first.outcomes] == [f"GD/{slot}:2026-09/1" for slot in range(SLOTS)]
    assert {(each.run.state, each.run.mode, each.repeated) for each in first.outcomes} == {("open", "direct", False)}
    again = await billing.ChangeBillRuns(opening())
    assert [each.run for each in again.outcomes] == [each.run for each in first.outcomes]
    assert {each.repeated for each in again.outcomes} == {True}
    other = await billing.ChangeBillRuns(opening(open=pb.OpenBillRun(mode="direct", until_ms=OVER_MS + 3 * DAY_MS)))
    assert {from_status(each.error).reason for each in other.outcomes} == {"REQUEST_KEY_REUSED"}
    told = await billing.ListBillRuns(pb.ListBillRunsRequest(domain="GD", channel="front"))
    assert [(run.slot, run.period, run.state) for run in told.runs] == [
        (slot, "2026-09/1", "open") for slot in range(SLOTS)
    ]


async def test_each_slot_has_its_own_outcome_and_what_failed_is_repeated_with_the_same_key(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    done = await billing.ChangeBillRuns(opening(slots=[1]))
    assert [(each.slot, each.run.state) for each in done.outcomes] == [(1, "open")]

    def away(ask: object) -> Answer | None:
        gone = isinstance(ask, Instruct) and ask.instruction.subject_id == "billruns:GD/2"
        return failed(Unavailable("SLOT_MOVING", "repeat", retry_ms=100)) if gone else None

    owner.intercept = away
    some = await billing.ChangeBillRuns(opening("k-2"))
    assert [from_status(each.error).reason if each.HasField("error") else each.run.state for each in some.outcomes] == [
        "open",
        "RUN_OPEN",
        "SLOT_MOVING",
    ]
    owner.intercept = None
    rest = await billing.ChangeBillRuns(opening("k-2"))
    assert [from_status(each.error).reason if each.HasField("error") else each.run.state for each in rest.outcomes] == [
        "open",
        "RUN_OPEN",
        "open",
    ]


async def test_a_run_is_planned_completed_and_cancelled(billing: BillingServiceStub) -> None:
    plan = pb.PlanBillRun(mode="direct", from_ms=OVER_MS + DAY_MS, until_ms=OVER_MS + 2 * DAY_MS)
    for key, change, state, completion in (
        ("k-1", {"plan": plan}, "planned", ""),
        ("k-2", {"cancel": pb.CancelBillRun(reason="another day")}, "cancelled", ""),
        ("k-3", {"plan": plan}, "planned", ""),
        ("k-4", {"open": pb.OpenBillRun()}, "open", ""),
        ("k-5", {"complete": pb.CompleteBillRun()}, "completed", "early"),
    ):
        request = pb.ChangeBillRunsRequest(domain="GD", slots=[0], period="2026-09/1", request_key=key, **change)
        (told,) = (await billing.ChangeBillRuns(request)).outcomes
        assert (told.run.state, told.run.completion) == (state, completion), told
    assert told.run.attempt == 2
    assert told.run.from_ms == plan.from_ms


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"domain": "XX"}, "DOMAIN_UNKNOWN"),
        ({"domain": ""}, "DOMAIN_UNKNOWN"),
        ({"slots": [SLOTS]}, "SLOT_UNKNOWN"),
        ({"period": "2026-9"}, "PERIOD_MALFORMED"),
        ({"request_key": ""}, "REQUEST_KEY_MISSING"),
        ({"request_key": "~receive~x"}, "REQUEST_KEY_MALFORMED"),
        ({"actor": "x" * 201}, "TEXT_TOO_LONG"),
        ({"channel": "x" * 65}, "TEXT_TOO_LONG"),
        ({"open": None}, "CHANGE_MISSING"),
    ],
)
async def test_what_is_wrong_is_refused_before_any_slot_is_asked(
    billing: BillingServiceStub, owner: OwnerInMemory, given: dict[str, object], reason: str
) -> None:
    assert await reason_of(billing.ChangeBillRuns(opening(**given))) == reason
    assert "Instruct" not in owner.asked


@pytest.mark.parametrize(
    ("grant", "reason"),
    [
        (Grant("local", ("bill_runs", "plan_bill_run")), "COMMAND_NOT_GRANTED"),
        (Grant("local", ("open_bill_run",), channels=("fax",)), "CHANNEL_NOT_GRANTED"),
        (Grant("local", ("open_bill_run",), domains=("BJ",)), "REGION_NOT_GRANTED"),
        (Grant("local", ("open_bill_run",)), ""),
    ],
)
async def test_what_is_not_granted_is_refused_at_once(
    billing: BillingServiceStub, owner: OwnerInMemory, grant: Grant, reason: str
) -> None:
    owner.grants, owner.revision = (grant,), owner.revision + 1
    if reason:
        assert await reason_of(billing.ChangeBillRuns(opening())) == reason
        assert "Instruct" not in owner.asked
    else:
        assert len((await billing.ChangeBillRuns(opening())).outcomes) == SLOTS
        assert await reason_of(billing.ListBillRuns(pb.ListBillRunsRequest(domain="GD"))) == "COMMAND_NOT_GRANTED"


async def test_the_history_of_a_slot_comes_in_pages_with_what_happened_in_words(
    billing: BillingServiceStub, owner: OwnerInMemory
) -> None:
    def line(key: str, reason: str, *notices: str) -> HistoryLine:
        return HistoryLine(
            key, "open_bill_run", 5, "", "", 0, 0, "li", "front", reason, (), (), 3, notices, "operator/li"
        )

    owner.intercept = lambda ask: (
        None
        if isinstance(ask, FetchReference)
        else History((line("k-2", "RUN_OPEN"), line("k-1", "", "run opened")), 77)
    )
    told = await billing.ReadBillRunHistory(pb.ReadBillRunHistoryRequest(domain="GD", slot=2))
    assert [(each.request_key, each.text, each.refusal) for each in told.changes] == [
        ("k-2", "", "RUN_OPEN"),
        ("k-1", "run opened", ""),
    ]
    assert told.next_cursor == 77
    assert (
        await reason_of(billing.ReadBillRunHistory(pb.ReadBillRunHistoryRequest(domain="GD", slot=3))) == "SLOT_UNKNOWN"
    )
    beyond = pb.ReadBillRunHistoryRequest(domain="GD", cursor=1 << 63)
    assert await reason_of(billing.ReadBillRunHistory(beyond)) == "CURSOR_UNKNOWN"


async def test_a_call_ends_with_its_deadline_though_no_owner_answers(
    start_platform: Callable[..., object], billing: BillingServiceStub, owner: OwnerInMemory, datacenter: object
) -> None:
    datacenter.stuck.add("domain:GD/1")  # type: ignore[attr-defined]
    told = await billing.ChangeBillRuns(opening(), timeout=5)
    assert [each.run.state or from_status(each.error).reason for each in told.outcomes] == [
        "open",
        "DEADLINE_EXCEEDED",
        "open",
    ]
