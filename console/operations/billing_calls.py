"""What all commands of `onetier billing` have: who asks, of which slots, and how the platform is called."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, TypeVar

import grpc
import typer
from msgspec import Struct
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub

from charging.errors import Fault, Unavailable
from console.arguments import ENDPOINTS_VARIABLE, Key, first_address
from console.operations.directory_call import CALL_TIMEOUT_S, PLATFORM, Certificates, call_as_operator, patiently
from console.views import Json
from onetier_client import new_key
from runtime.status import from_status

ResultT = TypeVar("ResultT")
NO_WORDS: Mapping[str, str] = MappingProxyType({})

Domain = Annotated[str, typer.Argument(help="Code of the domain, for example GD.")]
PeriodText = Annotated[
    str, typer.Argument(metavar="PERIOD", help="2026-10, or 2026-10/15 for those whose cycle begins on the 15th.")
]
Approval = Annotated[
    bool, typer.Option("--approval", help="Documents of the bills wait until somebody else approves them.")
]
Mode = Annotated[
    str,
    typer.Option(
        help="direct: deposits and settlements go on; staged: they wait, answered at once, until the run is over."
    ),
]
Until = Annotated[str, typer.Option("--until", help="End of the window, as 2026-11-01T06:00:00+08:00.")]


class BillsCaller(Struct, frozen=True, kw_only=True):
    """Who asks, and whom."""

    channel: Annotated[str, typer.Option(help="Access channel.")] = "front"
    actor: Annotated[str, typer.Option(help="Who orders it; kept beside the certificate's name.")] = "operator"
    endpoint: Annotated[
        str,
        typer.Option("--endpoint", envvar=ENDPOINTS_VARIABLE, callback=first_address, help="App server, host:port."),
    ] = PLATFORM
    tls: Certificates = None
    as_json: Json = False


class RunReader(BillsCaller, frozen=True, kw_only=True):
    """Who asks, of which slots."""

    slot: Annotated[list[int] | None, typer.Option("--slot", min=0, help="Only this slot; may be repeated.")] = None


class RunChanger(RunReader, frozen=True, kw_only=True):
    """Who changes runs, once for each key."""

    key: Key = ""


def whole_period(text: str) -> str:
    """Give a period with its cycle day: the 1st where none is named."""
    return text if "/" in text else f"{text}/1"


def run_change(domain: str, slots: Sequence[int], period: str, caller: BillsCaller) -> pb.ChangeBillRunsRequest:
    """Make a request for the runs of a period, under a key of its own; what is asked for is still to be filled in."""
    return pb.ChangeBillRunsRequest(
        domain=domain, slots=slots, period=period, request_key=new_key(), actor=caller.actor, channel=caller.channel
    )


async def change_all(stub: BillingServiceStub, request: pb.ChangeBillRunsRequest) -> list[pb.BillRunOutcome]:
    """Ask until every slot has told its outcome, or time is over: a slot may be changing its owner just now."""
    told: dict[int, pb.BillRunOutcome] = {}
    until = time.monotonic() + CALL_TIMEOUT_S
    while True:
        response = await patiently(lambda left_s: stub.ChangeBillRuns(request, timeout=left_s))
        told.update((each.slot, each) for each in response.outcomes)
        away = [fault for fault in map(_fault_of, told.values()) if isinstance(fault, Unavailable)]
        if not away or time.monotonic() > until:
            return [told[slot] for slot in sorted(told)]
        await asyncio.sleep(max(fault.retry_ms for fault in away) / 1_000)
        request.slots[:] = [slot for slot, each in told.items() if isinstance(_fault_of(each), Unavailable)]


async def list_all(stub: BillingServiceStub, request: pb.ListBillRunsRequest) -> pb.ListBillRunsResponse:
    """Ask until every slot has told its runs, or time is over: a slot may be changing its owner just now."""
    until = time.monotonic() + CALL_TIMEOUT_S
    while True:
        told: pb.ListBillRunsResponse = await patiently(lambda left_s: stub.ListBillRuns(request, timeout=left_s))
        away = [fault for fault in map(_fault_of, told.failures) if isinstance(fault, Unavailable)]
        if not away or time.monotonic() > until:
            return told
        await asyncio.sleep(max(fault.retry_ms for fault in away) / 1_000)


def _fault_of(outcome: pb.BillRunOutcome) -> Fault | None:
    return from_status(outcome.error) if outcome.HasField("error") else None


def call(caller: BillsCaller, work: Callable[[BillingServiceStub], Coroutine[None, None, ResultT]]) -> ResultT:
    """Call the platform; see `call_as_operator`."""

    def ask(channel: grpc.aio.Channel) -> Coroutine[None, None, ResultT]:
        return work(BillingServiceStub(channel))

    return call_as_operator(caller.endpoint, caller.tls, "appserver", ask)


def fail(domain: str, failures: Sequence[pb.BillRunOutcome], words: Mapping[str, str] = NO_WORDS) -> None:
    """Tell what could not be done, and end with status 1 when there is any.

    `words` say of some reasons what they mean to whoever wrote the command: options, not fields of messages.
    """
    for each in failures:
        fault = from_status(each.error)
        typer.echo(f"{domain}/{each.slot}: {fault.reason}: {words.get(fault.reason, fault.message)}", err=True)
    if failures:
        raise typer.Exit(1)
