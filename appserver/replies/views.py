"""The larger views → protobuf replies."""

from collections.abc import Iterable, Mapping

from onetier.v1 import service_desk_pb2 as desk

from appserver.replies.fill import fill_steps
from charging.base.identity import mask
from charging.base.usage import Step
from charging.ledger.details import RatedUsage
from charging.ledger.outcome import told_steps
from charging.wire import Detail

FREE = ("allowance", "book")
"""Kinds of steps whose quantity costs no money."""


def fill_detail(
    view: desk.DetailView,
    page: Detail,
    currency: str,
    units: Mapping[str, str],
    next_cursor: str,
    *,
    explain: bool,
    accepted: str,
    masked: bool = False,
) -> None:
    """Answer with a page of rated usage; `units` are those of the services, `masked` hides who the others were."""
    view.currency = currency
    view.next_cursor = next_cursor
    view.kept_no_further = page.kept_no_further
    for record in page.records:
        row = view.records.add()
        _record(row, record, units.get(record.usage.service, ""), explain=explain, accepted=accepted)
        if masked:
            row.other_party = mask(row.other_party) if row.other_party else ""
    view.SetInParent()


def _record(into: desk.UsageRecord, record: RatedUsage, unit: str, *, explain: bool, accepted: str) -> None:
    usage, steps = record.usage, told_steps(record.steps)
    into.request_key = record.key
    into.kind = record.kind
    into.time_ms = record.time_ms
    into.event_time_ms = usage.start_ms
    into.identity = usage.identity
    into.service_code = usage.service
    into.quantity = record.quantity
    into.unit = unit
    into.free_quantity = free_quantity(steps)
    into.amount = record.amount
    into.other_party = usage.other_party
    into.visited_place = usage.visited
    into.session_id = record.session_id
    if record.session_id:
        into.piece_quantity = usage.quantity
    into.of_key = record.of_key
    into.channel = record.channel
    into.account_version = record.version
    if explain:
        fill_steps(into.steps, steps, accepted)


def free_quantity(steps: Iterable[Step]) -> int:
    """Give what free units covered, base units; whole increments, so it may be more than was used."""
    return sum(step.quantity for step in steps if step.kind in FREE)
