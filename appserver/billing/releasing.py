"""Whether the document of a bill may go out: the run that made it says so, in the slot whose number the bill has.

What a document may not tell its reader, the bill's data must not either: whoever is not permitted `held_bills` is told
of a bill that waits only that it does.
"""

from collections.abc import Iterable, Mapping

from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.parts import Ask
from appserver.billing.telling import expect
from business.billing.kind import BILL_RUNS, subject_of
from business.billing.periods import Period, read_period
from business.billing.runs import HELD, WITHHELD, BillRuns, Run, run_name
from charging.base.localtime import LocalTime, day_of, zone_of
from charging.base.subject import PackedSubject
from charging.errors import Refused
from charging.wire import Inspect


async def require_released(ask: Ask, bills: Iterable[pb.Bill], document_of: str, zone: str) -> None:
    """Raise `Refused` DOCUMENTS_HELD or DOCUMENTS_REFUSED for the bill of a period whose document may not go out.

    `zone` is the account's. A bill that was made alone, without a run, goes out: whoever made it asked for that one.
    """
    wanted = [bill for bill in bills if document_of in (bill.period, bill.period.partition("/")[0])]
    for number, run in (await withholding(ask, wanted, zone)).items():
        facts = {"run": run_name(slot_of_number(number), run.period)}
        if run.documents == HELD:
            raise Refused("DOCUMENTS_HELD", f"documents of {facts['run']} wait for an approver", facts=facts)
        facts["why"] = run.why_held
        raise Refused("DOCUMENTS_REFUSED", f"documents of {facts['run']} are kept back: {run.why_held}", facts=facts)


async def withholding(ask: Ask, bills: Iterable[pb.Bill], zone: str) -> Mapping[str, Run]:
    """Give the runs that keep bills back, by the numbers of the bills, in their order; those that go out have none."""
    asked = list(bills)
    slots = sorted({slot_of_number(bill.number) for bill in asked})
    answers = await ask([Question(f"domain:{slot}", Inspect(subject_of(slot))) for slot in slots]) if slots else []
    runs_of = {
        slot: BILL_RUNS.state(expect(PackedSubject, answer)) for slot, answer in zip(slots, answers, strict=True)
    }
    found: dict[str, Run] = {}
    for bill in asked:
        runs = runs_of[slot_of_number(bill.number)]
        run = _withholding(runs, bill, zone_of(zone)) if runs is not None else None
        if run is not None:
            found[bill.number] = run
    return found


async def withhold(ask: Ask, read: pb.ReadBillsResponse, zone: str) -> None:
    """Leave the bills out that wait for their approver, and tell their periods."""
    held = await withholding(ask, read.bills, zone)
    if held:
        told = [bill for bill in read.bills if bill.number not in held]
        read.withheld.extend([bill.period for bill in read.bills if bill.number in held])
        del read.bills[:]
        read.bills.extend(told)


def _withholding(runs: BillRuns, bill: pb.Bill, zone: LocalTime) -> Run | None:
    """Give the run that keeps a document: that of its period, or a later one that made what the first had missed."""
    period = read_period(bill.period)
    made = [run for run in runs.of_cycle(period.cycle_day) if _may_have_made(run, period, bill, zone)]
    return next((run for run in made if run.documents in WITHHELD), None)


def _may_have_made(run: Run, period: Period, bill: pb.Bill, zone: LocalTime) -> bool:
    """Say whether a run may have made a bill: that of a later period on the days, by the account, of its work."""
    if run.period <= period:
        return run.period == period
    day = day_of(bill.made_day)
    first, last = zone.day(run.opened_ms // 1000), zone.day(run.ended_ms // 1000)
    return run.opened_ms > 0 and first <= day and (not run.ended_ms or day <= last)


def slot_of_number(number: str) -> str:
    """Give the slot that gave a number: GD/3 of GD-3-B-2027-0000017."""
    domain, _, rest = number.partition("-")
    return f"{domain}/{rest.partition('-')[0]}"
