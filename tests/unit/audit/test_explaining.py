"""From a bill back to what made it: a line to its charges, a charge to its tariff, postings and journal entry."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from audit.explaining import PeriodExplained, explain_charge, explain_period, month_of_bill
from audit.journals import JournalRef
from charging.base.buckets import SumKey
from charging.base.due import Due
from charging.base.localtime import month_at
from charging.bills.bill import PAYEE, PAYEE_ITEM
from charging.bills.taxtable import TaxTable
from charging.errors import NotFound
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.refund import Refund
from charging.ledger.dues import Dues, taken
from charging.ledger.ledger import seal
from charging.rating.closing import closing_of
from charging.wire import Done
from console.operations import explaining
from console.operations.billing import app
from console.operations.document_reading import details_of, quantity_text
from directory.changes import Domain, NumberPlan, UnitAddress
from directory.directory import Directory
from evidence.seals import open_sealed
from house.stores import STORES
from testkit.ledger import charge_of
from tests.unit.audit.sound import account_of, owned, ref, ring_of
from tests.unit.domainservers.room import ALICE, NOW_MS, Clock, charge, do, opening

MONTH_MS = 31 * 86_400_000
MONTH = month_at("UTC", 1, NOW_MS)
TAXES = TaxTable(coin=100)


@pytest.fixture
async def billed(tmp_path: Path) -> str:
    """A unit in which Alice called, was given something back, and was billed a month later, with a fee."""
    found = f"sqlite://{tmp_path}/unit.db"
    await STORES.migrate(found)
    ring, clock = ring_of(found), Clock()
    unit = await open_sealed(STORES, found, ring)
    national = await STORES.open(f"sqlite://{tmp_path}/directory.db")
    async with owned(unit, "GD/0", ring, clock=clock, national=national) as slot:
        await do(slot, "open", opening())
        await do(slot, "call-1", charge(300))
        await do(slot, "call-2", charge(900))
        await do(slot, "dear", charge(99_000_000))
        await do(slot, "back", Refund("call-1", 100, "bad line"))
        await do(slot, "sorry", Adjust("main", 50, "sorry"))
        clock.ms += MONTH_MS
        await do(slot, "late", charge(7))
        account = await account_of(slot, ALICE)
        rent = Due(ALICE, "plan", "rent", "rent", NOW_MS, clock.ms, seal(charge_of(3_000)))
        due = Dues((rent,), account.version, account.mark)
        _, state = taken(account, due, clock.ms)
        closing = replace(closing_of(state, TAXES, MONTH, clock.ms), dues=due)
        assert isinstance(await do(slot, "close", closing), Done)
    await national.close()
    await unit.close()
    return found


async def test_the_parts_of_every_line_add_up_to_it(billed: str) -> None:
    found = await explain_period(ref(billed, "GD/0"), ALICE, MONTH)
    assert found.bill is not None
    wanted = {(line.item, line.kind): line.gross for line in found.bill.lines}
    assert {(head.item, head.kind or "usage"): amount for head, amount in found.sums().items()} == wanted
    assert {part.at.entry.key for part in found.parts} >= {"call-1", "call-2", "back", "sorry", "close"}
    assert "dear" not in {part.at.entry.key for part in found.parts}
    assert found.closed_by is not None
    assert found.closed_by.entry.key == "close"


async def test_detail_records_are_the_parts_of_a_bill_and_add_up_to_it(billed: str) -> None:
    found = await explain_period(ref(billed, "GD/0"), ALICE, MONTH)
    assert found.bill is not None
    told = list(details_of(found, {"voice": "second"}))
    assert sum(each.amount for each in told) == found.bill.gross
    when = datetime.fromtimestamp(NOW_MS // 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    calls = [(each.time, each.item, each.quantity, each.amount) for each in told if each.quantity]
    assert calls[:2] == [(when, "voice", "1 min", 300), (when, "voice", "1 min", 900)]


@pytest.mark.parametrize(
    ("quantity", "unit", "text"),
    [
        (61, "second", "61 s"),
        (7_200, "second", "2 h"),
        (3 << 20, "byte", "3 MB"),
        (1_025, "byte", "1,025 B"),
        (0, "byte", "0"),
        (2, "event", "2"),
        (90, "", "90"),
    ],
)
def test_a_quantity_is_told_in_the_largest_unit_that_leaves_nothing_over(quantity: int, unit: str, text: str) -> None:
    assert quantity_text(quantity, unit) == text


async def test_a_period_that_is_open_has_parts_and_no_bill(billed: str) -> None:
    found = await explain_period(ref(billed, "GD/0"), ALICE, MONTH + 1)
    assert (found.bill, found.closed_by) == (None, None)
    assert sum(part.amount for part in found.parts) >= 0
    assert (await explain_period(ref(billed, "GD/0"), ALICE, MONTH + 9)).parts == ()


async def test_a_bill_is_found_by_its_number(billed: str) -> None:
    bill = (await explain_period(ref(billed, "GD/0"), ALICE, MONTH)).bill
    assert bill is not None
    assert await month_of_bill(ref(billed, "GD/0"), ALICE, bill.number) == MONTH
    with pytest.raises(NotFound) as caught:
        await month_of_bill(ref(billed, "GD/0"), ALICE, "GD-0-2020-1")
    assert caught.value.reason == "BEYOND_REACH"


async def test_a_charge_leads_to_its_postings_and_its_line(billed: str) -> None:
    found = await explain_charge(ref(billed, "GD/0"), ALICE, "call-2")
    assert sum(leg.delta for leg in found.legs) == 0
    assert {leg.place: leg.delta for leg in found.legs} == {"book:main": -900, "revenue": 900}
    ((head, amount),) = found.heads
    assert (head.month, amount) == (MONTH, 900)
    assert (found.at.slot, found.at.entry.key) == ("GD/0", "call-2")
    with pytest.raises(NotFound) as caught:
        await explain_charge(ref(billed, "GD/0"), ALICE, "never")
    assert caught.value.reason == "CHARGE_UNKNOWN"


@pytest.fixture
async def directory(billed: str, tmp_path: Path) -> str:
    found = f"sqlite://{tmp_path}/country.db"
    await STORES.migrate(found)
    unit = await STORES.open(found)
    log = await Directory.open(unit, ring=ring_of(found))
    domain = Domain("GD", "Guangdong", "Asia/Shanghai", 1, "private", "private")
    await log.amend([UnitAddress("private", billed), domain, NumberPlan({"86138": "GD"})], "country", "test")
    await log.close()
    await unit.close()
    return found


def onetier_billing(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_one_command_leads_from_a_line_to_its_charges_and_one_from_there_to_the_entry(directory: str) -> None:
    period = f"{MONTH // 12}-{MONTH % 12 + 1:02d}"
    said = onetier_billing("explain", ALICE, period, "--slot", "GD/0", "--directory", directory)
    assert "call-2" in said
    assert "closed: GD-0-" in said
    rows = onetier_billing("explain", ALICE, period, "--slot", "GD/0", "--directory", directory, "--json").splitlines()
    assert {"call-1", "call-2"} <= {json.loads(row)["request_key"] for row in rows}
    told = onetier_billing("charge", ALICE, "call-2", "--slot", "GD/0", "--directory", directory)
    assert "journal: GD/0 group" in told
    assert "posted revenue" in told
    assert f"billed in {period}" in told
    found = json.loads(onetier_billing("charge", ALICE, "call-2", "--slot", "GD/0", "--directory", directory, "--json"))
    assert found["lines"][0]["amount"] == 900
    assert CliRunner().invoke(app, ["charge", "x", "call-2", "--directory", directory]).exit_code == 2


def test_a_payers_line_leads_to_the_bill_behind_it_and_its_charges(
    directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The payer's period is made up: one line, for Alice's bill."""
    find, plain = explaining.journal_of, explaining.explain_period

    async def period_of(of: JournalRef, account_id: str, month: int) -> PeriodExplained:
        found = await plain(of, ALICE, month)
        if account_id == ALICE:
            return found
        assert found.bill is not None
        head = SumKey(month, PAYEE_ITEM, f"account:{ALICE}", kind=PAYEE, rule=found.bill.number)
        return PeriodExplained((replace(found.parts[0], head=head, amount=found.bill.payable),), None, None, ())

    monkeypatch.setattr(explaining, "explain_period", period_of)
    monkeypatch.setattr(explaining, "journal_of", lambda account, _slot, *where: find(account, "GD/0", *where))
    asked = ("explain", "GD/0:firm", f"{MONTH // 12}-{MONTH % 12 + 1:02d}", "--directory", directory)
    assert "call-2" not in onetier_billing(*asked)
    said = onetier_billing(*asked, "--payees")
    assert f"of {ALICE}:" in said
    assert "call-2" in said
    rows = [json.loads(row) for row in onetier_billing(*asked, "--payees", "--json").splitlines()]
    assert {row["request_key"] for row in rows if row.get("payee") == ALICE} >= {"call-1", "call-2", "close"}
