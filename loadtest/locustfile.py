"""Locust users, one class a scenario: headless by `make loadtest`, with the web UI by `locust -f` this file.

Endpoints come by --host (comma-separated), subscribers by --subscribers. A batch is one locust request named "… ×N".
Answers are checked (`loadtest.checks`): a wrong amount is a failure. Which keys were told which amount is written to
--told, for the comparison with the journals.
"""

import time
from typing import NamedTuple

import gevent
import grpc
from locust import events, task
from locust.argument_parser import LocustArgumentParser
from onetier.v1 import data_center_pb2, data_center_pb2_grpc
from onetier.v1 import service_desk_pb2 as desk

from loadtest import checks
from loadtest.desk import CHANNEL_OPTIONS
from loadtest.settling import PATIENCE_S, Unsettled, WrongAnswer
from loadtest.users import DeskUser
from runtime.loopback import numeric, shown_to

REPEATED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _options(parser: LocustArgumentParser) -> None:
    parser.add_argument("--subscribers", default=".onetier/subscribers.csv", help="CSV with identity,domain,account")
    parser.add_argument("--batch", type=int, default=200, help="requests a batch")
    parser.add_argument("--directory", default="127.0.0.1:7200", help="datacenter, for the port storm")
    parser.add_argument("--seed", type=int, default=20261124, help="seed of the traffic")
    parser.add_argument("--refusals-fail", action="store_true", help="every account has money and is active")
    parser.add_argument("--told", default="", help="file for the keys and amounts that were told; empty = none")


class ChargeMix(DeskUser):
    """Finished events of all services."""

    @task
    def mix(self) -> None:
        """One batch."""
        self.charge("charge", self.batch(self.traffic.charge))
        self.witness.vouch_sometimes()


class QueryMix(DeskUser):
    """Balance, usage, contract and dry runs; nothing of it may change a balance."""

    @task
    def mix(self) -> None:
        """One batch; the witness has after it what it had before."""
        before = self.witness.look({self.witness.home})
        self.ask("query", self.batch(self.traffic.query))
        self.witness.quote(self.traffic.charge(self.witness.identity))
        if before is not None:
            self.witness.look({self.witness.home}, before.real)


class BusyHour(DeskUser):
    """The national busy hour: all regions by population, roamers, four charges to one query."""

    @task(4)
    def charges(self) -> None:
        """One batch of charges; a roamer is charged in its own domain."""
        self.charge("busy-hour charge", self.batch(self.traffic.roaming_charge))
        self.witness.vouch_sometimes()

    @task(1)
    def queries(self) -> None:
        """One batch of queries."""
        self.ask("busy-hour query", self.batch(self.traffic.query))


class HotAccount(DeskUser):
    """Everything on one account: each charge leaves it at a version of its own."""

    @task
    def hot(self) -> None:
        """One batch for the same subscriber from all users."""
        hot = self.people.hot
        homes, versions = self.people.homes, self.shared.versions

        def check(_asked: desk.ServiceRequest, reply: desk.ServiceReply, resent: bool) -> str:
            fault = checks.charge_fault(reply, {homes[hot]}, resent=resent)
            if not fault and reply.charge.account_version in versions:
                fault = f"two charges left the account at version {reply.charge.account_version}"
            versions.add(reply.charge.account_version)
            return fault

        self.settler.settle("hot account", self.batch(lambda: self.traffic.charge(hot)), check)


