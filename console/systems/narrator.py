"""What a run says while it goes on: its steps with their time, and a bar where something is sent."""

import time
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from country.sending import Advance, Sent


class Narrator:
    """Prints steps as they are done, with their time."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self._began = time.perf_counter()

    def say(self, text: str) -> None:
        """Print a line with the time since the start."""
        self.out.print(f"[dim]{time.perf_counter() - self._began:6.1f} s[/]  {text}", highlight=False, soft_wrap=True)

    async def with_bar(self, title: str, total: int, work: Callable[[Advance], Awaitable[Sent]]) -> Sent:
        """Do a sending with a progress bar, and say how fast it was."""
        columns = (TextColumn("         {task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns,
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.out,
            transient=True,
            disable=not self.out.is_terminal,
        ) as bar:
            task = bar.add_task(title, total=total)
            sent = await work(lambda count: bar.advance(task, count))
        self.say(f"{title}: {sent.requests:,} in {sent.seconds:.1f} s, {sent.per_second:,.0f}/s")
        return sent
