"""Commands and steps of charging sessions: what they ask for is read by `appserver.reading.orders`, the rest here."""

from hashlib import blake2b

import msgspec
from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.asks import Kind, Order, SessionOrder
from appserver.reading.checks import caller_faults, field_fault, key_faults, time_faults, together
from appserver.reading.fields import in_vain
from appserver.reading.orders import order_of
from appserver.reading.request import CommandRequest, PreviewRequest
from charging.base.asked import Asked
from charging.base.identity import normalise
from charging.errors import Invalid
from charging.ledger.action import BaseAction
from charging.ledger.commands.open_account import OpenAccount

COMMAND_BYTES_MAX = 100_000
"""Of a request with a command: what it makes must fit a journal entry, a contract record and the account's snapshot."""
SESSION_BYTES_MAX = 8_000
"""The same of a session step, since an account keeps many."""

_pack = msgspec.msgpack.Encoder().encode


class CommandReader:
    """Reads commands; see `EventReader` for what it is given."""

    def __init__(self, future_tolerance_ms: int, country: str) -> None:
        self._future_tolerance_ms = future_tolerance_ms
        self._country = country

    def read(self, message: desk.ServiceRequest, now_ms: int) -> CommandRequest:
        """Normalise and check. Raises `Invalid`: all wrong fields beside the command, of those inside the first."""
        identity, time_ms, order = self._order(message, now_ms, "execute")
        channel, partner, actor = message.channel, message.partner, message.actor
        # The time as the caller gave it: our clock must not tell the repeat from the first.
        content = (identity, message.event_time_ms, order, channel, partner, actor)
        digest = blake2b(_pack(content), digest_size=16).digest()
        kind = Kind.SESSION if message.HasField("session") else Kind.COMMAND
        return CommandRequest(
            kind, identity, channel, partner, actor, message.request_key, digest, time_ms, message.explain, order
        )

    def preview(self, message: desk.ServiceRequest, now_ms: int) -> PreviewRequest:
        """Read the dry run of a command; it has no key. Raises as `read`, and `Invalid` PREVIEW_IMPOSSIBLE."""
        identity, time_ms, order = self._order(message, now_ms, "preview")
        if isinstance(order, OpenAccount | SessionOrder) or (isinstance(order, BaseAction) and order.original_key()):
            name = message.WhichOneof("command") or ""
            text = "a command on an account that is there, and on nothing but its state"
            raise field_fault("PREVIEW_IMPOSSIBLE", name, f"{name} can't be told beforehand: {text}", text)
        return PreviewRequest(
            Kind.QUOTE, identity, message.channel, message.partner, message.actor, "", b"", time_ms, True, order
        )

    def _order(self, message: desk.ServiceRequest, now_ms: int, asked: str) -> tuple[str, int, Order]:
        """Check and read the identity, the event time and what is ordered."""
        found = key_faults(message, required=asked == "execute")
        found += time_faults(message, now_ms, self._future_tolerance_ms)
        found += _size_faults(message) + in_vain(message, asked)
        if found:
            raise together(found)
        identity = normalise(message.identity, self._country)
        time_ms = message.event_time_ms or now_ms
        return identity, time_ms, order_of(message, Asked(identity, time_ms, message.actor, self._country))


def _size_faults(message: desk.ServiceRequest) -> list[Invalid]:
    found = caller_faults(message)
    name = message.WhichOneof("command") or "command"
    size, limit = message.ByteSize(), SESSION_BYTES_MAX if name == "session" else COMMAND_BYTES_MAX
    if size > limit and not found:
        text = f"at most {limit} bytes for the whole request"
        found.append(field_fault("REQUEST_TOO_LARGE", name, f"the request has {size} bytes: {text}", text))
    return found
