"""A traced item inside an owner: when it was decided, and how long the journal took."""

from collections.abc import Callable

from domainservers.journal.groups import Groups, ReplySink
from runtime.tracing import OpenSpan, now_ns


class FollowedSink:
    """The way back of one traced item: a `ReplySink`, whose calls are the moments of the trace."""

    def __init__(self, sink: ReplySink, slot: str, groups: Groups, span: OpenSpan, clock: Callable[[], float]) -> None:
        """`slot` is its name, `groups` those of its journal, `clock` the loop's."""
        self.deadline = sink.deadline
        self._sink = sink
        self._slot = slot
        self._groups = groups
        self._span: OpenSpan | None = span
        self._clock = clock
        self._came_ns = now_ns()
        self._decided_ns = 0

    def submitted(self) -> None:
        """The slot has taken the item: most are decided by then."""
        waiters = self._groups.open.waiters
        if waiters and waiters[-1][0] is self:
            self._decided_ns = now_ns()

    def answer(self, position: int, body: bytes) -> None:
        """Give the answer on, and tell what came before it."""
        span, self._span = self._span, None
        if span is not None:
            group = self._groups.released
            if group is not None:
                now_s, here_ns = self._clock(), now_ns()
                # The loop's clock stands still while the loop turns: a group seems to leave before what it holds came.
                since_ns = here_ns - int((now_s - group.since_s) * 1e9)
                sent_ns = max(since_ns, self._decided_ns, self._came_ns)
                durable_ns = min(max(since_ns + int(group.took_s * 1e9), sent_ns), here_ns)
                # Whoever waited in a lane was decided at some moment before its group left; it can't be told which.
                span.part("decide", self._came_ns, self._decided_ns or sent_ns)
                span.part("journal", sent_ns, durable_ns, group=group.seq, entries=group.entries)
            span.end(slot=self._slot)
        self._sink.answer(position, body)
