"""Commands of the project, run to their end as a user would."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def run_to_end(module: str, *arguments: str, timeout_s: float) -> str:
    """Run a module, which must succeed within so long; gives what it printed. Nothing it started stays behind."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=PIPE, stderr=STDOUT, cwd=ROOT, start_new_session=True
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), timeout_s)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    text = out.decode()
    assert process.returncode == 0, text
    return text
