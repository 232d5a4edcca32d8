"""Who holds an identity: at most one account in the whole country.

For each identity that an account ever took there is a record in the directory's unit, the only one that all domains
share, written by compare-and-set alone: of two owners who want one identity at the same time one gets it, and the other
is told. An account takes its identities before what it decides is journaled; the record is sealed when the contract is
written to the shared unit, and freed when the contract that ends is.

Between taking and journaling an owner may die. Then the record names an account without such a contract, unsealed: the
same account may always take the identity, another one after `STALE_MS`, and when the rest is over from which it was
taken.

An identity that is let go may rest for a while (number quarantine): until then only the account that had it may take it
again, or the one that it is kept for.

The record is the head of a journal without groups, the one thing that a unit writes conditionally: `owner` = account
id, "" = free, `RESTS` and until when and for whom while it rests; `seq` = version of the account that took it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from charging.base.contract import Contract
from charging.base.house_keys import digest_of
from charging.errors import Fault, Refused, Unavailable
from storage.unit import Head, Unit

STALE_MS = 86_400_000
"""Longer than any owner takes from here to the journal, and than a slot is without owner."""
TRIES_MAX = 8
RETRY_MS = 200
AT_ONCE_MAX = 32
RESTS = "rests"
"""What the owner of an identity begins with that rests; no account's id does, which begin with a slot."""
_TIME_BYTES, _DIGEST_BYTES = 8, 16

Clock = Callable[[], int]


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def identity_taken(holder: str) -> Refused:
    """The fault of an identity that another account holds."""
    return Refused("IDENTITY_TAKEN", "the identity belongs to another account", facts={"account": holder})


def identity_rests(until_ms: int) -> Refused:
    """The fault of an identity that was let go and is in quarantine."""
    text = "the number was let go and rests: choose another, or wait"
    return Refused("NUMBER_IN_QUARANTINE", text, facts={"until_ms": str(until_ms)})


class Rest(NamedTuple):
    """What the record of an identity that rests says."""

    until_ms: int
    accounts: tuple[str, ...]
    """Those that may have it meanwhile."""


def _owner_after(contract: Contract) -> str:
    """Write who may have the identity of a contract that is over."""
    if not contract.rests_until_ms:
        return ""
    return f"{RESTS} {contract.rests_until_ms} {contract.account_id} {contract.kept_for}".rstrip()


def _rest_of(owner: str) -> Rest | None:
    """Read what `_owner_after` writes; None for the id of an account, or nobody's."""
    word, *rest = owner.split(" ")
    if word != RESTS or len(rest) < 2 or not rest[0].isdecimal():
        return None
    return Rest(int(rest[0]), tuple(rest[1:]))


def _kept(head: Head) -> str:
    """Give the rest from which an identity was taken, or in which it is, as `_owner_after` writes it; "" = none."""
    if head.sealed:
        return ""
    return head.owner if _rest_of(head.owner) is not None else head.tip[_TIME_BYTES + _DIGEST_BYTES :].decode()


class Registry:
    """The holders' records, as one slot reads and writes them.

    Safe for any number of owners at once: each step is a compare-and-set, and may be repeated.
    """

    def __init__(self, unit: Unit, now_ms: Clock = _wall_ms) -> None:
        self._unit = unit
        self._now_ms = now_ms

    async def holder(self, identity: str) -> str:
        """Give the account that holds an identity; "" = none. Raises `StoreUnavailable`."""
        head = await self._unit.head(_journal(identity), 0)
        return head.owner if head is not None and _rest_of(head.owner) is None else ""

    async def holder_for_good(self, identity: str) -> str:
        """Give the account that holds an identity since its contract is written; "" = none.

        Raises `StoreUnavailable`.
        """
        head = await self._unit.head(_journal(identity), 0)
        return head.owner if head is not None and head.sealed else ""

    async def rest(self, identity: str) -> Rest | None:
        """Give how long an identity rests, and for whom; None = it does not. Raises `StoreUnavailable`."""
        head = await self._unit.head(_journal(identity), 0)
        return _rest_of(head.owner) if head is not None else None

    async def take(self, identities: Sequence[str], account_id: str, version: int) -> Fault | None:
        """Take identities for an account whose mutation will have this version; gives why one can't be had.

        None = all are taken. What was taken before one that can't be had stays taken, for the same account to try
        again. Raises `StoreUnavailable`.
        """
        for start in range(0, len(identities), AT_ONCE_MAX):
            some = identities[start : start + AT_ONCE_MAX]
            for fault in await asyncio.gather(*(self._take(each, account_id, version) for each in some)):
                if fault is not None:
                    return fault
        return None

    async def _take(self, identity: str, account_id: str, version: int) -> Fault | None:
        journal = _journal(identity)
        head = await self._unit.head(journal, 0)
        for _ in range(TRIES_MAX):
            mine = head is not None and head.owner == account_id
            if head is not None and mine and head.seq >= version:
                return None
            kept = _kept(head) if head is not None else ""
            rest = _rest_of(kept)
            if rest is not None and not mine and self._now_ms() < rest.until_ms and account_id not in rest.accounts:
                return identity_rests(rest.until_ms)
            if head is not None and not mine and head.owner not in ("", kept):
                if head.sealed:
                    return identity_taken(head.owner)
                if self._now_ms() - int.from_bytes(head.tip[:_TIME_BYTES]) < STALE_MS:
                    break
            wanted = self._head(head, account_id, version, sealed=head is not None and mine and head.sealed, kept=kept)
            found = await self._unit.swap(journal, 0, head, wanted, None)
            if found == wanted:
                return None
            head = found
        text = "another account takes the identity, or lets it go, just now; repeat the same request key"
        return Unavailable("IDENTITY_CONTENDED", text, retry_ms=RETRY_MS)

    async def settle(self, written: Sequence[Contract]) -> None:
        """Seal the identities of contracts that are written, and free those whose contracts have ended.

        One that its account, or another, took again since then is left as it is. Raises `StoreUnavailable`.
        """
        for start in range(0, len(written), AT_ONCE_MAX):
            await asyncio.gather(*(self._settle(each) for each in written[start : start + AT_ONCE_MAX]))

    async def _settle(self, contract: Contract) -> None:
        journal = _journal(contract.identity)
        head = await self._unit.head(journal, 0)
        if head is None or head.owner != contract.account_id or head.seq > contract.version:
            return
        if contract.status == "ended":
            wanted = self._head(head, _owner_after(contract), contract.version, sealed=False)
            await self._unit.swap(journal, 0, head, wanted, None)
        elif not head.sealed:
            await self._unit.swap(journal, 0, head, self._head(head, head.owner, head.seq, sealed=True), None)

    def _head(self, before: Head | None, account_id: str, version: int, *, sealed: bool, kept: str = "") -> Head:
        epoch = before.epoch + 1 if before is not None else 1
        # The tip is what a swap is known by: no two takers may make the same one.
        tip = self._now_ms().to_bytes(_TIME_BYTES) + digest_of(account_id, version, epoch) + kept.encode()
        return Head(epoch, account_id, version, tip, sealed)


def _journal(identity: str) -> str:
    return f"holder/{identity}"
