"""Questions to owners that are repeated until the answer is one that a repeat would not change.

Meant for steps with a key of their own: what was done under the key already is answered as it was done then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from charging import wire
from charging.errors import Broken, Conflict, Invalid, NotFound, Refused

STEP_TIMEOUT_MS = 5_000
STEP_TRIES_MAX = 20
PAUSE_MS_MIN = 50
"""Between two tries; longer where the fault asks for it."""
FINAL = (Refused, NotFound, Invalid, Conflict)
"""Faults that the owner decided; nothing was done, and it would say the same again."""
_PASSING = ("unavailable", "overloaded", "expired")

Ask = Callable[[str, Sequence[wire.Ask], int], Awaitable[list[wire.Answer]]]
"""Asks the owner of a route: (route, questions, timeout in ms) → answers in their order, `wire.Failed` included."""


class Insisting:
    """Asks the owner of a route (`domain:GD/3`) at most `STEP_TRIES_MAX` times."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def business_data(self, route: str, pull: wire.Pull) -> wire.BusinessData:
        """Give an account with a contract. Raises the fault that the answer is."""
        answer = await self.one(route, pull)
        if not isinstance(answer, wire.BusinessData):
            raise Broken("ANSWER_UNEXPECTED", f"a pull was answered with {type(answer).__name__}")
        return answer

    async def done(self, route: str, commit: wire.Commit) -> wire.Done:
        """Have a command done, once whatever happens on the way. Raises the fault that the answer is."""
        answer = await self.one(route, commit)
        if not isinstance(answer, wire.Done):
            raise Broken("ANSWER_UNEXPECTED", f"a commit was answered with {type(answer).__name__}")
        return answer

    async def one(self, route: str, ask: wire.Ask) -> wire.Answer:
        """Give the answer to one question. Raises the fault that it is."""
        (answer,) = await self.all(route, [ask])
        if isinstance(answer, wire.Failed):
            raise wire.fault(answer)
        return answer

    async def all(self, route: str, asks: Sequence[wire.Ask]) -> list[wire.Answer]:
        """Give the answers in the order of the questions, final refusals included.

        All are asked again while one has a passing fault. Raises `Unavailable`, `Overloaded` or `Expired` when that
        does not end in time.
        """
        for left in reversed(range(STEP_TRIES_MAX)):
            answers = await self._ask(route, asks, STEP_TIMEOUT_MS)
            again = [one for one in answers if isinstance(one, wire.Failed) and one.kind in _PASSING]
            if not again:
                return answers
            if left == 0:
                raise wire.fault(again[0])
            await asyncio.sleep(max(again[0].retry_ms, PAUSE_MS_MIN) / 1_000)
        raise AssertionError("the last try raises or returns")
