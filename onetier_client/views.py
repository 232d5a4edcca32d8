"""Calls that charge, quote and look."""

from collections.abc import Sequence
from typing import Unpack

from onetier.v1 import service_desk_pb2 as desk

from onetier_client import requests as build
from onetier_client.asking import Asking


class Views(Asking):
    """Events and what may be known of an account."""

    async def charge(
        self, identity: str, service: str, quantity: int = 1, **facts: Unpack[build.Facts]
    ) -> desk.ChargeResult:
        """Rate an event and take it from the balance; amounts are micro-units, `quantity` seconds, bytes or events.

        Raises `Refused` (INSUFFICIENT_FUNDS, …) with nothing taken.
        """
        request = build.charge(identity, service, quantity, **self._with({"explain": True}, facts))
        return (await self.ask(request)).charge

    async def quote(
        self, identity: str, service: str, quantity: int = 1, **facts: Unpack[build.Facts]
    ) -> desk.ChargeResult:
        """Ask what an event would cost, and why. Changes nothing. `quantity` as in `charge`, amounts in micro-units."""
        request = build.quote(identity, service, quantity, **self._with({"explain": True}, facts))
        return (await self.ask(request)).quote

    async def balance(self, identity: str, **facts: Unpack[build.Facts]) -> desk.BalanceView:
        """Books, what is held by sessions, what may be spent: micro-units, base units in books of other units."""
        return (await self.ask(build.query(identity, "balance", **self._with({}, facts)))).balance

    async def usage(self, identity: str, **facts: Unpack[build.Facts]) -> desk.UsageView:
        """Accumulators, what is left of allowances, recent usage."""
        return (await self.ask(build.query(identity, "usage", **self._with({}, facts)))).usage

    async def contract(self, identity: str, **facts: Unpack[build.Facts]) -> desk.Contract:
        """What the identity has agreed with the operator."""
        return (await self.ask(build.query(identity, "contract", **self._with({}, facts)))).contract.contract

    async def history(
        self, identity: str, lines_max: int = 0, **facts: Unpack[build.Facts]
    ) -> Sequence[desk.HistoryLine]:
        """The newest changes of the account, newest first; `lines_max` 0 = as many as the server likes.

        Older pages by `requests.query` with a cursor.
        """
        request = build.query(identity, "history", lines_max, **self._with({}, facts))
        return (await self.ask(request)).history.lines

    async def outcome(self, identity: str, key: str, **facts: Unpack[build.Facts]) -> desk.OutcomeView:
        """What a request key did, if anything; asking changes nothing."""
        given: build.Facts = {"request_key": key, "explain": True}
        return (await self.ask(build.query(identity, "outcome", **self._with(given, facts)))).outcome
