"""Requests about bill runs → instructions for the slots. The way back is `appserver.billing.telling`."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw
from onetier.v1 import billing_pb2 as pb

from appserver.billing.due_pages import BillingPage
from appserver.reading.keys import check_key
from business.billing.actions import (
    ApproveDocuments,
    CancelRun,
    CompleteRun,
    OpenRun,
    PlanRun,
    RefuseDocuments,
    RunAction,
)
from business.billing.kind import subject_of
from business.billing.periods import ends_ms, read_period
from charging.base.bounds import ACTOR_CHARS_MAX, CODE_CHARS_MAX
from charging.base.fieldtypes import PLAIN, refusal
from charging.base.house_keys import digest_of
from charging.base.localtime import LocalTime
from charging.base.names import is_plain
from charging.base.subject import Instruction
from charging.errors import Invalid
from charging.wire import Reference

BillingRequest = (
    pb.ChangeBillRunsRequest
    | pb.ListBillRunsRequest
    | pb.ReadBillRunHistoryRequest
    | pb.BillAccountsRequest
    | pb.ReadBillsRequest
    | pb.ListStagedRequest
    | pb.BackUpBooksRequest
    | pb.ReadCustomerBillRequest
)

_pack = msgspec.msgpack.Encoder().encode


def change_of(request: pb.ChangeBillRunsRequest, zone: str, principal: str) -> RunAction:
    """Read what is to be done to the runs of a period, whose end the calendar of the region's zone says.

    `principal` is whose certificate asks.

    Raises `Invalid` CHANGE_MISSING, PERIOD_MALFORMED, TEXT_MALFORMED.
    """
    period = read_period(request.period)
    match request.WhichOneof("change"):
        case "plan":
            plan = request.plan
            return PlanRun(period, plan.mode, ends_ms(period, LocalTime(zone)), plan.from_ms, plan.until_ms)
        case "open":
            opening = request.open
            over_ms = ends_ms(period, LocalTime(zone))
            return OpenRun(period, opening.mode, over_ms, opening.until_ms, opening.backup, principal, opening.approval)
        case "complete":
            return CompleteRun(period)
        case "cancel":
            if not is_plain(request.cancel.reason):
                raise refusal("TEXT_MALFORMED", "cancel.reason", PLAIN)
            return CancelRun(period, request.cancel.reason)
        case "approve_documents":
            return ApproveDocuments(period, principal)
        case "refuse_documents":
            if not is_plain(request.refuse_documents.reason):
                raise refusal("TEXT_MALFORMED", "refuse_documents.reason", PLAIN)
            return RefuseDocuments(period, principal, request.refuse_documents.reason)
    wanted = "one of plan, open, complete, cancel, approve_documents, refuse_documents"
    raise Invalid("CHANGE_MISSING", f"nothing is asked of the runs: give {wanted}", fields={"change": wanted})


def page_of(request: pb.BillAccountsRequest) -> BillingPage:
    """Read which accounts are to be billed. Raises `Invalid` TEXT_TOO_LONG, PERIOD_MALFORMED, IDENTITY_MALFORMED."""
    check_caller(request)
    identity = request.identity
    period = read_period(request.period) if request.period or not identity else None
    slot = "" if identity else f"{request.domain}/{request.slot}"
    return BillingPage(slot, period, request.page, request.accounts_max, request.trial, identity, request.sums_only)


def check_caller(request: BillingRequest) -> None:
    """Look at what is only kept and shown. Raises `Invalid` TEXT_TOO_LONG, TEXT_MALFORMED."""
    for field, text, most in (
        ("actor", request.actor, ACTOR_CHARS_MAX),
        ("channel", request.channel, CODE_CHARS_MAX),
    ):
        if len(text) > most:
            wanted = f"at most {most} characters"
            raise Invalid("TEXT_TOO_LONG", f"the {field} has {len(text)}: {wanted}", fields={field: wanted})
        if not is_plain(text):
            raise refusal("TEXT_MALFORMED", field, PLAIN)


def instructions(
    request: pb.ChangeBillRunsRequest, action: RunAction, slots: Sequence[int], principal: str, now_ms: int
) -> list[Instruction]:
    """Make the instruction for each slot. Raises `Invalid` REQUEST_KEY_MISSING, REQUEST_KEY_MALFORMED."""
    check_key(request.request_key)
    packed = Raw(_pack(action))
    made: list[Instruction] = []
    for slot in slots:
        subject_id = subject_of(f"{request.domain}/{slot}")
        digest = digest_of(subject_id, action, request.channel, request.actor)
        made.append(
            Instruction(
                subject_id, request.request_key, digest, request.actor, request.channel, now_ms, packed, principal
            )
        )
    return made


def slots_of(asked: Sequence[int], reference: Reference) -> list[int]:
    """Give the slots that are meant, in the order asked, each once; none named = all of the domain.

    Raises `Invalid` SLOT_UNKNOWN.
    """
    if not asked:
        return list(range(reference.slots))
    for slot in asked:
        if slot >= reference.slots:
            wanted = f"a slot of {reference.domain} is 0 to {reference.slots - 1}"
            raise Invalid("SLOT_UNKNOWN", wanted, fields={"slots": wanted})
    return list(dict.fromkeys(asked))
