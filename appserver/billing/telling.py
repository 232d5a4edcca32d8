"""Answers of slots about their bill runs → replies."""

from typing import TypeVar

import msgspec
from msgspec import Struct
from onetier.v1 import billing_pb2 as pb

from business.billing.kind import BILL_RUNS
from business.billing.periods import Period
from business.billing.runs import BillRuns, Run, run_name
from business.subjects import unpack_subject
from charging.base.subject import PackedSubject, slot_of
from charging.errors import Broken, Fault
from charging.ledger.outcome import HistoryLine
from charging.wire import Answer, Done, Failed, History, fault
from runtime.status import to_status

AnswerT = TypeVar("AnswerT", bound=Struct)


def expect(kind: type[AnswerT], answer: Answer) -> AnswerT:
    """Give the answer as what it should be. Raises the fault that it tells, `Broken` ANSWER_UNEXPECTED."""
    if isinstance(answer, kind):
        return answer
    if isinstance(answer, Failed):
        raise fault(answer)
    raise unexpected(answer)


def unexpected(answer: Answer) -> Broken:
    """Make the fault of an answer to nothing that was asked."""
    return Broken("ANSWER_UNEXPECTED", f"an owner answered with {type(answer).__name__}, which was not asked")


def outcome(slot: int, period: Period, answer: Answer) -> pb.BillRunOutcome:
    """Tell what became of a change in one slot. Never raises: a fault is told as the slot's `error`.

    One that names ANSWER_MALFORMED or RUN_MISSING leaves open whether the change was made: its key tells.
    """
    try:
        done = expect(Done, answer)
        subject = unpack_subject(done.detail or b"")
        run = _runs(subject).of(period)
        if run is None:
            raise Broken("RUN_MISSING", f"the owner told runs of {subject.subject_id} without that of {period}")
        return pb.BillRunOutcome(slot=slot, run=tell(slot_of(subject.subject_id), run), repeated=done.repeated)
    except Fault as failure:
        return pb.BillRunOutcome(slot=slot, error=to_status(failure))
    except (msgspec.MsgspecError, ValueError):
        return pb.BillRunOutcome(slot=slot, error=to_status(Broken("ANSWER_MALFORMED", "the answer can't be read")))


def runs_in(subject: PackedSubject) -> list[pb.BillRun]:
    """Tell all runs of a slot."""
    slot = slot_of(subject.subject_id)
    return [tell(slot, run) for run in _runs(subject).runs]


def tell(slot: str, run: Run) -> pb.BillRun:
    """Tell one run."""
    return pb.BillRun(
        run_id=run_name(slot, run.period),
        slot=int(slot.rpartition("/")[2]),
        period=str(run.period),
        mode=run.mode,
        state=run.state,
        from_ms=run.from_ms,
        until_ms=run.until_ms,
        opened_ms=run.opened_ms,
        ended_ms=run.ended_ms,
        completion=run.completion,
        reason=run.reason,
        attempt=run.attempt,
        documents=run.documents,
        opened_by=run.opened_by,
        judged_by=run.judged_by,
        judged_ms=run.judged_ms,
        why_held=run.why_held,
        backup=run.backup,
    )


def history(answer: History) -> pb.ReadBillRunHistoryResponse:
    """Tell a page of what was asked of the runs."""
    return pb.ReadBillRunHistoryResponse(
        changes=[_change(line) for line in answer.lines], next_cursor=answer.next_position
    )


def _change(line: HistoryLine) -> pb.BillRunChange:
    happened = "; ".join(line.notices)
    return pb.BillRunChange(
        request_key=line.key,
        kind=line.kind,
        time_ms=line.time_ms,
        actor=line.actor,
        principal=line.principal,
        channel=line.channel,
        text=happened,
        refusal="" if happened else line.reason,
        version=line.version,
    )


def _runs(subject: PackedSubject) -> BillRuns:
    return BILL_RUNS.state(subject) or BillRuns()
