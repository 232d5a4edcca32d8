"""What the feed brings."""

from runtime.room import GrpcService, Process, Room
from runtime.settings import load
from watch.settings import WatchSettings


def _begin(process: Process) -> int:
    from runtime.server import run_tier
    from watch.main import build

    return run_tier(process, lambda: load(WatchSettings), build)


PROCESS = Process(
    role="watch",
    settings=WatchSettings,
    begin=_begin,
    services=(GrpcService("onetier.v1.WatchService", frozenset({"frontend", "operator"}), front_door=True),),
)
ROOM = Room("watch", process=PROCESS)
