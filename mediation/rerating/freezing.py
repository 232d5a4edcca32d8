"""Freezes accounts for a job: the state as the owner has it, the contracts of all members, and the rows up to it.

States come first and the journal is gathered after them, so rows are never older than a state; what came between makes
the account's version move on, and the owner refuses what was rated on the one before.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec
import polars as pl
from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from charging.base.account import Account
from charging.base.contract import Contract
from charging.errors import Fault
from details.parts import rows_in
from details.rows import StoredUsage
from mediation.gathering import JournalPlace
from mediation.rerating.rows import ChargedRows
from onetier_client import AsyncClient
from runtime.status import from_status

ACCOUNTS_AT_ONCE = 500
WINDOW_REQUESTS = 64
CHANNEL = "front"
STALE = "RESTATEMENT_STALE"
"""The account moved on: it is frozen again."""
_account = msgspec.msgpack.Decoder(Account).decode
_contract = msgspec.msgpack.Decoder(Contract).decode


class FrozenAccount(Struct, frozen=True):
    """An account as a job rates it."""

    account: Account
    contracts: dict[str, Contract]
    """By member."""
    rows: tuple[StoredUsage, ...]
    """Since the lead-in: the cycle before the first that is rated anew."""


class LeftOut(Struct, frozen=True):
    """An account that a job could not take, and why."""

    account_id: str
    reason: str
    why: str = ""


class Freezer:
    """Freezes accounts of one journal."""

    def __init__(self, rows: ChargedRows, client: AsyncClient) -> None:
        self._charged = rows
        self._client = client

    async def frozen(
        self, journal: JournalPlace, account_ids: Sequence[str], lead_in_day: str
    ) -> AsyncIterator[FrozenAccount | LeftOut]:
        """Freeze accounts, in their order."""
        for begin in range(0, len(account_ids), ACCOUNTS_AT_ONCE):
            some = account_ids[begin : begin + ACCOUNTS_AT_ONCE]
            states = await self._states(some)
            await self._charged.gather(journal)
            rows = self._rows(journal.slot, some, lead_in_day)
            for account_id in some:
                found = states[account_id]
                if isinstance(found, LeftOut):
                    yield found
                else:
                    account, contracts = found
                    mine = tuple(row for row in rows.get(account_id, ()) if row.usage.version <= account.version)
                    yield FrozenAccount(account, contracts, mine)

    def _rows(self, slot: str, account_ids: Sequence[str], from_day: str) -> dict[str, list[StoredUsage]]:
        frame = self._charged.frame(slot, from_day).filter(pl.col("account").is_in(list(account_ids)))
        found: dict[str, list[StoredUsage]] = {}
        for row in rows_in(frame.drop("slot", "day").collect()):
            found.setdefault(row.account_id, []).append(row)
        return found

    async def _states(self, account_ids: Sequence[str]) -> dict[str, tuple[Account, dict[str, Contract]] | LeftOut]:
        states: dict[str, tuple[Account, dict[str, Contract]] | LeftOut] = {}
        members: list[tuple[str, str]] = []
        asked = [(account_id, f"account:{account_id}") for account_id in account_ids]
        for account_id, view in await self._views(asked):
            if isinstance(view, LeftOut):
                states[account_id] = view
                continue
            account = _account(view.account)
            states[account_id] = (account, {})
            members += [(account_id, member) for member in account.members]
        for account_id, view in await self._views(members):
            known = states[account_id]
            if isinstance(known, LeftOut):
                continue
            if isinstance(view, LeftOut):
                states[account_id] = view
                continue
            account, contract = _account(view.account), _contract(view.contract)
            if account.version != known[0].version:
                # Contracts of two versions are those of no state.
                states[account_id] = LeftOut(account_id, STALE, "it moved on while it was frozen")
            else:
                known[1][contract.identity] = contract
        return states

    async def _views(self, asked: Sequence[tuple[str, str]]) -> list[tuple[str, desk.FrozenView | LeftOut]]:
        of = {identity: account_id for account_id, identity in asked}
        requests: list[desk.ServiceRequest] = []
        for identity in of:
            request = desk.ServiceRequest(
                identity=identity, request_type=desk.REQUEST_TYPE_QUERY, service_code="frozen", channel=CHANNEL
            )
            requests.append(request)
        found: list[tuple[str, desk.FrozenView | LeftOut]] = []
        async for request, reply in self._client.exchange(requests, window=WINDOW_REQUESTS, timeout_ms=30_000):
            account_id = of[request.identity]
            if reply.HasField("error"):
                fault: Fault = from_status(reply.error)
                found.append((account_id, LeftOut(account_id, fault.reason, fault.message)))
            else:
                found.append((account_id, reply.frozen))
        return found
