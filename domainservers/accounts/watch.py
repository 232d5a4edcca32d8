"""Accounts that need the owner without being asked: open sessions that may expire, transfers under way, stages."""

import heapq

from charging.base.account import Account
from charging.base.outgoing import Outgoing

NEVER_MS = 1 << 62


class AccountWatch:
    """Kept exact with every change of an account; saved with each checkpoint, so that recovery need not read all."""

    def __init__(self) -> None:
        self.watched: dict[str, int] = {}
        """Account id → earliest end of a session, `NEVER_MS` when there is none."""
        self.outgoing: dict[tuple[str, str], Outgoing] = {}
        """(account id, transfer key) → the row of `Open.outgoing`."""
        self.staged: dict[str, None] = {}
        """Accounts with money in a stage, in the order in which they came to it."""
        self._due: list[tuple[int, str]] = []

    def look(self, account: Account, before: Account | None) -> None:
        """Note what an account has open after a change."""
        account_id = account.account_id
        opened = account.open
        if opened.staged and account.terms.status != "moved":
            self.staged[account_id] = None
        elif self.staged:
            self.staged.pop(account_id, None)
        if account.terms.status == "moved" or not (opened.sessions or opened.outgoing or opened.staged):
            # What moved out with something open is its new owner's to look after.
            self.watched.pop(account_id, None)
        else:
            earliest = min(
                (each.valid_until_ms for each in account.open.sessions if each.valid_until_ms > 0), default=NEVER_MS
            )
            if self.watched.get(account_id) != earliest:
                self.watched[account_id] = earliest
                if earliest < NEVER_MS:
                    heapq.heappush(self._due, (earliest, account_id))
        if account.open.outgoing or (before is not None and before.open.outgoing):
            self._look_outgoing(account, before)

    def _look_outgoing(self, account: Account, before: Account | None) -> None:
        now = {row.key: row for row in account.open.outgoing} if account.terms.status != "moved" else {}
        for row in before.open.outgoing if before is not None else ():
            if row.key not in now:
                self.outgoing.pop((account.account_id, row.key), None)
        for key, row in now.items():
            self.outgoing[account.account_id, key] = row

    def due(self, now_ms: int, most: int) -> list[str]:
        """Give up to `most` accounts with a session whose validity has passed, earliest end first.

        They are not given again: put one back by `again` that could not be looked after. `now_ms` is UTC.
        """
        found: dict[str, None] = {}
        while self._due and self._due[0][0] <= now_ms and len(found) < most:
            end_ms, account_id = heapq.heappop(self._due)
            if self.watched.get(account_id) == end_ms:
                found[account_id] = None
        return list(found)

    def again(self, account_id: str) -> None:
        """Put an account back that could not be looked after now."""
        end_ms = self.watched.get(account_id, NEVER_MS)
        if end_ms < NEVER_MS:
            heapq.heappush(self._due, (end_ms, account_id))
