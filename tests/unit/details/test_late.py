"""Who has late usage is found in the details, and waits until it was rated."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb
from typer.testing import CliRunner

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.lateness import LATE_MS_MAX
from charging.base.localtime import LocalTime
from charging.plans.timeline import Timeline
from console.frontend.mediating import app
from console.frontend.rerating import JobDesk, rate_late
from details import keeping
from details.late import LATE_MS, LateBook, LateUsage
from details.rows import GROUP_PLACES, StoredUsage
from details.store import DetailStore
from evidence.keys import fresh_ring
from mediation.gathering import Gatherer, JournalPlace
from mediation.rerating import freezing
from mediation.rerating.bycolumns import Ways
from mediation.rerating.freezing import Freezer, FrozenAccount, LeftOut
from mediation.rerating.job import AccountOutcome, RerateJob
from mediation.rerating.latecomers import note
from mediation.rerating.places import Done
from mediation.rerating.rollback import Rollback
from mediation.rerating.rows import NamedRows
from mediation.rerating.tariffs import Tariffs
from mediation.rerating.units import Doer, RerateUnit, UnitOutcome
from onetier_client import AsyncClient
from testkit.ledger import an_account
from tests.unit.details.test_store import ALICE, BEGIN_MS, BOB, DAY_MS, ZONE, row


def late(seq: int, account: str, kind: str = "late", after_ms: int = LATE_MS + 1) -> StoredUsage:
    made = row(seq, account, amount=0 if kind == "late" else 10)
    return replace(made, usage=replace(made.usage, kind=kind, time_ms=BEGIN_MS + after_ms))


def filled(home: Path) -> DetailStore:
    store = DetailStore(home)
    rows = [late(1, ALICE), late(2, BOB, "charge"), late(3, "GD/0:carol", "charge", LATE_MS), late(4, ALICE)]
    store.take("GD/0", ZONE, rows, 4)
    return store


def test_who_waits_is_found_once_and_waits_until_it_was_rated(tmp_path: Path) -> None:
    store = filled(tmp_path / "one")
    book = LateBook(store)
    book.find("GD/0")
    alice, bob = book.waiting()
    assert (alice.account_id, alice.set_aside, alice.position) == (ALICE, True, 4 * GROUP_PLACES)
    assert (bob.account_id, bob.set_aside) == (BOB, False)
    book.rated(bob)
    book.find("GD/0")
    assert [each.account_id for each in book.waiting()] == [ALICE], "what was seen is not looked at again"
    # What comes while the account is rated waits on.
    store.take("GD/0", ZONE, [late(5, ALICE)], 5)
    book.find("GD/0")
    book.rated(alice)
    (again,) = book.waiting("GD/0")
    assert again.position == 5 * GROUP_PLACES
    store.close()


def test_what_was_charged_so_late_that_it_counts_for_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    store = DetailStore(tmp_path / "one")
    bob = [late(1, BOB, "charge", LATE_MS_MAX + 1), late(2, BOB, "charge", LATE_MS_MAX)]
    store.take("GD/0", ZONE, [late(0, ALICE, "charge", 400 * DAY_MS), *bob], 2)
    book = LateBook(store)
    book.find("GD/0")
    assert [(each.account_id, each.position) for each in book.waiting()] == [(BOB, 2 * GROUP_PLACES)]
    store.close()


def test_whoever_could_not_be_rated_waits_on_with_the_reason(tmp_path: Path) -> None:
    store = filled(tmp_path / "one")
    book = LateBook(store)
    book.find("GD/0")
    alice, bob = book.waiting()
    note(book, alice, AccountOutcome(ALICE, "left out", reason="INSUFFICIENT_FUNDS", why="5 are missing"))
    note(book, bob, AccountOutcome(BOB, "restated", unrated="CATALOGUE_MISSING"))
    assert [each.reason for each in book.waiting()] == ["INSUFFICIENT_FUNDS", "CATALOGUE_MISSING"]
    shown = CliRunner().invoke(app, ["late", str(store.home)]).output
    assert "INSUFFICIENT_FUNDS: 5 are missing" in shown
    assert "2 accounts wait" in shown
    note(book, alice, AccountOutcome(ALICE, "restated"))
    note(book, bob, AccountOutcome(BOB, "restated", unrated="PART_GIVEN_BACK"))
    assert book.waiting() == []
    store.close()


def test_each_month_waits_by_itself_and_is_rated_with_all_later_ones(tmp_path: Path) -> None:
    store = DetailStore(tmp_path / "one")
    months = [late(1, ALICE), moved(late(2, ALICE), 31), moved(late(3, ALICE), 62)]
    store.take("GD/0", ZONE, months, 3)
    book = LateBook(store)
    book.find("GD/0")
    first, second, third = book.waiting()
    assert [each.month for each in (first, second, third)] == ["202410", "202411", "202412"]
    assert {each.position for each in (first, second, third)} == {3 * GROUP_PLACES}
    note(book, first, AccountOutcome(ALICE, "left out", reason="INSUFFICIENT_FUNDS", why="5 are missing"))
    note(book, second, AccountOutcome(ALICE, "restated"))
    (left,) = book.waiting()
    assert (left.month, left.reason, left.position) == ("202410", "INSUFFICIENT_FUNDS", GROUP_PLACES)
    book.find("GD/0")
    store.take("GD/0", ZONE, [moved(late(4, ALICE), 31)], 4)
    book.find("GD/0")
    assert [(each.month, each.reason) for each in book.waiting()] == [("202410", "INSUFFICIENT_FUNDS"), ("202411", "")]
    store.close()


async def test_a_month_that_can_not_be_paid_keeps_no_later_one_waiting(tmp_path: Path) -> None:
    store = DetailStore(tmp_path / "one")
    store.take("GD/0", ZONE, [late(1, ALICE), late(2, BOB), moved(late(3, ALICE), 31)], 3)
    began: list[tuple[str, str]] = []

    class Place:
        async def done(self, units: Iterator[RerateUnit]) -> AsyncGenerator[Done]:
            for unit in units:
                outcomes: list[AccountOutcome] = []
                for who in unit.accounts:
                    began.append((who, unit.job.late[who].month))
                    poor = unit.job.late[who].month == "202410" and who == ALICE
                    outcomes.append(AccountOutcome(who, "left out" if poor else "same", reason="NO" if poor else ""))
                yield unit, UnitOutcome(tuple(outcomes))

    rated_by = Tariffs({"GD": Timeline.build([], "GD", str(ZONE))}, "d")
    here = JobDesk(store, Gatherer(store, fresh_ring()), [JournalPlace("GD/0", "", str(ZONE))], AsyncClient(["x:1"]))
    job = RerateJob(BEGIN_MS + 40 * DAY_MS, 0, "")
    outcomes = await rate_late(here, rated_by, Place(), job, Ways())
    assert began == [(ALICE, "202410"), (BOB, "202410"), (ALICE, "202411")]
    assert [each.status for each in outcomes] == ["left out", "same", "same"]
    assert [(each.account_id, each.month, each.reason) for each in LateBook(store).waiting()] == [
        (ALICE, "202410", "NO")
    ]
    store.close()


def moved(row: StoredUsage, days: int) -> StoredUsage:
    """Give a row of so many days later."""
    told, by_ms = row.usage, days * DAY_MS
    usage = replace(told.usage, start_ms=told.usage.start_ms + by_ms)
    return replace(row, usage=replace(told, usage=usage, time_ms=told.time_ms + by_ms))


class Frozen:
    """Gives an account with its rows, as the freezer of a job does."""

    def __init__(self, account: Account, rows: Sequence[StoredUsage]) -> None:
        self.account = account
        self.rows = tuple(rows)

    async def frozen(self, *_: object) -> AsyncGenerator[FrozenAccount]:
        yield FrozenAccount(self.account, {}, self.rows)


class Taking:
    """A client whose restatements are all taken."""

    async def exchange(
        self, requests: Sequence[pb.ServiceRequest], **_: object
    ) -> AsyncGenerator[tuple[pb.ServiceRequest, pb.ServiceReply]]:
        for request in requests:
            yield request, pb.ServiceReply(command=pb.CommandResult())


def restated(seq: int, job: int) -> StoredUsage:
    made = late(seq, ALICE)
    return replace(made, usage=replace(made.usage, kind="restated", amount=5, key=f"rerate:{job}:9:{ALICE}"))


async def taken_back(home: Path, job: int, rows: Sequence[StoredUsage]) -> list[LateUsage]:
    store = DetailStore(home)
    store.take("GD/0", str(ZONE), list(rows), 9)
    back = Rollback(store, cast("Freezer", Frozen(an_account(ALICE, 9, "GD", currency="CNY"), rows)), job, 99)
    told = [each async for each in back.post(JournalPlace("GD/0", "", str(ZONE)), cast("AsyncClient", Taking()), "no")]
    assert [each.status for each in told] == ["taken back"]
    waiting = LateBook(store).waiting()
    store.close()
    return waiting


async def test_usage_whose_price_is_taken_back_waits_for_one_again(tmp_path: Path) -> None:
    set_aside = [late(1, ALICE), moved(late(2, ALICE), 31)]
    first, second = await taken_back(tmp_path / "one", 7, [*set_aside, restated(3, 7)])
    assert [(each.month, each.set_aside, each.reason) for each in (first, second)] == [
        ("202410", True, "JOB_TAKEN_BACK"),
        ("202411", True, "JOB_TAKEN_BACK"),
    ]
    assert "job 7" in first.why
    assert (first.position, first.from_ms) == (2 * GROUP_PLACES, BEGIN_MS)
    # What another job priced keeps that price, so it does not wait, unless that job was taken back itself.
    assert await taken_back(tmp_path / "two", 8, [*set_aside, restated(3, 7), restated(4, 8)]) == []
    back = restated(5, 7)
    back = replace(back, usage=replace(back.usage, key=f"rerate:7:back:9:{ALICE}", amount=-5))
    assert len(await taken_back(tmp_path / "three", 8, [*set_aside, restated(3, 7), restated(4, 8), back])) == 2


async def test_accounts_are_frozen_few_rows_at_a_time_and_one_of_too_many_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DetailStore(tmp_path / "one")
    carol = "GD/0:carol"
    rows = [late(number, who) for number, who in enumerate([ALICE] * 2 + [BOB] * 9 + [carol] * 3, 1)]
    store.take("GD/0", str(ZONE), rows, 20)
    monkeypatch.setattr(freezing, "ROWS_MAX", 8)
    monkeypatch.setattr(freezing, "ROWS_AT_ONCE", 4)
    read: list[int] = []
    plain = freezing.rows_in

    def counted(frame: pl.DataFrame) -> Iterator[StoredUsage]:
        read.append(len(frame))
        return plain(frame)

    async def states(_: Freezer, some: Sequence[str]) -> dict[str, tuple[Account, dict[str, Contract]]]:
        return {who: (an_account(who, 99, "GD"), {}) for who in some}

    class Rows:
        async def gather(self, journal: JournalPlace) -> None:
            """They are all there."""

        def frame(self, slot: str, from_day: str) -> pl.LazyFrame:
            return store.frame(slot, from_day)

    monkeypatch.setattr(freezing, "rows_in", counted)
    monkeypatch.setattr(Freezer, "_states", states)
    freezer = Freezer(Rows(), AsyncClient(["x:1"]))
    place = JournalPlace("GD/0", "", str(ZONE))
    found = [each async for each in freezer.frozen(place, [ALICE, BOB, carol], "")]
    told = [each.reason if isinstance(each, LeftOut) else len(each.rows) for each in found]
    assert told == [2, "USES_TOO_MANY", 3]
    assert max(read) <= 4
    store.close()


def test_a_rule_that_takes_what_prices_need_is_known(tmp_path: Path) -> None:
    store = filled(tmp_path / "one")
    assert keeping.lacking(store, "GD/0") == ""
    keeping.erase(store, BOB)
    assert keeping.lacking(store, "GD/0") == "", "an account that was erased has no rows at all"
    keeping.hide_parties_before(store, "99990101")
    assert keeping.lacking(store, "GD/0") == "20241004"
    store.lacks_before("GD/0", ZONE, BEGIN_MS + 3 * DAY_MS)
    assert keeping.lacking(store, "GD/0") == "20241007"
    assert keeping.lacking(store, "GD/1") == ""
    store.close()


async def test_details_that_one_account_lacks_leave_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    async def rated(_: Doer, unit: RerateUnit) -> UnitOutcome:
        done.extend(unit.accounts)
        return UnitOutcome(tuple(AccountOutcome(name, "same") for name in unit.accounts))

    monkeypatch.setattr(Doer, "_done", rated)
    client = AsyncClient(["127.0.0.1:1"])
    doer = Doer(Freezer(NamedRows(Path(), (), -1, fresh_ring()), client), client, Tariffs({}, "d"))
    local, month = LocalTime(ZONE), 2026 * 12 + 5
    began = {ALICE: "2026-07-03T00:00:00", BOB: "2026-09-03T00:00:00"}
    waits = {who: LateUsage("GD/0", who, local.moment_ms(text), 1, set_aside=True) for who, text in began.items()}
    job = RerateJob(1, month, "late", (ALICE, BOB), waits)
    unit = RerateUnit(job, JournalPlace("GD/0", "", ZONE), (ALICE, BOB), "d", lacking="20260630")
    outcome = await doer.done(unit)
    assert [(each.account_id, each.reason) for each in outcome.accounts] == [(ALICE, "DETAILS_INCOMPLETE"), (BOB, "")]
    assert done == [BOB]
    outcome = await doer.done(replace(unit, job=replace(job, late={})))
    assert [each.reason for each in outcome.accounts] == ["DETAILS_INCOMPLETE"] * 2
