"""What the platform brings."""

from appserver.settings import AppServerSettings
from runtime.room import GrpcService, Process, Room
from runtime.settings import load


def _begin(process: Process) -> int:
    from appserver.main import build
    from runtime.server import run_tier

    return run_tier(process, lambda: load(AppServerSettings), build)


PROCESS = Process(
    role="appserver",
    settings=AppServerSettings,
    begin=_begin,
    services=(
        GrpcService(
            "onetier.v1.ServiceDeskService", frozenset({"frontend", "operator", "backoffice"}), front_door=True
        ),
        GrpcService("onetier.v1.BillingService", frozenset({"operator"})),
        GrpcService("onetier.v1.NumberService", frozenset({"backoffice", "frontend", "operator"})),
        GrpcService("onetier.v1.ReceivablesService", frozenset({"operator"})),
        GrpcService("onetier.v1.VoucherService", frozenset({"distributor", "operator"})),
    ),
)
ROOM = Room("appserver", process=PROCESS)
