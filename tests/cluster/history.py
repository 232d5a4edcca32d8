"""The history checker: holds what callers were told against the journals' own bytes.

It opens the storage units itself, follows each hash chain from its beginning to the head, and believes no server, no
cache, no snapshot. A key is counted by the entries with events that bear it; balances are added up from postings.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct, field

from charging.base.house_keys import received_from
from charging.ledger.commands.open_account import Opened
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.receive_transfer import TransferReceived
from charging.ledger.commands.refund import Refunded
from charging.ledger.commands.remember import REMEMBERED
from charging.ledger.commands.settle_transfer import TransferSettled
from charging.ledger.entry import Entry
from charging.ledger.events import Booked, SessionStepped
from charging.ledger.kinds import Event
from charging.ledger.sending import TransferSent
from charging.wire import Done, Failed
from domainservers.journal.groups import unpack_entries
from domainservers.journal.journal import Position, genesis, read_chain
from evidence.keys import PROCESS_RING, KeyRing
from house.stores import STORES
from tests.cluster.callers import Told

FINDINGS_TOLD_MAX = 12
EXPIRED = "expired"
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
    steps: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """(account, session, invocation) → how often it was done."""
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(account, session) → how often it ended, released or expired."""
    refunded: Counter[str] = field(default_factory=Counter)
    """Key of a charge → given back."""
    kept: dict[str, dict[str, int]] = {}
    """Account → session → money that it keeps."""
    floors: dict[str, int] = {}
    """Account → how low its money may be: its credit."""
    overspent: dict[str, str] = {}
    """Account → the first key after which charged and kept exceeded balance and credit."""


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
    hanging: int
    """Sessions that never ended, or accounts in which money is still kept."""
    overspent: int
    """Accounts in which charged and granted exceeded balance and credit, and charges given back more than wholly."""
    findings: tuple[str, ...]


async def read_history(journals: Mapping[str, Sequence[str]], ring: KeyRing = PROCESS_RING) -> History:
    """Read all journals (unit URL → names), chained with the keys of `ring`.

    Raises `Corrupt` where a hash chain does not hold.
    """
    history = History()
    for url, names in journals.items():
        unit = await STORES.open(url)
        try:
            for name in names:
                numbers: set[int] = set()
                async for segment, groups in read_chain(unit, name, Position(0, -1, genesis(name)), ring):
                    numbers.add(segment.number)
                    for group in groups:
                        history.groups += 1
                        for entry in unpack_entries(group.payload):
                            take(history, entry)
                history.segments += len(numbers)
        finally:
            await unit.close()
    return history


def check_history(
    sent: Mapping[str, object],
    told: Mapping[str, Told],
    balances: Mapping[str, int],
    history: History,
    refused: Mapping[str, str] | None = None,
) -> Figures:
    """Compare keys with keys and sums with `balances`, which the service told at the end (account → micro-units).

    `refused` are the keys that were told a refusal of the business: each is kept, and did nothing.
    """
    findings: list[str] = []
    lost = [key for key, one in told.items() if not _is_kept(one, history.effects.get(key, []))]
    findings += [f"{key}: told {told[key]}, in the journals {history.effects.get(key)}" for key in lost]
    unkept = [key for key in refused or {} if key not in history.refused]
    findings += [f"{key}: its refusal is in no journal" for key in unkept]
    doubled = [
        key
        for key, entries in history.effects.items()
        if len(entries) > 1 or key in history.refused or not (key in sent or key.startswith(("open-", "~")))
    ]
    findings += [f"{key}: {len(history.effects[key])} effects" for key in doubled]
    again = [place for place, times in (*history.steps.items(), *history.ended.items()) if times > 1]
    findings += [f"{place}: more than once" for place in again]
    hanging, overspent = _hanging(history), _overspent(history)
    findings += [*hanging, *overspent]
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
        len(lost) + len(unkept) + sum(_steps(history, key)[1] == 0 for key in halves),
        len(doubled) + len(again) + sum(max(_steps(history, key)) > 1 for key in halves),
        len(unbalanced),
        len(hanging),
        len(overspent),
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
    charged = _charged(entry)
    movements = tuple((movement.book_id, movement.before, movement.after) for movement in outcome.movements)
    for event in entry.events:
        if isinstance(event, SessionStepped):
            charged, movements = sum(hold.charged for hold in event.session.holds), ()
    return (told.identity, told.amount, told.version, told.movements) == (
        entry.identity,
        charged,
        entry.version,
        movements,
    )


