"""Which accounts have late usage whose cycles wait to be rated anew, and why some still do.

Found in the details themselves, so a folder that was lost and gathered again finds them all once more: rating anew what
was rated finds nothing to post.
"""

import polars as pl
from msgspec import Struct

from charging.base.lateness import LATE_MS_MAX
from charging.ledger.details import CHARGE, LATE
from details.rows import GROUP_PLACES
from details.store import DetailStore

LATE_MS = 86_400_000
"""What was charged so long after it began may have come after its cycle was closed: the account's own cycle says."""
_READ = "SELECT slot, account, from_ms, position, set_aside, reason, why FROM late"
_FOUND = """
INSERT INTO late (slot, account, from_ms, position, set_aside, reason, why) VALUES (?, ?, ?, ?, ?, '', '')
ON CONFLICT DO UPDATE SET from_ms = min(from_ms, excluded.from_ms), position = excluded.position,
  set_aside = max(set_aside, excluded.set_aside)
"""


class LateUsage(Struct, frozen=True):
    """Late usage of one account. The order of its fields is that of the table."""

    slot: str
    account_id: str
    from_ms: int
    """When the oldest of it began, UTC."""
    position: int
    """Of the newest of it in the journal."""
    set_aside: bool
    """Some of it was taken at no price."""
    reason: str = ""
    """Why it could not be rated when that was tried; "" = it was not tried."""
    why: str = ""


class LateBook:
    """Of one folder. Whoever writes is its only writer."""

    def __init__(self, store: DetailStore) -> None:
        self._store = store
        self._manifest = store.manifest
        self._execute = store.manifest.execute

    def find(self, slot: str) -> None:
        """Look through what was gathered of a journal since the last time."""
        seen = self._execute("SELECT position FROM late_seen WHERE slot = ?", (slot,)).fetchone()
        behind = int(seen[0]) if seen else -1
        delay_ms = pl.col("time_ms") - pl.col("start_ms")
        # What was charged later than that counts for nothing, so its price is right whatever its cycle was.
        late = (delay_ms > LATE_MS) & (delay_ms <= LATE_MS_MAX) & (pl.col("kind") == CHARGE)
        aside = pl.col("kind") == LATE
        rows = self._store.frame(slot).filter((pl.col("position") > behind) & (late | aside))
        sums = (pl.col("start_ms").min(), pl.col("position").max(), aside.any().alias("aside"))
        found = rows.group_by("account").agg(*sums).sort("account").collect()
        with self._manifest.commit():
            for account, from_ms, position, set_aside in found.iter_rows():
                self._execute(_FOUND, (slot, account, from_ms, position, int(set_aside)))
            through = self._manifest.gathered().get(slot, -1)
            places = ((through + 1) * GROUP_PLACES - 1, slot)
            self._execute("INSERT OR REPLACE INTO late_seen (position, slot) VALUES (?, ?)", places)

    def waiting(self, slot: str = "") -> list[LateUsage]:
        """Give what waits, by journal and account; "" = of all journals."""
        query = f"{_READ} WHERE ? IN ('', slot) ORDER BY slot, account"
        return [
            LateUsage(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6])
            for row in self._execute(query, (slot,))
        ]

    def rated(self, late: LateUsage) -> None:
        """Say that what waited was rated; what came since waits on."""
        with self._manifest.commit():
            query = "DELETE FROM late WHERE slot = ? AND account = ? AND position <= ?"
            self._execute(query, (late.slot, late.account_id, late.position))

    def left(self, late: LateUsage, reason: str, why: str) -> None:
        """Say why it could not be rated."""
        with self._manifest.commit():
            query = "UPDATE late SET reason = ?, why = ? WHERE slot = ? AND account = ?"
            self._execute(query, (reason, why, late.slot, late.account_id))
