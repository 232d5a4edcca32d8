"""The query "fees": what falls due next, by whom, on which bill; it is what a run then posts."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb
from typer.testing import CliRunner

from appserver.replies.fees import fill_fees
from charging.base.contract import Subscription
from charging.base.localtime import MONTH, span, zone_of
from charging.catalogue.document import from_plain, pack
from charging.errors import Invalid
from charging.ledger.commands.post_fees import PostFees
from charging.plans.timeline import Timeline
from charging.rating.fee_schedule import coming, schedule
from charging.wire import CatalogueRef
from console.operations.billing import app
from runtime.languages import tongue_for
from runtime.status import from_status
from testkit.front import Front
from testkit.ledger import Desk, contract_of, opening
from testkit.owner import OwnerInMemory
from tests.unit.appserver.conftest import Platforms
from tests.unit.appserver.test_bill_accounts import DAY_MS, OVER_MS, YUAN

SHANGHAI = zone_of("Asia/Shanghai")
WHO = "msisdn:8613900000001"
BEGAN_MS = OVER_MS - 10 * DAY_MS
NOVEMBER_MS = OVER_MS + 31 * DAY_MS
CATALOGUE = from_plain(
    {
        "catalogue": "test",
        "version": "2",
        "currency": "CNY",
        "services": [{"id": "voice", "unit": "second"}],
        "fees": [
            {"id": "rent", "amount": "30", "prorated": True},
            {"id": "service", "amount": "6", "prorated": True, "charged": "arrears", "trial_days": "5"},
        ],
        "offerings": [{"id": "plan", "services": ["voice"], "fees": ["rent", "service"], "discounts": ["tenth"]}],
        "discounts": [{"id": "tenth", "stage": "product", "percent": "10", "applies_to": ["fee"]}],
    }
)
HELD = replace(contract_of(WHO), subscriptions=(Subscription("plan", BEGAN_MS),))


def test_what_comes_is_told_with_its_bill_before_and_after_discounts_and_is_what_a_run_posts() -> None:
    """Taken on September 21st, nothing posted; asked on any day until November 1st, when its cycle begins."""
    timeline = Timeline.build([CatalogueRef("", 2, 0, pack(CATALOGUE))], "GD", "Asia/Shanghai")
    desk = Desk()
    desk.now_ms = BEGAN_MS
    action = replace(opening(WHO, 0, credit_limit=500 * YUAN), contract=HELD, zone="Asia/Shanghai")
    desk.do(WHO, action)
    account, plan = desk.accounts[WHO], timeline.plan_at(BEGAN_MS)
    told = pb.FeesView()
    dues = list(coming(timeline.plan_at, (HELD,), account, NOVEMBER_MS))
    fill_fees(told, plan, account, dues, tongue_for("en"))
    assert [(each.fee, each.due_ms, each.to_ms, each.period, each.before, each.amount) for each in told.fees] == [
        ("rent", BEGAN_MS, OVER_MS, "2026-09/1", 10 * YUAN, 9 * YUAN),
        ("rent", OVER_MS, NOVEMBER_MS, "2026-10/1", 30 * YUAN, 27 * YUAN),
        ("service", OVER_MS, OVER_MS, "2026-09/1", 1 * YUAN, YUAN * 9 // 10),
        ("rent", NOVEMBER_MS, NOVEMBER_MS + 30 * DAY_MS, "2026-11/1", 30 * YUAN, 27 * YUAN),
        ("service", NOVEMBER_MS, NOVEMBER_MS, "2026-10/1", 6 * YUAN, 6 * YUAN * 9 // 10),
    ]
    assert {(each.member, each.offering) for each in told.fees} == {(WHO, "plan")}
    assert told.amount == sum(each.amount for each in told.fees)
    desk.now_ms = NOVEMBER_MS
    done = desk.do(WHO, PostFees(schedule(timeline.plan_at, (HELD,), account, NOVEMBER_MS)))
    assert done.amount == told.amount
    assert not list(coming(timeline.plan_at, (HELD,), desk.accounts[WHO], NOVEMBER_MS))


@pytest.fixture
async def front(start_platform: Platforms, owner: OwnerInMemory) -> AsyncIterator[Front]:
    """A member who took the plan an hour ago, or as the month began, whatever day it is."""
    owner.publish(CATALOGUE)
    now_ms = time.time_ns() // 1_000_000
    month = span(MONTH, SHANGHAI.day(now_ms // 1000), 1)
    owner.desk.now_ms = max(now_ms - 3_600_000, SHANGHAI.day_begins(month.start) * 1000)
    contract = replace(contract_of(WHO, "GD/0:1"), subscriptions=(Subscription("plan", owner.desk.now_ms),))
    owner.desk.do("GD/0:1", replace(opening("GD/0:1", 0, credit_limit=500 * YUAN), contract=contract))
    owner.contracts[WHO] = contract
    tier = await start_platform()
    found = Front(tier.address)
    yield found
    await found.channel.close()


async def test_it_is_asked_at_the_door_and_on_the_console_and_changes_nothing(
    front: Front, owner: OwnerInMemory
) -> None:
    before = dict(owner.desk.accounts)
    reply = await front.one(front.query(WHO, view="fees"))
    told = reply.fees
    assert [each.fee for each in told.fees if each.due_ms < told.until_ms] == ["rent"], "and others as the cycle begins"
    assert told.fees[-1].due_ms == told.until_ms
    later = (await front.one(front.query(WHO, view="fees", to_ms=told.until_ms + 40 * DAY_MS))).fees
    assert list(later.fees)[: len(told.fees)] == list(told.fees)
    assert len(later.fees) > len(told.fees)
    for far_ms in (1, told.until_ms + 500 * DAY_MS):
        with pytest.raises(Invalid) as caught:
            raise from_status((await front.one(front.query(WHO, view="fees", to_ms=far_ms))).error)
        assert caught.value.reason == "TIMES_MALFORMED"
    for identity in (WHO, "account:GD/0:1"):
        command = ["fees", identity, "--json", "--endpoint", front.address]
        result = await asyncio.to_thread(CliRunner().invoke, app, command)
        assert result.exit_code == 0, result.output
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert [(row["fee"], row["amount"], row["period"]) for row in rows] == [
            (each.fee, each.amount, each.period) for each in told.fees
        ]
    assert owner.desk.accounts == before
