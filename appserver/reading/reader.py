"""Protobuf requests → `appserver.reading.request`, with every check that needs no business data. The way back is
`appserver.replies`.
"""

from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.asks import Kind
from appserver.reading.checks import field_fault
from appserver.reading.events import EventReader
from appserver.reading.executes import CommandReader
from appserver.reading.queries import read_query
from appserver.reading.request import Request

_KINDS = {
    desk.REQUEST_TYPE_CHARGE: Kind.CHARGE,
    desk.REQUEST_TYPE_QUOTE: Kind.QUOTE,
    desk.REQUEST_TYPE_QUERY: Kind.QUERY,
    desk.REQUEST_TYPE_EXECUTE: Kind.COMMAND,
}


class RequestReader:
    """Reads requests. `future_tolerance_ms` is how far ahead of our clock an event may be, `country` whose national
    spellings of numbers are read (`charging.base.identity`)."""

    def __init__(self, future_tolerance_ms: int, country: str) -> None:
        self._country = country
        self._events = EventReader(future_tolerance_ms, country)
        self._commands = CommandReader(future_tolerance_ms, country)

    def read(self, message: desk.ServiceRequest, now_ms: int) -> Request:
        """Normalise and check one request that came at a time, UTC. Raises `Invalid`, all wrong fields named."""
        kind = _KINDS.get(message.request_type)
        if kind is Kind.QUOTE and message.WhichOneof("command") is not None:
            return self._commands.preview(message, now_ms)
        if kind is Kind.CHARGE or kind is Kind.QUOTE:
            return self._events.read(message, kind, now_ms)
        if kind is Kind.QUERY:
            return read_query(message, now_ms, self._country)
        if kind is Kind.COMMAND:
            return self._commands.read(message, now_ms)
        text = "one of charge, quote, query, execute"
        told = f"request type {message.request_type} is not {text}"
        raise field_fault("REQUEST_TYPE_UNKNOWN", "request_type", told, text)