def take(history: History, entry: Entry) -> None:
    """Take the next entry of a journal in."""
    if not entry.events:
        if entry.kind != REMEMBERED:
            history.refused.add(entry.key)
        return
    # A key is an intent of one account: the other half of a transfer has a key of its own.
    history.effects.setdefault(entry.key, []).append(entry)
    for event in entry.events:
        history.balances[entry.account_id] += _gain(history, entry, event)
    for event in entry.events:
        _follow(history, entry, event)
    _look_at_the_floor(history, entry)
    outcome = _outcome.decode(entry.outcome)
    for event in entry.events:
        if isinstance(event, Opened):
            history.closing[entry.account_id] = sum(book.amount for book in event.account.books)
    if isinstance(outcome, Done):
        for movement in outcome.movements:
            history.closing[entry.account_id] = movement.after


def _follow(history: History, entry: Entry, event: Event) -> None:
    """Follow what an event opened, kept and gave back."""
    match event:
        case Opened(account=account):
            history.floors[entry.account_id] = -account.terms.credit_limit
        case SessionStepped(session=session, ended=ended):
            name = (entry.account_id, session.session_id)
            kept = history.kept.setdefault(entry.account_id, {})
            kept[session.session_id] = sum(amount for hold in session.holds for _, amount in hold.reserved)
            if ended:
                history.ended[name] += 1
            if ended != EXPIRED:
                history.steps[(*name, session.invocation)] += 1
        case Refunded(charge_key=key, amount=amount):
            history.refunded[key] += amount


def _look_at_the_floor(history: History, entry: Entry) -> None:
    account_id = entry.account_id
    free = history.balances[account_id] - sum(history.kept.get(account_id, {}).values())
    if free < history.floors.get(account_id, 0):
        history.overspent.setdefault(account_id, entry.key)


def _hanging(history: History) -> list[str]:
    """Say what is left open at the end: a session has one end, and keeps nothing after it."""
    begun = dict.fromkeys((account_id, session_id) for account_id, session_id, _ in history.steps)
    left = [f"{name}: never ended" for name in begun if not history.ended[name]]
    sums = {account_id: sum(kept.values()) for account_id, kept in history.kept.items()}
    return left + [f"{account_id}: {amount} are still kept" for account_id, amount in sums.items() if amount]


def _overspent(history: History) -> list[str]:
    found = [f"{account_id}: below its floor after {key}" for account_id, key in history.overspent.items()]
    for key, amount in history.refunded.items():
        charged = sum(_charged(entry) for entry in history.effects.get(key, []))
        if amount > charged:
            found.append(f"{key}: charged {charged}, given back {amount}")
    return found


def _charged(entry: Entry) -> int:
    """What one entry charged."""
    whole = sum(event.charge.amount for event in entry.events if isinstance(event, Charged))
    steps = [step for event in entry.events if isinstance(event, SessionStepped) for step in event.postings]
    return whole + sum(step.amount for step in steps)


def _gain(history: History, entry: Entry, event: object) -> int:
    """Give what an event added to the money of its account, counting the steps of transfers on the way."""
    match event:
        case Opened(account=account):
            return sum(book.amount for book in account.books)
        case Charged(postings=postings):
            return -sum(amount for _, amount in postings)
        case Booked(postings=postings) | Refunded(postings=postings):
            return sum(amount for _, amount in postings)
        case SessionStepped(postings=steps):
            return -sum(amount for step in steps for _, amount in step.postings)
        case TransferSent(key=key, amount=amount):
            history.transfers["sent", key] += 1
            return -amount
        case TransferReceived(amount=amount):
            arrival = received_from(entry.key)
            history.transfers["received", arrival[1] if arrival else entry.key] += 1
            return amount
        case TransferSettled(key=key, arrived=arrived, amount=amount):
            history.transfers["settled" if arrived else "returned", key] += 1
            return 0 if arrived else amount
    return 0


def _steps(history: History, key: str) -> tuple[int, int, int, int]:
    counts = history.transfers
    return counts["sent", key], counts["received", key], counts["settled", key], counts["returned", key]
