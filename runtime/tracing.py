"""Traces: where the time of one request went, from the front door to the journal, by OpenTelemetry.

Few requests are traced: the front door takes one in so many, or those whose callers trace them, and only so many a
second. What is traced is told from tier to tier beside the batch that it travels in, by its position, so a batch
without a traced item costs one look at an empty list, and nobody else's item anything. Spans are made of moments that
were noted on the way and exported by a thread of their own; without the setting `traces` the libraries aren't imported.

Names of spans are those of the steps (`door`, `pull`, `rate`, `commit`, `route`, `serve`, `decide`, `journal`); facts
are words and numbers of the code. No identity, no key and no text of a caller goes into a span.
"""

import re
import time
from typing import Protocol

SAMPLED = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][13579bdf]")
"""A `traceparent` of W3C Trace Context, version 00, whose sampled flag is set."""
Fact = str | int


_UTC_NS = time.time_ns() - time.monotonic_ns()
"""From this process's steady clock to UTC, taken once: a clock that is set back would end spans before they begin."""


def now_ns() -> int:
    """The moment, for a span: nanoseconds UTC as this process began, and steady since."""
    return _UTC_NS + time.monotonic_ns()


def is_sampled(traceparent: str) -> bool:
    """Say whether a context is well-formed and asks to be followed."""
    return SAMPLED.fullmatch(traceparent) is not None


class OpenSpan(Protocol):
    """A step under way."""

    traceparent: str
    """What the next tier is told: steps below it begin from here."""

    def begin(self, name: str) -> "OpenSpan":
        """Begin a step below this one."""
        ...

    def part(self, name: str, began_ns: int, ended_ns: int, **facts: Fact) -> None:
        """Note a step below this one that is over."""
        ...

    def end(self, **facts: Fact) -> None:
        """End it, once. Steps below may end later."""
        ...


class Tracing(Protocol):
    """Makes the spans of one process."""

    on: bool
    """Spans go somewhere."""

    def begin(self, name: str, traceparent: str = "") -> OpenSpan:
        """Begin a step of the trace that another process began, or a trace of its own."""
        ...

    def close(self) -> None:
        """Export what is left; may take seconds, so call it in a thread."""
        ...


class _NoSpan:
    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def begin(self, name: str) -> OpenSpan:
        return self

    def part(self, name: str, began_ns: int, ended_ns: int, **facts: Fact) -> None:
        """Nothing is kept."""

    def end(self, **facts: Fact) -> None:
        """Nothing is kept."""


class Untraced:
    """Of a process without the setting: contexts of others are handed on as they came."""

    on = False

    def begin(self, name: str, traceparent: str = "") -> OpenSpan:
        """Give a span that is none."""
        return _NoSpan(traceparent)

    def close(self) -> None:
        """Nothing is open."""


UNTRACED = Untraced()
