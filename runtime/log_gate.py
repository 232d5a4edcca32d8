"""Keeps a log readable when somebody provokes one line again and again: the first few are written, the rest counted.

What a caller sends before it is authorised makes lines too (a message that can't be read, a wrong role), and so do
libraries; so the gate stands before all lines of a process, and nobody has to think of it where a line is written.
"""

import time
from collections.abc import Callable

LINES_MAX = 20
"""Written of one kind in one window."""
WINDOW_S = 10.0
KINDS_MAX = 256
"""Kinds told apart; all further ones count as one."""

Kind = tuple[str, str]
"""Logger and event: both are written in code."""
_OTHER: Kind = ("", "other")


class LogGate:
    """Lets lines through by kind. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[Kind, list[float]] = {}
        """Of each kind: when its window ends, lines written in it, lines held back since the last one written."""

    def admit(self, kind: Kind) -> int | None:
        """Say how many lines of the kind were held back before this one; None = hold this one back too."""
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= KINDS_MAX:
                kind = _OTHER
            window = self._windows.setdefault(kind, [0.0, 0, 0])
        now = self._clock()
        if now >= window[0]:
            window[0], window[1] = now + WINDOW_S, 0
        elif window[1] >= LINES_MAX:
            window[2] += 1
            return None
        window[1] += 1
        held_back, window[2] = window[2], 0
        return int(held_back)
