"""Calls that charge, quote and look."""

from collections.abc import Sequence
from typing import Unpack

from onetier.v1 import service_desk_pb2 as desk

from onetier_client import requests as build
from onetier_client.asking import Asking
from onetier_client.messages import Command


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

    async def preview(self, identity: str, command: Command, **facts: Unpack[build.Facts]) -> desk.PreviewResult:
        """Ask what a command would do: what moves, which fees come with it, what is lost. Changes nothing.

        Raises what the command would raise. Send it with the `contract_version` told as its `expected_version`, so that
        it is done on what was shown.
        """
        return (await self.ask(build.preview(identity, command, **self._with({}, facts)))).preview

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
        self, identity: str, lines_max: int = 0, **facts: Unpack[build.Paged]
    ) -> Sequence[desk.HistoryLine]:
        """The newest changes of the account, newest first, all or of some `kinds`; `lines_max` 0 = as served.

        Older pages by `requests.query` with a cursor.
        """
        request = build.query(identity, "history", lines_max, **self._narrowed(facts))
        return (await self.ask(request)).history.lines

    async def detail(self, identity: str, records_max: int = 0, **facts: Unpack[build.Paged]) -> desk.DetailView:
        """A page of rated usage, newest first: of a member its own, by an account's id that of all.

        Narrowed by `kinds`, `services`, `from_ms`, `to_ms`; its `next_cursor`, given as `page_cursor`, tells the next
        page, which may be there though this one is empty.
        """
        return (await self.ask(build.query(identity, "detail", records_max, **self._narrowed(facts)))).detail

    async def account(self, identity: str, members_max: int = 0, **facts: Unpack[build.Paged]) -> desk.AccountView:
        """The account of an identity, or of "account:" and its id, with a page of its members."""
        return (await self.ask(build.query(identity, "account", members_max, **self._narrowed(facts)))).account

    async def accounts(self, identity: str, rows_max: int = 0, **facts: Unpack[build.Paged]) -> desk.AccountsView:
        """A page of the accounts of the customer whose account the identity names."""
        return (await self.ask(build.query(identity, "accounts", rows_max, **self._narrowed(facts)))).accounts

    async def arrears(self, identity: str, **facts: Unpack[build.Facts]) -> desk.ArrearsView:
        """What the account of an identity owes by its bills, and what is done about it."""
        return (await self.ask(build.query(identity, "arrears", **facts))).arrears

    async def frozen(self, identity: str, **facts: Unpack[build.Facts]) -> desk.FrozenView:
        """Give all of an account and of the member's contract, packed by the house, for jobs that rate anew."""
        return (await self.ask(build.query(identity, "frozen", **facts))).frozen

    async def fees(self, identity: str, **facts: Unpack[build.Paged]) -> desk.FeesView:
        """Fees of a member that come next, until the next bill cycle begins or `to_ms`. Changes nothing."""
        return (await self.ask(build.query(identity, "fees", **self._narrowed(facts)))).fees

    async def offerings(
        self, identity: str, rows_max: int = 0, only: Sequence[str] = (), **facts: Unpack[build.Paged]
    ) -> desk.OfferingsView:
        """A page of what is sold where the identity is served, all or `only` some, and whether it may be had."""
        given: build.Narrowed = {**self._narrowed(facts), "offerings": only}
        return (await self.ask(build.query(identity, "offerings", rows_max, **given))).offerings

    async def month(
        self, identity: str, pattern: desk.UsagePattern, offerings: Sequence[str] = (), **facts: Unpack[build.Paged]
    ) -> desk.MonthView:
        """What a month of use would cost, with the contract as it is or with `offerings` instead. Changes nothing."""
        given: build.Narrowed = {**self._narrowed(facts), "pattern": pattern, "offerings": offerings}
        return (await self.ask(build.query(identity, "month", **given))).month

    async def compare(self, identity: str, offerings: Sequence[str], **facts: Unpack[build.Paged]) -> desk.CompareView:
        """What was used in the last bill cycle, or from `from_ms` to `to_ms`, priced on other offerings."""
        given: build.Narrowed = {**self._narrowed(facts), "offerings": offerings}
        return (await self.ask(build.query(identity, "compare", **given))).compare

    async def outcome(self, identity: str, key: str, **facts: Unpack[build.Facts]) -> desk.OutcomeView:
        """What a request key did, if anything; asking changes nothing."""
        given: build.Facts = {"request_key": key, "explain": True}
        return (await self.ask(build.query(identity, "outcome", **self._with(given, facts)))).outcome
