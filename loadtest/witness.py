"""A subscriber whom nobody else charges. What it is quoted, charged and left with must agree to the micro-unit, so a
wrong amount is seen while the load runs, and not only in the journals afterwards.
"""

from onetier.v1 import service_desk_pb2 as desk

from loadtest import checks
from loadtest.requests import QUERY, QUOTE, Traffic
from loadtest.settling import Settler

VOUCH_EVERY = 8
"""Batches between two looks at the witness."""


class OwnSubscriber:
    """One user's own subscriber, of the domain `home`. Amounts are in micro-units of its currency."""

    def __init__(self, identity: str, home: str, traffic: Traffic, settler: Settler) -> None:
        self.identity = identity
        self.home = home
        self._traffic = traffic
        self._settler = settler
        self._batches = 0

    def vouch_sometimes(self) -> None:
        """Look with the first batch, and then every so often."""
        if self._batches % VOUCH_EVERY == 0:
            self.vouch({self.home})
        self._batches += 1

    def vouch(self, domains: set[str]) -> None:
        """It is quoted, charged and asked for its balance: all three agree, and tell of one of the domains."""
        event = self._traffic.charge(self.identity)
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

        replies = self._settler.settle("witness charge", [event], check)
        if replies and replies[0].HasField("charge"):
            self.look(domains, before.real - replies[0].charge.amount)

    def quote(self, event: desk.ServiceRequest) -> desk.ChargeResult | None:
        """Say what an event of it would cost; None when that was not told."""
        request = desk.ServiceRequest()
        request.CopyFrom(event)
        request.request_type, request.request_key = QUOTE, ""
        replies = self._settler.settle(
            "witness quote", [request], lambda asked, reply, _: checks.query_fault(asked, reply, "")
        )
        return replies[0].quote if replies and replies[0].HasField("quote") else None

    def look(self, domains: set[str], left: int | None = None) -> desk.BalanceView | None:
        """Ask for its balance; `left` is what it must be. None when it was not told."""
        request = desk.ServiceRequest(
            identity=self.identity, request_type=QUERY, service_code="balance", channel="web-hall"
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

        replies = self._settler.settle("witness balance", [request], check)
        return replies[0].balance if replies and replies[0].HasField("balance") else None