class PrepaidSessions(DeskUser):
    """Charging sessions of data: create, two updates, release; a batch holds many subscribers' steps."""

    STEPS = 4

    @task
    def sessions(self) -> None:
        """Run one batch of sessions from create to release; the first is the witness's, with a price known before."""
        callers = [self.witness.identity, *(self.traffic.mobile() for _ in range(self.batch_requests - 1))]
        draw = self.traffic.draw
        going = [
            Going(who, self.traffic.key(), (0, *(draw(1 << 20) for _ in range(self.STEPS - 1)))) for who in callers
        ]
        began_ms = int(time.time() * 1_000)
        quoted = self.witness.quote(self.traffic.data_event(self.witness.identity, sum(going[0].used), began_ms))
        price = quoted.amount if quoted is not None else None
        for invocation in range(self.STEPS):
            if going:
                going = self._step(going, invocation, began_ms, price)

    def _step(self, going: list["Going"], invocation: int, began_ms: int, price: int | None) -> list["Going"]:
        """Send one step of all sessions; gives those that go on, with what each has been charged so far."""
        last = self.STEPS - 1
        steps = [
            self.traffic.session_step(one.identity, one.name, invocation, last, one.used[invocation], began_ms)
            for one in going
        ]
        before = {step.request_key: one.charged for step, one in zip(steps, going, strict=True)}

        def check(asked: desk.ServiceRequest, reply: desk.ServiceReply, _resent: bool) -> str:
            charged, rich = before[asked.request_key], self.refusals_count
            fault = checks.session_fault(asked, reply, charged, last=invocation == last, rich=rich)
            if fault or invocation != last or asked.identity != self.witness.identity:
                return fault
            total = reply.session.grants[0].charged
            return "" if total == price else f"the session was charged {total}, one piece of its size costs {price}"

        replies = self.settler.settle(f"session step {invocation}", steps, check) or [desk.ServiceReply()] * len(steps)
        told = [
            (step, one, reply.session)
            for step, one, reply in zip(steps, going, replies, strict=True)
            if len(reply.session.grants) == 1
        ]
        homes = self.people.homes
        self.told.charges(
            (step.request_key, result.grants[0].charged - one.charged, homes[one.identity], result.repeated)
            for step, one, result in told
        )
        return [one._replace(charged=result.grants[0].charged) for _, one, result in told]


class Going(NamedTuple):
    """A session under way."""

    identity: str
    name: str
    used: tuple[int, ...]
    """Bytes to report with each invocation."""
    charged: int = 0


class UnaryCharge(DeskUser):
    """Single calls, as a POS terminal makes them."""

    @task
    def single(self) -> None:
        """One unary charge, repeated until its outcome is known."""
        request = self.traffic.charge()
        home = self.people.homes[request.identity]
        with self.measured.measure("Charge", "unary charge") as measured:
            try:
                reply, resent = self._call(request)
            except (grpc.RpcError, Unsettled) as error:
                measured["exception"] = error
                return
            fault = checks.charge_fault(reply, {home}, resent=resent)
            if fault:
                measured["exception"] = WrongAnswer(fault)
        self.told.charges([(request.request_key, reply.charge.amount, reply.charge.domain, resent)])
        self.witness.vouch_sometimes()

    def _call(self, request: desk.ServiceRequest) -> tuple[desk.ServiceReply, bool]:
        until, resent = time.monotonic() + PATIENCE_S, False
        while True:
            try:
                reply = self.desk.charge(request)
            except grpc.RpcError as error:
                if error.code() not in REPEATED:
                    raise
                if time.monotonic() > until:
                    raise Unsettled(f"no outcome after {PATIENCE_S:.0f} s: {error.details()}") from error
                resent = True
                gevent.sleep(checks.PAUSE_S)
            else:
                return reply, resent


class PortStorm(DeskUser):
    """Numbers move between regions while they are charged: the witness away and home again, under load all the time."""

    @task
    def storm(self) -> None:
        """Move there and back, each time charging on; then one batch of everybody else."""
        away = self.traffic.elsewhere(self.witness.home)
        for there, here in ((away, self.witness.home), (self.witness.home, away)):
            moving = gevent.spawn(self._port, there)
            while not moving.ready():
                self.witness.vouch({here, there})
            if not moving.get():
                return
            self.witness.vouch({there})
        self.charge("charge beside ports", self.batch(self.traffic.charge))

    def _port(self, target: str) -> bool:
        """Move the witness; says whether it moved."""
        options = self.environment.parsed_options
        assert options is not None
        request = data_center_pb2.PortRequest(
            identity=self.witness.identity, to_domain=target, request_key=self.traffic.key(), actor="loadtest"
        )
        until = time.monotonic() + PATIENCE_S
        with (
            self.measured.measure("Port", "port") as measured,
            grpc.insecure_channel(numeric(options.directory), options=CHANNEL_OPTIONS) as channel,
        ):
            while True:
                try:
                    stub = data_center_pb2_grpc.DirectoryServiceStub(channel)
                    stub.Port(request, timeout=10, metadata=shown_to(options.directory))
                except grpc.RpcError as error:
                    if error.code() not in REPEATED or time.monotonic() > until:
                        measured["exception"] = error
                        return False
                    gevent.sleep(checks.PAUSE_S)
                else:
                    return True
