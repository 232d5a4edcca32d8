"""Runs commands in processes that kill themselves: each a fork of one that has imported everything, so they are cheap.

A line of JSON on standard input is one command: its words, and where it dies. Points are counted while it runs: `edge`
are calls of the system and of SQLite, before and after each (a sync, a rename, a statement, a write to a socket or a
file); `step` are calls of functions of mediation and of the client, between which everything else happens. At the one
that was asked for it sends itself SIGKILL, which nobody can catch. A line of JSON comes back: how it ended, and how
many points of each kind it had when it ended by itself.
"""

import json
import os
import signal
import sys
import threading
from types import FrameType

EDGES = frozenset((
    "fsync", "replace", "rename", "unlink", "rmdir", "mkdir", "flock", "ftruncate", "open", "write", "close",
    "execute", "executemany", "executescript", "send", "sendmsg", "connect",
))  # fmt: skip
ROOMS = ("/mediation/", "/details/", "/onetier_client/", "/runtime/")


class Death:
    """Counts points, and dies at one."""

    def __init__(self, kind: str, at: int) -> None:
        self.kind = kind
        self.at = at
        self.edges = 0
        self.steps = 0

    def watch(self) -> None:
        """Begin to count, in this thread and in those that begin."""
        threading.setprofile(self._point)
        sys.setprofile(self._point)

    def _point(self, frame: FrameType, event: str, called: object) -> None:
        if event == "call":
            if any(room in frame.f_code.co_filename for room in ROOMS):
                self.steps += 1
                self._die("step", self.steps)
        elif event != "return" and getattr(called, "__name__", "") in EDGES:
            self.edges += 1
            self._die("edge", self.edges)

    def _die(self, kind: str, count: int) -> None:
        if kind == self.kind and count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def command(words: list[str], death: Death) -> int:
    """Run one command as `onetier` does; gives its exit status."""
    from click.exceptions import Exit

    death.watch()
    try:
        return int(APP(words, standalone_mode=False) or 0)
    except (Exit, SystemExit) as end:
        return int(getattr(end, "exit_code", getattr(end, "code", 0)) or 0)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def live_once(asked: dict[str, object], log: str) -> dict[str, object]:
    """Let a child run one command; say how it ended."""
    there, here = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(there)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        death = Death(str(asked["kind"]), int(str(asked["at"])))
        words = [str(word) for word in asked["words"]]  # type: ignore[attr-defined]
        status = 99
        try:
            status = command(words, death)
        finally:
            os.write(here, json.dumps([death.edges, death.steps]).encode())
            sys.stdout.flush()
            os._exit(status)
    os.close(here)
    with os.fdopen(there) as told:
        counts = told.read()
    _, end = os.waitpid(child, 0)
    edges, steps = json.loads(counts) if counts else (0, 0)
    return {"killed": os.WIFSIGNALED(end), "status": os.waitstatus_to_exitcode(end), "edges": edges, "steps": steps}


if __name__ == "__main__":
    from click import Command
    from typer.main import get_command

    from console.main import mounted

    APP: Command = get_command(mounted())
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(live_once(json.loads(line), sys.argv[1])), flush=True)
