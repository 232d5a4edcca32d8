"""Traced items of a batch on their way through: from when it came to when each has its answer."""

from collections.abc import Callable, Iterable, Mapping

from google.protobuf.message import DecodeError
from onetier.v1.data_center_pb2 import ReplyBatch

from runtime.tracing import OpenSpan, Tracing, is_sampled

Deliver = Callable[[bytes, int], None]
"""Takes a serialized ReplyBatch and how many items it answers."""
Traces = Mapping[int, str]
"""Context of each traced item, by position."""
NO_TRACES: Traces = {}
TRACED_MAX = 16
"""Of one batch; a platform traces a few a second."""


def follow(tracing: Tracing, traced: Iterable[tuple[int, str]], deliver: Deliver) -> tuple[Deliver, Traces]:
    """Begin a step for each traced item of a batch; gives who takes the answers, and the contexts to hand on."""
    spans: dict[int, OpenSpan] = {}
    for position, traceparent in traced:
        if len(spans) < TRACED_MAX and is_sampled(traceparent):
            spans[position] = tracing.begin("route", traceparent)

    def deliver_followed(packed: bytes, answered: int) -> None:
        # The one place where answers are looked into, and only of a batch that has a traced item waiting.
        for position in _positions(packed) if spans else ():
            if position in spans:
                spans.pop(position).end(items=answered)
        deliver(packed, answered)

    return deliver_followed, {position: span.traceparent for position, span in spans.items()}


def _positions(packed: bytes) -> list[int]:
    try:
        return list(ReplyBatch.FromString(packed).positions)
    except DecodeError:
        return []
