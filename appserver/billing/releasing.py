"""Whether the document of a bill may go out: the run that made it says so, in the slot whose number the bill has."""

from collections.abc import Iterable

from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.parts import Ask
from appserver.billing.telling import expect
from business.billing.kind import BILL_RUNS, subject_of
from business.billing.periods import read_period
from business.billing.runs import HELD, KEPT_BACK, run_name
from charging.base.subject import PackedSubject
from charging.errors import Refused
from charging.wire import Inspect


async def require_released(ask: Ask, bills: Iterable[pb.Bill], document_of: str) -> None:
    """Raise `Refused` DOCUMENTS_HELD or DOCUMENTS_REFUSED for the bill of a period whose document may not go out.

    A bill that was made alone, without a run, goes out: whoever made it asked for that one.
    """
    for bill in bills:
        if document_of not in (bill.period, bill.period.partition("/")[0]):
            continue
        slot = slot_of_number(bill.number)
        (answer,) = await ask([Question(f"domain:{slot}", Inspect(subject_of(slot)))])
        runs = BILL_RUNS.state(expect(PackedSubject, answer))
        run = runs.of(read_period(bill.period)) if runs is not None else None
        if run is None or run.documents not in (HELD, KEPT_BACK):
            continue
        facts = {"run": run_name(slot, run.period)}
        if run.documents == HELD:
            raise Refused("DOCUMENTS_HELD", f"documents of {facts['run']} wait for an approver", facts=facts)
        facts["why"] = run.why_held
        raise Refused("DOCUMENTS_REFUSED", f"documents of {facts['run']} are kept back: {run.why_held}", facts=facts)


def slot_of_number(number: str) -> str:
    """Give the slot that gave a number: GD/3 of GD-3-B-2027-0000017."""
    domain, _, rest = number.partition("-")
    return f"{domain}/{rest.partition('-')[0]}"
