"""An event loop whose time is a number: nothing waits, time jumps to the next timer. Runs the same for the same
inputs."""

import asyncio
import contextvars
import selectors
from collections.abc import Coroutine, Generator
from typing import Any

NODE: contextvars.ContextVar[dict[asyncio.Task[Any], None] | None] = contextvars.ContextVar("NODE", default=None)
"""Tasks of the simulated process that is running, so that a crash can end them all."""


class Stuck(Exception):
    """Everything waits for something that never comes."""


class _Selector(selectors.BaseSelector):
    """Instead of waiting for files, lets time pass."""

    def __init__(self, loop: "SimulatedLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("no timer is set and nothing can run")
        if timeout > 0:
            self._loop.now += timeout
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        raise AssertionError("the simulation has no files")

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        raise AssertionError("the simulation has no files")

    def get_map(self) -> dict[Any, Any]:
        return {}

    def close(self) -> None:
        """Nothing is open."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """Time begins at 1,000 seconds and moves only when nothing can run."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self._selector = _Selector(self)
        self._clock_resolution = 1e-9
        self.set_task_factory(_factory)

    def time(self) -> float:
        return self.now

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nothing sleeps, so nothing has to be woken."""


def _factory(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    context: contextvars.Context | None = None,
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context)
    tasks = NODE.get() if context is None else context.get(NODE)
    if tasks is not None:
        tasks[task] = None
        task.add_done_callback(lambda done: tasks.pop(done, None))
    return task
