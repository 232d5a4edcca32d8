"""What the domain servers bring."""

from domainservers.base.collections import COLLECTIONS
from domainservers.settings import DomainServerSettings
from runtime.room import GrpcService, Process, Room
from runtime.settings import load


def _begin(process: Process) -> int:
    from domainservers.main import build
    from runtime.server import run_tier

    return run_tier(process, lambda: load(DomainServerSettings), build)


PROCESS = Process(
    role="domainserver",
    settings=DomainServerSettings,
    begin=_begin,
    services=(GrpcService("onetier.v1.DomainServerService", frozenset({"datacenter"})),),
)
ROOM = Room("domainservers", collections=COLLECTIONS, process=PROCESS)
