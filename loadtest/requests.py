"""Requests of the scenarios: seeded, and shaped like what the front ends send."""

import csv
import itertools
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from onetier.v1 import service_desk_pb2 as desk

CHARGE = desk.REQUEST_TYPE_CHARGE
QUERY = desk.REQUEST_TYPE_QUERY
QUOTE = desk.REQUEST_TYPE_QUOTE
EXECUTE = desk.REQUEST_TYPE_EXECUTE
SERVICE_OF_KIND = {"msisdn": ("voice", "sms", "data"), "fixed": ("fixed",), "broadband": ("broadband",)}
VIEWS = ("balance", "usage", "contract")


WITNESSES_SHARE = 4
"""One in so many of the subscribers that have an account to themselves is kept for the users' own checks."""


class People(NamedTuple):
    """Who may be charged, and who is kept aside."""

    crowd: list[tuple[str, str]]
    """Identity and home domain; regions come by population because the file does."""
    witnesses: list[str]
    """Mobile numbers with an account of their own: each user has one that nobody else charges."""
    homes: dict[str, str]
    """Identity → home domain, of all."""
    hot: str
    """The number on which everything goes when one account is hot."""


def read_people(path: Path) -> People:
    """Read the CSV file (identity, domain, account) that `onetier up` and `onetier loadtest` write."""
    if not path.exists():
        raise SystemExit(f"{path} is not there: start the system with `onetier up`, or name its file by --subscribers")
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [(row["identity"], row["domain"], row["account"]) for row in csv.DictReader(lines)]
    members = Counter(account for _, _, account in rows)
    alone = [who for who, _, account in rows if members[account] == 1 and who.startswith("msisdn:")]
    witnesses = alone[1::WITNESSES_SHARE]
    aside = set(witnesses)
    crowd = [(who, domain) for who, domain, _ in rows if who not in aside]
    if not witnesses or {domain for _, domain in crowd} != {domain for _, domain, _ in rows}:
        raise SystemExit(f"{path} has too few subscribers for a load test: start the system with more --subscribers")
    return People(crowd, witnesses, {who: domain for who, domain, _ in rows}, alone[0])


class Traffic:
    """Makes requests for a population; one instance a user, so that users differ and a seed repeats them."""

    def __init__(self, people: People, seed: int) -> None:
        self.subscribers = people.crowd
        self.random = random.Random(seed)
        self.domains = sorted({domain for _, domain in people.crowd})
        self._numbers = [who for who, _ in people.crowd if who.startswith(("msisdn:", "fixed:"))]
        self._keys = itertools.count()
        self._prefix = f"load-{os.getpid()}-{seed}-{time.time_ns():x}"

    def key(self) -> str:
        """Give a request key never used before."""
        return f"{self._prefix}-{next(self._keys)}"

    def draw(self, below: int) -> int:
        """Give a number from 0 to below another."""
        return self.random.randrange(below)

    def elsewhere(self, home: str) -> str:
        """Pick a region that isn't somebody's home; "" where there is but one."""
        return self.random.choice([domain for domain in self.domains if domain != home] or [""])

    def anyone(self) -> tuple[str, str]:
        """Pick a subscriber; regions come by population because the file does."""
        return self.random.choice(self.subscribers)

    def mobile(self) -> str:
        """Pick a mobile subscriber."""
        while True:
            identity, _ = self.anyone()
            if identity.startswith("msisdn:"):
                return identity

    def charge(self, identity: str = "", visited: str = "") -> desk.ServiceRequest:
        """One finished event: a call, a message, a piece of data."""
        if not identity:
            identity, _ = self.anyone()
        service = self.random.choice(SERVICE_OF_KIND.get(identity.partition(":")[0], ("voice",)))
        called = service in ("voice", "sms", "fixed")
        return desk.ServiceRequest(
            identity=identity,
            request_type=CHARGE,
            service_code=service,
            request_key=self.key(),
            event_time_ms=int(time.time() * 1000) - self.random.randrange(60_000),
            quantity=self._quantity(service),
            channel="front",
            other_party=self.random.choice(self._numbers) if called else "",
            visited_place=visited,
        )

    def roaming_charge(self) -> desk.ServiceRequest:
        """A busy-hour event: one in twelve is away from home."""
        identity, home = self.anyone()
        away = self.random.random() < 1 / 12
        return self.charge(identity, self.elsewhere(home) if away else "")

    def query(self) -> desk.ServiceRequest:
        """Ask for balance, usage or contract; or what a call would cost."""
        if self.random.random() < 0.25:
            request = self.charge()
            request.request_type, request.request_key = QUOTE, ""
            return request
        return desk.ServiceRequest(
            identity=self.anyone()[0],
            request_type=QUERY,
            service_code=self.random.choice(VIEWS),
            channel="web-hall",
        )

    def data_event(self, identity: str, quantity: int, at_ms: int) -> desk.ServiceRequest:
        """A piece of data of a given size, at a given time."""
        return desk.ServiceRequest(
            identity=identity,
            request_type=CHARGE,
            service_code="data",
            request_key=self.key(),
            event_time_ms=at_ms,
            quantity=quantity,
            channel="front",
        )

    def session_step(
        self, identity: str, session: str, invocation: int, last: int, used: int, began_ms: int
    ) -> desk.ServiceRequest:
        """Create, update or release a data session of ten-megabyte quotas that began at `began_ms`."""
        operation = (
            desk.SessionRequest.OPERATION_CREATE
            if invocation == 0
            else desk.SessionRequest.OPERATION_RELEASE
            if invocation == last
            else desk.SessionRequest.OPERATION_UPDATE
        )
        requested = 0 if invocation == last else 10 << 20
        unit = desk.UnitUse(service_code="data", requested=requested, used=used, event_time_ms=began_ms)
        return desk.ServiceRequest(
            identity=identity,
            request_type=EXECUTE,
            request_key=self.key(),
            event_time_ms=began_ms,
            channel="front",
            session=desk.SessionRequest(session_id=session, operation=operation, invocation=invocation, units=[unit]),
        )

    def _quantity(self, service: str) -> int:
        if service == "sms":
            return 1
        if service in ("data", "broadband"):
            return int(min(self.random.paretovariate(1.2) * 200_000, 2_000_000_000))
        return max(1, int(min(self.random.lognormvariate(4.2, 1.1), 7_200)))
