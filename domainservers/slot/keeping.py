"""What an owner does without being asked: ends sessions past their validity, replays what was staged, sends transfers
on, tells waiting callers when the store is away, writes an idle slot down."""

import asyncio

from domainservers.slot.courier import Courier
from domainservers.slot.slot import Slot


class Keeping:
    """Looks after one slot, from taking it over until it is given up or lost."""

    def __init__(self, slot: Slot, courier: Courier | None) -> None:
        self._slot = slot
        self._courier = courier
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        if self._courier is not None:
            self._courier.start()

    def stop(self) -> None:
        """End; sessions and transfers wait for the next owner."""
        if self._task is not None:
            self._task.cancel()
        if self._courier is not None:
            self._courier.stop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._slot.sweep_s)
            self._slot.tend()
            self.sweep()

    def sweep(self) -> None:
        """End sessions past their validity, and replay what was staged for runs that are over."""
        self._slot.expiring.sweep()
        self._slot.stages.sweep()
