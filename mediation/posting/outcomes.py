"""What was said of the uses of a batch, row by row of its uses by subscriber and time."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from google.rpc.code_pb2 import ABORTED, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED, UNAVAILABLE
from google.rpc.error_details_pb2 import ErrorInfo
from onetier.v1 import service_desk_pb2 as desk

from mediation.plant.batches import DETAILS, rows_in
from mediation.plant.suspense import Suspended, aside_of
from mediation.posting.shares import BatchShare, BatchUses

UNKNOWN_FATE = frozenset((ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE))
"""Codes after which nobody knows what was done; the same key tells, so the share is sent again under it."""


class BatchOutcome:
    """What became of the uses of one batch so far."""

    def __init__(self, uses: BatchUses) -> None:
        self._uses = uses
        self._amounts = [0] * len(uses.frame)
        self._currencies = [""] * len(uses.shares)
        self._keys = [""] * len(uses.shares)
        self._set_aside: list[int] = []
        self._refused: dict[int, tuple[str, str]] = {}
        """Reason and message of each row that was not charged."""
        self.unknown = 0
        """Rows of which nobody knows what was done."""

    def note(self, share: BatchShare, key: str, reply: desk.ServiceReply) -> None:
        """Take down what was said of each use of a share.

        Raises ValueError when the reply is not of as many uses as were sent, or names others.
        """
        begin, end = share.begin, share.end
        if reply.HasField("error"):
            if reply.error.code in UNKNOWN_FATE:
                self.unknown += end - begin
                return
            message = reply.error.message
            if reply.error.code == INTERNAL:  # Perhaps it was charged: its key tells a person.
                message = f"{message} (request key {key})"
            why = next(_reasons(reply), "UNKNOWN"), message
            self._refused.update(dict.fromkeys(range(begin, end), why))
            return
        told = reply.command.use_outcomes
        if len(told.amounts) != end - begin:
            raise ValueError(f"{end - begin} uses were sent under {key}, and {len(told.amounts)} are answered")
        named = [*told.set_aside, *[each.use for each in told.refused]]
        if named and not 0 <= min(named) <= max(named) < end - begin:
            raise ValueError(f"{end - begin} uses were sent under {key}, and the answer names others")
        self._amounts[begin:end] = told.amounts
        self._keys[share.number] = key
        self._currencies[share.number] = told.currency
        self._set_aside += [begin + place for place in told.set_aside]
        for each in told.refused:
            self._refused[begin + each.use] = each.reason, each.message

    def details(self) -> pl.DataFrame:
        """Give what was charged for each record that was, with the columns of `mediation.plant.batches.DETAILS`."""
        frame, shares = self._uses.frame, self._uses.shares
        share_of = np.repeat(np.arange(len(shares)), [share.end - share.begin for share in shares])
        aside = np.zeros(len(frame), dtype=bool)
        aside[self._set_aside] = True
        said = frame.with_columns(
            pl.Series("amount", self._amounts, pl.Int64),
            pl.Series("currency", self._currencies, pl.String).gather(share_of),
            pl.Series("request_key", self._keys, pl.String).gather(share_of),
            pl.Series("set_aside", aside),
        ).select(list(DETAILS))
        if not self._refused:
            return said
        charged = np.ones(len(frame), dtype=bool)
        charged[list(self._refused)] = False
        return said.filter(pl.Series(charged))

    def aside(self, digest: str, now_ms: int) -> list[Suspended]:
        """Give what goes to suspense of a file, each with its reason."""
        rows = rows_in(self._uses.frame[list(self._refused)])
        whys = self._refused.values()
        return [aside_of(digest, row, reason, why, now_ms) for row, (reason, why) in zip(rows, whys, strict=True)]


def _reasons(reply: desk.ServiceReply) -> Iterator[str]:
    for detail in reply.error.details:
        info = ErrorInfo()
        if detail.Unpack(info):
            yield str(info.reason)
