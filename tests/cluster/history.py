"""The history checker: holds what callers were told against the journals' own bytes.

It opens the storage units itself, follows each hash chain from its beginning to the head, and believes no server, no
cache, no snapshot. A key is counted by the entries with events that bear it; balances are added up from postings.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct, field

from charging.entry import Entry
from charging.events import Booked, Charged, Opened, TransferReceived, TransferSent, TransferSettled
from charging.wire import Done, Failed
from domainservers.groups import unpack_entries
from domainservers.journal import Position, genesis, read_chain
from storage.open import open_unit
from tests.cluster.callers import Told

FINDINGS_TOLD_MAX = 12
_outcome = msgspec.msgpack.Decoder(Done | Failed)


class History(Struct):
    """What all journals hold."""

    groups: int = 0
    segments: int = 0
    effects: dict[str, list[Entry]] = {}
    """Request key → the entries under it that changed an account."""
    refused: set[str] = set()
    """Keys with an entry that changed nothing."""
    balances: Counter[str] = field(default_factory=Counter)
    """Account → its money, added up posting by posting."""
    closing: dict[str, int] = {}
    """Account → what its newest movement says is in its book."""
    transfers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(step, key of the sender's request) → how often. Steps: sent, received, settled, returned."""


class Figures(Struct, frozen=True):
    """The findings. `lost` and `doubled` are numbers of request keys."""

    sent: int
    acknowledged: int
    journaled: int
    lost: int
    """Acknowledged, and not in a journal as told."""
    doubled: int
    """More than one effect under a key, or an effect that nobody asked for."""
    unbalanced: int
    """Accounts whose balance is not the sum of its movements."""
    findings: tuple[str, ...]


async def read_history(journals: Mapping[str, Sequence[str]]) -> History:
    """Read all journals (unit URL → names). Raises `Corrupt` where a hash chain does not hold."""
    history = History()
    for url, names in journals.items():
        unit = await open_unit(url)
        try:
            for name in names:
                numbers: set[int] = set()
                async for segment, groups in read_chain(unit, name, Position(0, -1, genesis(name))):
                    numbers.add(segment.number)
                    for group in groups:
                        history.groups += 1
                        for entry in unpack_entries(group.payload):
                            _take(history, entry)
                history.segments += len(numbers)
        finally:
            await unit.close()
    return history


def check_history(
    sent: Mapping[str, object], told: Mapping[str, Told], balances: Mapping[str, int], history: History
) -> Figures:
    """Compare keys with keys and sums with `balances`, which the service told at the end (account → micro-units)."""
    findings: list[str] = []
    lost = [key for key, one in told.items() if not _is_kept(one, history.effects.get(key, []))]
    findings += [f"{key}: told {told[key]}, in the journals {history.effects.get(key)}" for key in lost]
    doubled = [
        key
        for key, entries in history.effects.items()
        if len(entries) > 1 or key in history.refused or not (key in sent or key.startswith(("open-", "~")))
    ]
    findings += [f"{key}: {len(history.effects[key])} effects" for key in doubled]
    halves = [key for key in told if key.startswith("transfer-") and _steps(history, key) != (1, 1, 1, 0)]
    findings += [f"{key}: sent, received, settled, returned {_steps(history, key)} times" for key in halves]
    unbalanced = [
        account
        for account, amount in balances.items()
        if not amount == history.balances[account] == history.closing.get(account)
    ]
    findings += [
        f"{account}: told {balances[account]}, movements add up to {history.balances[account]}, "
        f"the newest says {history.closing.get(account)}"
        for account in unbalanced
    ]
    journaled = sum(1 for key in history.effects if key in sent)
    return Figures(
        len(sent),
        len(told),
        journaled,
        len(lost) + sum(_steps(history, key)[1] == 0 for key in halves),
        len(doubled) + sum(max(_steps(history, key)) > 1 for key in halves),
        len(unbalanced),
        tuple(findings[:FINDINGS_TOLD_MAX]),
    )


def _is_kept(told: Told, entries: Sequence[Entry]) -> bool:
    """Say whether the journal holds just what the caller was told."""
    if not entries:
        return False
    entry = entries[0]
    outcome = _outcome.decode(entry.outcome)
    if not isinstance(outcome, Done):
        return False
    charged = sum(event.charge.amount for event in entry.events if isinstance(event, Charged))
    movements = tuple((movement.book_id, movement.before, movement.after) for movement in outcome.movements)
    return (told.identity, told.amount, told.version, told.movements) == (
        entry.identity,
        charged,
        entry.version,
        movements,
    )


def _take(history: History, entry: Entry) -> None:
    if not entry.events:
        history.refused.add(entry.key)
        return
    # A key is an intent of one account: the other half of a transfer has a key of its own.
    history.effects.setdefault(entry.key, []).append(entry)
    for event in entry.events:
        history.balances[entry.account_id] += _gain(history, entry, event)
    outcome = _outcome.decode(entry.outcome)
    for event in entry.events:
        if isinstance(event, Opened):
            history.closing[entry.account_id] = sum(book.amount for book in event.account.books)
    if isinstance(outcome, Done):
        for movement in outcome.movements:
            history.closing[entry.account_id] = movement.after


def _gain(history: History, entry: Entry, event: object) -> int:
    """Give what an event added to the money of its account, counting the steps of transfers on the way."""
    match event:
        case Opened(account=account):
            return sum(book.amount for book in account.books)
        case Charged(postings=postings):
            return -sum(amount for _, amount in postings)
        case Booked(postings=postings):
            return sum(amount for _, amount in postings)
        case TransferSent(key=key, amount=amount):
            history.transfers["sent", key] += 1
            return -amount
        case TransferReceived(amount=amount):
            history.transfers["received", entry.key.rpartition("~")[2]] += 1
            return amount
        case TransferSettled(key=key, arrived=arrived, amount=amount):
            history.transfers["settled" if arrived else "returned", key] += 1
            return 0 if arrived else amount
    return 0


def _steps(history: History, key: str) -> tuple[int, int, int, int]:
    counts = history.transfers
    return counts["sent", key], counts["received", key], counts["settled", key], counts["returned", key]
