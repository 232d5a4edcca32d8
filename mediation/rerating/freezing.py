"""Freezes accounts for a job: the state as the owner has it, the contracts of all members, and the rows up to it.

States come first and the journal is gathered after them, so rows are never older than a state; what came between makes
the account's version move on, and the owner refuses what was rated on the one before.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

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
ROWS_AT_ONCE = 200_000
"""That are read together; each costs some kilobytes until it is rated."""
ROWS_MAX = 1_000_000
"""Of one account since the lead-in: one that used more is left out, for all of its uses are rated in one go."""
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
        self, journal: JournalPlace, account_ids: Sequence[str], lead_in_day: str, kinds: Sequence[str] = ()
    ) -> AsyncIterator[FrozenAccount | LeftOut]:
        """Freeze accounts, in their order, with rows of some kinds; () = of all. Few rows are in memory at once."""
        for begin in range(0, len(account_ids), ACCOUNTS_AT_ONCE):
            some = account_ids[begin : begin + ACCOUNTS_AT_ONCE]
            states = await self._states(some)
            await self._charged.gather(journal)
            frame = self._charged.frame(journal.slot, lead_in_day)
            if kinds:
                frame = frame.filter(pl.col("kind").is_in(list(kinds)))
            counts = _counts(frame, some)
            for several in _few(some, counts):
                rows = _rows(frame, [each for each in several if counts.get(each, 0) <= ROWS_MAX])
                for account_id in several:
                    found, count = states[account_id], counts.get(account_id, 0)
                    if isinstance(found, LeftOut):
                        yield found
                    elif count > ROWS_MAX:
                        why = f"{count:,} uses are to be looked at, and {ROWS_MAX:,} are the most: adjust it by hand"
                        yield LeftOut(account_id, "USES_TOO_MANY", why)
                    else:
                        account, contracts = found
                        mine = tuple(row for row in rows.pop(account_id, ()) if row.usage.version <= account.version)
                        yield FrozenAccount(account, contracts, mine)

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


def _counts(frame: pl.LazyFrame, account_ids: Sequence[str]) -> dict[str, int]:
    """Count the rows of accounts, which reads one column."""
    mine = frame.select("account").filter(pl.col("account").is_in(list(account_ids)))
    return {str(name): int(count) for name, count in mine.group_by("account").len().collect().iter_rows()}


def _few(account_ids: Sequence[str], counts: Mapping[str, int]) -> Iterator[Sequence[str]]:
    """Divide accounts, in their order, so that few rows are of one part; one account is never divided."""
    part: list[str] = []
    rows = 0
    for account_id in account_ids:
        count = counts.get(account_id, 0)
        if part and rows + count > ROWS_AT_ONCE:
            yield part
            part, rows = [], 0
        part.append(account_id)
        rows += count if count <= ROWS_MAX else 0
    if part:
        yield part


def _rows(frame: pl.LazyFrame, account_ids: Sequence[str]) -> dict[str, list[StoredUsage]]:
    found: dict[str, list[StoredUsage]] = {}
    mine = frame.filter(pl.col("account").is_in(list(account_ids)))
    for row in rows_in(mine.drop("slot", "day").collect()):
        found.setdefault(row.account_id, []).append(row)
    return found
