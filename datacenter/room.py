"""What the data center brings."""

from datacenter.settings import DataCenterSettings
from runtime.room import GrpcService, Process, Room
from runtime.settings import load


def _begin(process: Process) -> int:
    from datacenter.main import build
    from runtime.server import run_tier

    return run_tier(process, lambda: load(DataCenterSettings), build)


PROCESS = Process(
    role="datacenter",
    settings=DataCenterSettings,
    begin=_begin,
    services=(
        GrpcService("onetier.v1.DataCenterService", frozenset({"appserver", "domainserver"})),
        GrpcService("onetier.v1.DirectoryService", frozenset({"operator"})),
    ),
)
ROOM = Room("datacenter", process=PROCESS)
