"""Commands as people type them, each in a process of its own."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def start(*arguments: str) -> Process:
    """Begin a command, whose output is read by whoever began it."""
    command = (sys.executable, "-m", "console.main", *arguments)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT)


async def done(*arguments: str, within_s: float = 90) -> list[dict[str, object]]:
    """Run a command that must succeed; gives what it tells as data, a line each."""
    process = await start(*arguments, "--json")
    out, err = await asyncio.wait_for(process.communicate(), within_s)
    assert process.returncode == 0, (out + err).decode()
    return [json.loads(line) for line in out.splitlines()]
