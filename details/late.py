"""Which accounts have late usage whose cycles wait to be rated anew, and why some still do.

Found in the details themselves, so a folder that was lost and gathered again finds them all once more: rating anew what
was rated finds nothing to post. Each month of an account waits by itself: one that can't be rated keeps no later one
waiting.
"""

import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from charging.base.lateness import LATE_MS_MAX
from charging.ledger.details import CHARGE, LATE
from details.rows import GROUP_PLACES
from details.store import DetailStore

LATE_MS = 86_400_000
"""What was charged so long after it began may have come after its cycle was closed: the account's own cycle says."""
_READ = "SELECT slot, account, month, from_ms, position, set_aside, reason, why FROM late"
_FOUND = """
INSERT INTO late (slot, account, month, from_ms, position, set_aside, reason, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET from_ms = min(from_ms, excluded.from_ms), position = max(position, excluded.position),
  set_aside = max(set_aside, excluded.set_aside),
  reason = CASE excluded.reason WHEN '' THEN reason ELSE excluded.reason END,
  why = CASE excluded.reason WHEN '' THEN why ELSE excluded.why END
"""


class LateUsage(Struct, frozen=True):
    """Late usage of one account and month, with all of it since. The order of its fields is that of the table."""

    slot: str
    account_id: str
    from_ms: int
    """When the oldest of it began, UTC."""
    position: int
    """Of the newest of it in the journal, that of later months included: all of it is rated together."""
    set_aside: bool
    """Some of it, or of later months, was taken at no price."""
    reason: str = ""
    """Why it could not be rated when that was tried; "" = it was not tried."""
    why: str = ""
    month: str = ""
    """Of the region's clock, yyyymm."""


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
        by = ("account", pl.col("day").str.head(6).alias("month"))
        found = rows.group_by(*by).agg(*sums).sort("account", "month").collect()
        with self._manifest.commit():
            for account, month, from_ms, position, set_aside in found.iter_rows():
                self._execute(_FOUND, (slot, account, month, from_ms, position, int(set_aside), "", ""))
            through = self._manifest.gathered().get(slot, -1)
            places = ((through + 1) * GROUP_PLACES - 1, slot)
            self._execute("INSERT OR REPLACE INTO late_seen (position, slot) VALUES (?, ?)", places)

    def waiting(self, slot: str = "") -> list[LateUsage]:
        """Give what waits, by journal, account and month, the oldest first; "" = of all journals."""
        query = f"{_READ} WHERE ? IN ('', slot) ORDER BY slot DESC, account DESC, month DESC"
        found: list[LateUsage] = []
        for row in self._execute(query, (slot,)):
            each = LateUsage(row[0], row[1], row[3], row[4], bool(row[5]), row[6], row[7], row[2])
            if found and (found[-1].slot, found[-1].account_id) == (each.slot, each.account_id):
                later = found[-1]
                each = replace(
                    each,
                    position=max(each.position, later.position),
                    set_aside=each.set_aside or later.set_aside,
                )
            found.append(each)
        return found[::-1]

    def rated(self, late: LateUsage) -> None:
        """Say that what waited was rated, with all later months; what came since waits on."""
        with self._manifest.commit():
            query = "DELETE FROM late WHERE slot = ? AND account = ? AND month >= ? AND position <= ?"
            self._execute(query, (late.slot, late.account_id, late.month, late.position))

    def again(self, late: LateUsage) -> None:
        """Let usage wait that was rated, with the reason that `late` gives."""
        with self._manifest.commit():
            values = (late.slot, late.account_id, late.month, late.from_ms, late.position, int(late.set_aside))
            self._execute(_FOUND, (*values, late.reason, late.why))

    def left(self, late: LateUsage, reason: str, why: str) -> None:
        """Say why it could not be rated."""
        with self._manifest.commit():
            query = "UPDATE late SET reason = ?, why = ? WHERE slot = ? AND account = ? AND month = ?"
            self._execute(query, (reason, why, late.slot, late.account_id, late.month))
