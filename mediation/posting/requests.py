"""A usage record → the request that charges it, and the reply → what became of the record.

The request key is the record's own 128 bits: what is sent again after a crash is the same request, and charged once. A
refusal is kept under its key, so what is tried again after one has the count of refusals behind its key; nothing was
charged under the keys before.
"""

from google.rpc.code_pb2 import ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE
from onetier.v1 import service_desk_pb2 as desk

from mediation.plant.batches import KeyedRecord

UNKNOWN_FATE = frozenset((ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE))
"""Codes after which nobody knows what was done; the same key tells, so the record is sent again under it."""


def charge_record(row: KeyedRecord, channel: str, refusals: int) -> desk.ServiceRequest:
    """Make the request of a record."""
    record = row.record
    return desk.ServiceRequest(
        identity=record.identity,
        request_type=desk.REQUEST_TYPE_CHARGE,
        service_code=record.service,
        request_key=f"cdr:{row.key.hex()}" + (f".{refusals}" if refusals else ""),
        event_time_ms=record.start_ms,
        quantity=record.quantity,
        channel=channel,
        other_party=record.other_party,
        visited_place=record.visited,
        partner=record.partner,
        attributes=dict(record.attributes),
    )
