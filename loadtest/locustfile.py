"""Locust users, one class a scenario: headless by `make loadtest`, with the web UI by `locust -f` this file.

Endpoints come by --host (comma-separated), subscribers by --subscribers. A batch is one locust request named
"… ×N"; the items in it are counted by the custom events, so a table shows both.
"""

import itertools
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import gevent
import grpc
from locust import User, constant, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from onetier.v1 import data_center_pb2, data_center_pb2_grpc
from onetier.v1 import service_desk_pb2 as desk

from loadtest.desk import CHANNEL_OPTIONS, Desk, StreamBroken
from loadtest.requests import Traffic, read_subscribers

_numbers = itertools.count(1)
REFUSALS_EXPECTED = {9}  # FAILED_PRECONDITION: no balance, suspended; an answer, not a failure


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--subscribers", default=".onetier/subscribers.csv", help="CSV with identity,domain")
    parser.add_argument("--batch", type=int, default=200, help="requests a batch")
    parser.add_argument("--directory", default="127.0.0.1:7200", help="datacenter, for the port storm")
    parser.add_argument("--seed", type=int, default=20261124, help="seed of the traffic")


class DeskUser(User):
    """A front end with one stream to one of the platform's instances."""

    abstract = True
    wait_time = constant(0)

    def on_start(self) -> None:
        """Open the stream; users spread over the endpoints."""
        options = self.environment.parsed_options
        assert options is not None
        number = next(_numbers)
        endpoints = str(self.host).split(",")
        self.batch_requests = int(options.batch)
        self.traffic = Traffic(_subscribers(self.environment), int(options.seed) + number)
        self.desk = Desk(endpoints[number % len(endpoints)])

    def on_stop(self) -> None:
        """Close the stream."""
        self.desk.close()

    def send(self, name: str, requests: Sequence[desk.ServiceRequest]) -> list[desk.ServiceReply]:
        """Send a batch and report it to locust; faults of single items make the batch a failure."""
        with self.environment.events.request.measure("Exchange", f"{name} ×{len(requests)}") as measured:
            try:
                replies = self.desk.exchange(requests)
            except (StreamBroken, gevent.Timeout) as error:
                measured["exception"] = RuntimeError(f"{type(error).__name__}: {error}")
                gevent.sleep(0.2)
                return []
            measured["response_length"] = len(replies)
            faults = [r.error for r in replies if r.HasField("error") and r.error.code not in REFUSALS_EXPECTED]
            if faults:
                measured["exception"] = RuntimeError(f"{faults[0].code}: {faults[0].message[:80]}")
        return replies

    def batch(self, make: Callable[[], desk.ServiceRequest]) -> list[desk.ServiceRequest]:
        """Make one batch."""
        return [make() for _ in range(self.batch_requests)]


def _subscribers(environment: Environment) -> list[tuple[str, str]]:
    assert environment.parsed_options is not None
    path = Path(environment.parsed_options.subscribers)
    if path not in _loaded:
        _loaded[path] = read_subscribers(path)
    return _loaded[path]


_loaded: dict[Path, list[tuple[str, str]]] = {}


class ChargeMix(DeskUser):
    """Finished events of all services."""

    @task
    def charge(self) -> None:
        """One batch."""
        self.send("charge", self.batch(self.traffic.charge))


class QueryMix(DeskUser):
    """Balance, usage, contract and dry runs."""

    @task
    def query(self) -> None:
        """One batch."""
        self.send("query", self.batch(self.traffic.query))


class BusyHour(DeskUser):
    """The national busy hour: all regions by population, roamers, four charges to one query."""

    @task(4)
    def charge(self) -> None:
        """One batch of charges."""
        self.send("busy-hour charge", self.batch(self.traffic.roaming_charge))

    @task(1)
    def query(self) -> None:
        """One batch of queries."""
        self.send("busy-hour query", self.batch(self.traffic.query))


class HotAccount(DeskUser):
    """Everything on one account."""

    @task
    def charge(self) -> None:
        """One batch for the same subscriber from all users."""
        hot = next(identity for identity, _ in self.traffic.subscribers if identity.startswith("msisdn:"))
        self.send("hot account", self.batch(lambda: self.traffic.charge(hot)))


class PrepaidSessions(DeskUser):
    """Charging sessions of data: create, two updates, release; a batch holds many subscribers' steps."""

    STEPS = 4

    @task
    def sessions(self) -> None:
        """Run one batch of sessions from create to release."""
        callers = [(self.traffic.mobile(), self.traffic.key()) for _ in range(self.batch_requests)]
        for invocation in range(self.STEPS):
            used = 0 if invocation == 0 else random.randrange(1 << 20)
            last = self.STEPS - 1
            steps = [self.traffic.session_step(who, name, invocation, last, used) for who, name in callers]
            self.send(f"session step {invocation}", steps)


class UnaryCharge(DeskUser):
    """Single calls, as a POS terminal makes them."""

    @task
    def charge(self) -> None:
        """One unary charge."""
        request = desk.ChargeRequest(request=self.traffic.charge())
        with self.environment.events.request.measure("Charge", "unary charge") as measured:
            try:
                self.desk.stub.Charge(request, timeout=5)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.FAILED_PRECONDITION:
                    measured["exception"] = RuntimeError(f"{error.code().name}: {error.details()[:80]}")


class PortStorm(DeskUser):
    """Numbers move between regions while they are charged."""

    @task
    def port_and_charge(self) -> None:
        """Port one mobile number, then charge it at once: the new domain must answer."""
        options = self.environment.parsed_options
        assert options is not None
        identity = self.traffic.mobile()
        target = self.traffic.random.choice(self.traffic.domains)
        request = data_center_pb2.PortRequest(
            identity=identity, to_domain=target, request_key=self.traffic.key(), actor="loadtest"
        )
        with (
            self.environment.events.request.measure("Port", "port") as measured,
            grpc.insecure_channel(options.directory, options=CHANNEL_OPTIONS) as channel,
        ):
            try:
                data_center_pb2_grpc.DirectoryServiceStub(channel).Port(request, timeout=10)
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT):
                    measured["exception"] = RuntimeError(f"{error.code().name}: {error.details()[:80]}")
        self.send("charge after port", [self.traffic.charge(identity)])
