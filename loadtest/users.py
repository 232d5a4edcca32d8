"""A front end as a locust user: it repeats a key until it knows the outcome, checks every answer, and has a witness.

The witness is a subscriber whom nobody else charges. What it is quoted, charged and left with must agree to the
micro-unit, so a wrong amount is seen while the load runs, and not only in the journals afterwards.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import gevent
from locust import User, constant
from locust.env import Environment
from onetier.v1 import service_desk_pb2 as desk

from loadtest import checks
from loadtest.desk import DeskConnection, StreamBroken
from loadtest.requests import QUERY, QUOTE, People, Traffic, read_people
from loadtest.told import ToldFile

PATIENCE_S = 30.0
"""How long a key is repeated before its outcome counts as lost; `make loadtest` lets users finish for longer."""
VOUCH_EVERY = 8
"""Batches between two looks at the witness."""

Check = Callable[[desk.ServiceRequest, desk.ServiceReply, bool], str]
"""Request, reply, sent more than once → what is wrong, or ""."""

_numbers = itertools.count(1)


class WrongAnswer(Exception):
    """The service answered, and the answer is wrong."""


class Unsettled(Exception):
    """A key was repeated for too long without an outcome."""


class Shared:
    """What the users of one process share: the people, the witnesses that are free, and the file of what was told."""

    def __init__(self, environment: Environment) -> None:
        options = environment.parsed_options
        assert options is not None
        self.people: People = read_people(Path(options.subscribers))
        self.witnesses = list(self.people.witnesses)
        self.told = ToldFile(options.told)
        self.versions: set[int] = set()
        """Of the hot account, as told: each once."""


_shared: dict[int, Shared] = {}


def shared(environment: Environment) -> Shared:
    """Give what users share; made by the first."""
    if id(environment) not in _shared:
        _shared[id(environment)] = Shared(environment)
    return _shared[id(environment)]


class DeskUser(User):
    """A front end with one stream to one of the platform's instances."""

    abstract = True
    wait_time = constant(0)

    def on_start(self) -> None:
        """Open the stream, users spread over the endpoints, and take a witness."""
        options = self.environment.parsed_options
        assert options is not None
        self.shared = shared(self.environment)
        if not self.shared.witnesses:
            raise RuntimeError(
                f"more users than the {len(self.shared.people.witnesses)} witnesses: give more --subscribers"
            )
        self.witness = self.shared.witnesses.pop()
        number = next(_numbers)
        endpoints = str(self.host).split(",")
        self.batch_requests = int(options.batch)
        self.refusals_count = bool(options.refusals_fail)
        self.traffic = Traffic(self.shared.people, int(options.seed) + number)
        self.desk = DeskConnection(endpoints[number % len(endpoints)])
        self.home = self.shared.people.homes[self.witness]
        self.sent_batches = 0

    def on_stop(self) -> None:
        """Give the witness back and close the stream."""
        self.shared.witnesses.append(self.witness)
        self.desk.close()

    def settle(self, name: str, requests: Sequence[desk.ServiceRequest], check: Check) -> list[desk.ServiceReply]:
        """Send a batch until each item has its outcome, and check each; [] when one has none.

        Locust gets one request with the time until the last outcome, failed when an answer is wrong or missing.
        """
        with self.environment.events.request.measure("Exchange", f"{name} ×{len(requests)}") as measured:
            try:
                replies, resent = self._until_told(requests)
            except Unsettled as error:
                measured["exception"] = error
                return []
            measured["response_length"] = len(replies)
            wrong = [
                fault
                for position, (request, reply) in enumerate(zip(requests, replies, strict=True))
                if (self.refusals_count or not checks.refused(reply))
                and (fault := check(request, reply, position in resent))
            ]
            if wrong:
                measured["exception"] = WrongAnswer(wrong[0])
        self.shared.told.charges(
            (request.request_key, reply.charge.amount, reply.charge.domain, position in resent)
            for position, (request, reply) in enumerate(zip(requests, replies, strict=True))
            if reply.HasField("charge")
        )
        return replies

    def _until_told(self, requests: Sequence[desk.ServiceRequest]) -> tuple[list[desk.ServiceReply], set[int]]:
        """Repeat the same keys until none is open. Raises `Unsettled`."""
        replies = [desk.ServiceReply()] * len(requests)
        waiting, resent = list(range(len(requests))), set[int]()
        until = time.monotonic() + PATIENCE_S
        while True:
            pause_s, last = checks.PAUSE_S, ""
            try:
                told = self.desk.exchange([requests[position] for position in waiting])
            except (StreamBroken, gevent.Timeout) as error:
                last = f"{type(error).__name__}: {error}"
            else:
                for position, reply in zip(waiting, told, strict=True):
                    replies[position] = reply
                waiting = [position for position in waiting if checks.transient(replies[position])]
                if waiting:
                    pause_s, last = checks.pause_s(replies[waiting[0]]), replies[waiting[0]].error.message
            if not waiting:
                return replies, resent
            if time.monotonic() > until:
                raise Unsettled(f"{len(waiting)} keys have no outcome after {PATIENCE_S:.0f} s; the last word: {last}")
            resent.update(waiting)
            gevent.sleep(pause_s)

    def charge(self, name: str, requests: Sequence[desk.ServiceRequest]) -> list[desk.ServiceReply]:
        """Settle charges, each in the home domain of its subscriber wherever it happened."""
        homes = self.shared.people.homes
        return self.settle(
            name,
            requests,
            lambda asked, reply, resent: checks.charge_fault(reply, {homes[asked.identity]}, resent=resent),
        )

    def ask(self, name: str, requests: Sequence[desk.ServiceRequest]) -> list[desk.ServiceReply]:
        """Settle queries and dry runs."""
        homes = self.shared.people.homes
        return self.settle(
            name, requests, lambda asked, reply, _: checks.query_fault(asked, reply, homes[asked.identity])
        )

    def batch(self, make: Callable[[], desk.ServiceRequest]) -> list[desk.ServiceRequest]:
        """Make one batch."""
        return [make() for _ in range(self.batch_requests)]

    def vouch_sometimes(self) -> None:
        """Look at the witness with the first batch, and then every so often."""
        if self.sent_batches % VOUCH_EVERY == 0:
            self.vouch({self.home})
        self.sent_batches += 1

    def vouch(self, domains: set[str]) -> None:
        """The witness is quoted, charged and asked for its balance: all three agree."""
        event = self.traffic.charge(self.witness)
        event.explain = True
        before = self.look(domains)
        quoted = self.quote(event)
        if before is None or quoted is None:
            return

        def check(_asked: desk.ServiceRequest, reply: desk.ServiceReply, resent: bool) -> str:
            fault = checks.charge_fault(reply, domains, resent=resent)
            # Regions have prices of their own: a number that moved in between is charged those of its new one.
            if fault or reply.charge.domain != quoted.domain or reply.charge.amount == quoted.amount:
                return fault
            return f"the witness was quoted {quoted.amount} and charged {reply.charge.amount}"

        replies = self.settle("witness charge", [event], check)
        if replies and replies[0].HasField("charge"):
            self.look(domains, before.real - replies[0].charge.amount)

    def quote(self, event: desk.ServiceRequest) -> desk.ChargeResult | None:
        """What an event of the witness would cost; None when that was not told."""
        request = desk.ServiceRequest()
        request.CopyFrom(event)
        request.request_type, request.request_key = QUOTE, ""
        replies = self.settle("witness quote", [request], lambda asked, reply, _: checks.query_fault(asked, reply, ""))
        return replies[0].quote if replies and replies[0].HasField("quote") else None

    def look(self, domains: set[str], left: int | None = None) -> desk.BalanceView | None:
        """Ask for the balance of the witness; `left` is what it must be."""
        request = desk.ServiceRequest(
            identity=self.witness, request_type=QUERY, service_code="balance", channel="web-hall"
        )

        def check(_asked: desk.ServiceRequest, reply: desk.ServiceReply, _resent: bool) -> str:
            fault = checks.kind_fault(reply, "balance")
            if fault:
                return fault
            if reply.balance.domain not in domains:
                return f"the witness is told from {reply.balance.domain}, not from {' or '.join(sorted(domains))}"
            if left is not None and reply.balance.real != left:
                return f"the witness has {reply.balance.real}, its charges leave {left}"
            return ""

        replies = self.settle("witness balance", [request], check)
        return replies[0].balance if replies and replies[0].HasField("balance") else None
