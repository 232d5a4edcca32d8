"""A second look, at each takeover, at what was set aside: a version that can read it serves the account again.

What is set aside of an account is each of its entries from the first bad one on, so its frozen state and these entries
are its whole past. Only when all of them are read and fit is anything changed.
"""

from charging.base.account import Account
from charging.errors import Fault
from charging.ledger.entry import Entry
from charging.ledger.ledger import replay
from domainservers.journal.frames import read_group
from domainservers.journal.framing import Frame
from domainservers.journal.groups import DEFECTS, unpack_at
from domainservers.journal.keys import POSITIONS_PER_GROUP, fingerprint
from domainservers.journal.quarantine import Aside
from domainservers.slot.parts import Parts
from runtime.telemetry import logger

log = logger("domainservers.slot.healing")


async def heal(parts: Parts, rows: list[Aside]) -> None:
    """Try rows that a checkpoint brought. Raises `StoreUnavailable`."""
    by_mark: dict[int, list[Aside]] = {}
    for row in rows:
        by_mark.setdefault(row.mark, []).append(row)
    for mark, some in by_mark.items():
        if any(row.snapshot for row in some):
            continue  # Entries alone don't bring a lost state back.
        await _heal_one(parts, mark, sorted(some, key=lambda row: row.position))


async def _heal_one(parts: Parts, mark: int, rows: list[Aside]) -> None:
    entries: list[Entry] = []
    try:
        for row in rows:
            payload = await read_group(parts.private, parts.journal, row.group)
            if payload is None:
                return
            entries.append(unpack_at(Frame(payload), row.position % POSITIONS_PER_GROUP))
        account_id = entries[0].account_id
        cell = parts.accounts.cells.get(account_id)
        if cell is None or any(entry.account_id != account_id for entry in entries):
            return
        before = after = parts.accounts.state(cell)
        for entry in entries:
            after = replay(after, entry) if entry.events else after
    except (Fault, *DEFECTS) as error:
        log.warning("still set aside", slot=parts.name, mark=mark, why=str(error)[:200])
        return
    parts.quarantine.release(mark)
    for row, entry in zip(rows, entries, strict=True):
        parts.keys.add(fingerprint(entry.account_id, entry.key), row.position)
    _take(parts, account_id, before, after, rows[-1].group)


def _take(parts: Parts, account_id: str, before: Account | None, after: Account | None, seq: int) -> None:
    cell = parts.accounts.cells[account_id]
    if after is not None and after is not before:
        parts.accounts.change(cell, after, seq)
        parts.watch.look(after, before)
    else:
        parts.accounts.touch(cell, seq)
    parts.snapshots.entries += 1  # So that a checkpoint says it.
    parts.metrics.event("healed")
    log.info("an account that was set aside is served again", slot=parts.name, group=seq)
