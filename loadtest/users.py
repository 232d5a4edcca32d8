"""A front end as a locust user: it repeats a key until it knows the outcome, checks every answer, and has a witness."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from locust import User, constant
from locust.env import Environment
from onetier.v1 import service_desk_pb2 as desk

from loadtest import checks
from loadtest.desk import DeskConnection
from loadtest.requests import People, Traffic, read_people
from loadtest.settling import Settler
from loadtest.told import ToldFile
from loadtest.witness import OwnSubscriber

_numbers = itertools.count(1)


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
        """Open the stream, users spread over the endpoints, and take a witness.

        Raises RuntimeError when there are more users than witnesses.
        """
        environment = self.environment
        options = environment.parsed_options
        assert options is not None
        self.shared = shared(environment)
        self.people = self.shared.people
        if not self.shared.witnesses:
            raise RuntimeError(f"more users than the {len(self.people.witnesses)} witnesses: give more --subscribers")
        number = next(_numbers)
        endpoints = str(self.host).split(",")
        self.batch_requests = int(options.batch)
        self.refusals_count = bool(options.refusals_fail)
        self.traffic = Traffic(self.people, int(options.seed) + number)
        self.desk = DeskConnection(endpoints[number % len(endpoints)])
        self.told = self.shared.told
        self.measured = environment.events.request
        self.settler = Settler(self.desk, self.measured, self.told, refusals_count=self.refusals_count)
        identity = self.shared.witnesses.pop()
        self.witness = OwnSubscriber(identity, self.people.homes[identity], self.traffic, self.settler)

    def on_stop(self) -> None:
        """Give the witness back and close the stream."""
        self.shared.witnesses.append(self.witness.identity)
        self.desk.close()

    def charge(self, name: str, requests: Sequence[desk.ServiceRequest]) -> list[desk.ServiceReply]:
        """Settle charges, each in the home domain of its subscriber wherever it happened."""
        homes = self.people.homes
        return self.settler.settle(
            name,
            requests,
            lambda asked, reply, resent: checks.charge_fault(reply, {homes[asked.identity]}, resent=resent),
        )

    def ask(self, name: str, requests: Sequence[desk.ServiceRequest]) -> list[desk.ServiceReply]:
        """Settle queries and dry runs."""
        homes = self.people.homes
        return self.settler.settle(
            name, requests, lambda asked, reply, _: checks.query_fault(asked, reply, homes[asked.identity])
        )

    def batch(self, make: Callable[[], desk.ServiceRequest]) -> list[desk.ServiceRequest]:
        """Make one batch."""
        return [make() for _ in range(self.batch_requests)]
