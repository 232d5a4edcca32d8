"""Service requests, built from plain values. For single calls the client does it; for bulk use these directly."""

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from onetier.v1 import service_desk_pb2 as desk

from onetier_client.keys import new_key
from onetier_client.messages import Command

_COMMAND_FIELDS: dict[str, str] = {
    field.message_type.full_name: field.name
    for field in desk.ServiceRequest.DESCRIPTOR.oneofs_by_name["command"].fields
    if field.message_type is not None
}


class Facts(TypedDict, total=False):
    """What a request may say beside its main content; the names are those of `ServiceRequest`."""

    request_key: str
    """Made when not given. Give your own to repeat an intent after a restart."""
    event_time_ms: int
    """UTC, milliseconds since 1970. Not given, it is when the platform takes it in, and no content of the key."""
    channel: str
    partner: str
    actor: str
    other_party: str
    visited_place: str
    explain: bool
    attributes: Mapping[str, str]
    language: str
    """Of texts for people, as Accept-Language says it: "zh-CN, en;q=0.8"."""


class Paged(Facts, total=False):
    """What a query of pages may say besides, by the names of `ServiceRequest`; which view takes what stands there."""

    page_cursor: str
    """`next_cursor` of the page before."""
    kinds: Sequence[str]
    services: Sequence[str]
    from_ms: int
    to_ms: int


class Narrowed(Paged, total=False):
    """What else a query may say."""

    offerings: Sequence[str]
    pattern: desk.UsagePattern


def charge(identity: str, service: str, quantity: int = 1, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Rate an event and take it from the balance. `quantity` is in seconds, bytes or events, as the service has it."""
    return _request(desk.REQUEST_TYPE_CHARGE, identity, service, quantity, facts, keyed=True)


def quote(identity: str, service: str, quantity: int = 1, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Ask what an event would cost, and why. Changes nothing and has no key. `quantity` as in `charge`."""
    return _request(desk.REQUEST_TYPE_QUOTE, identity, service, quantity, facts, keyed=False)


def preview(identity: str, command: Command, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Ask what a command would do and cost. Changes nothing and has no key. Raises TypeError as `execute`."""
    request = _request(desk.REQUEST_TYPE_QUOTE, identity, "", 0, facts, keyed=False)
    getattr(request, _field_of(command)).CopyFrom(command)
    return request


def query(
    identity: str, view: str, lines_max: int = 0, *, cursor: int = 0, **facts: Unpack[Narrowed]
) -> desk.ServiceRequest:
    """Ask for a view: "balance", "usage", "contract", "history" (`lines_max` lines; 0 = as the server likes), the
    "outcome" of a request key, "account", "accounts", "offerings", "detail", "month" or "compare".

    `cursor` is the `next_cursor` of the page of history before.
    """
    request = _request(desk.REQUEST_TYPE_QUERY, identity, view, lines_max, facts, keyed=False)
    request.history_cursor = cursor
    return request


def execute(identity: str, command: Command, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Do a keyed command on the account of the identity. Raises TypeError for a message that is no command."""
    request = _request(desk.REQUEST_TYPE_EXECUTE, identity, "", 0, facts, keyed=True)
    getattr(request, _field_of(command)).CopyFrom(command)
    return request


def top_up(amount: int, *, book_id: str = "", unit: str = "money", kind: str = "deposit") -> desk.TopUp:
    """Put `amount` into a book; "" is the main money book.

    `amount` is above zero, in micro-units for money and else in base units of `unit`.
    """
    return desk.TopUp(book_id=book_id, unit=unit, amount=amount, kind=kind)


def session(
    session_id: str, operation: "desk.SessionRequest.Operation", invocation: int, units: Sequence[desk.UnitUse]
) -> desk.SessionRequest:
    """One step of a charging session (Nchf_ConvergedCharging, TS 32.290).

    `invocation` is 0 with the creation and one more with each step (invocationSequenceNumber, TS 32.291;
    CC-Request-Number, RFC 8506, 8.2).
    """
    return desk.SessionRequest(session_id=session_id, operation=operation, invocation=invocation, units=units)


def _field_of(command: Command) -> str:
    field = _COMMAND_FIELDS.get(command.DESCRIPTOR.full_name)
    if field is None:
        raise TypeError(f"{command.DESCRIPTOR.full_name} is no command of a service request")
    return field


def _request(
    kind: "desk.RequestType", identity: str, service: str, quantity: int, facts: Facts, *, keyed: bool
) -> desk.ServiceRequest:
    request = desk.ServiceRequest(
        identity=identity, request_type=kind, service_code=service, quantity=quantity, **facts
    )
    if keyed and not request.request_key:
        request.request_key = new_key()
    return request
