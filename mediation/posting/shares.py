"""A batch in shares: what of it is one subscriber's, in the order of time, as one command.

A share has the number of its batch and its turn, and its request key is made of both: what is sent again after a
crash is the same request, and a subscriber's account takes each number of the plant once, for ever
(`charging.ledger.commands.post_usage`).
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec
import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray
from onetier.v1 import service_desk_pb2 as desk

from charging.ledger.commands.post_usage import USES_MAX
from mediation.decoding.pieces import read_attributes
from mediation.plant.batches import REPLACES
from mediation.records import ReplacedCharge

TURNS_MAX = 1_000_000
"""Of one batch: more than a file has records."""
SUBSCRIBER = ("identity", "partner")
"""Whose a share is."""
_NO_ATTRIBUTES = "{}"
_replaced = msgspec.msgpack.Decoder(ReplacedCharge).decode


class BatchShare(Struct, frozen=True):
    """One command of a batch: some rows that follow one another in its uses by subscriber and time."""

    number: int
    """Place among the shares of the batch, in the order of their rows."""
    identity: str
    partner: str
    turn: int
    """How many shares of the subscriber go before it: they are sent one after the other."""
    begin: int
    end: int
    """Of its rows, exclusive."""


class BatchUses:
    """The uses of a batch by subscriber and time, and their shares."""

    def __init__(self, uses: pl.DataFrame) -> None:
        whose = [_numbered(uses[name]) for name in SUBSCRIBER]
        # The last key of `lexsort` leads.
        order = np.lexsort((uses["position"].to_numpy(), uses["start_ms"].to_numpy(), *reversed(whose)))
        self.frame = frame = uses[order]
        self.shares = _shares_of(frame, [numbers[order] for numbers in whose])
        self._starts: list[int] = frame["start_ms"].to_list()
        self._quantities: list[int] = frame["quantity"].to_list()
        self._services = _texts_of(frame["service"], "")
        self._others = _texts_of(frame["other_party"], "")
        self._places = _texts_of(frame["visited"], "")
        self._attributes = _texts_of(frame["attributes"], _NO_ATTRIBUTES)
        self._replaces: list[bytes | None] = frame[REPLACES].to_list() if REPLACES in frame.columns else []

    def turns(self) -> Iterator[list[BatchShare]]:
        """Give the shares turn by turn, in each at most one of a subscriber."""
        turns: list[list[BatchShare]] = []
        for share in self.shares:
            if share.turn == len(turns):
                turns.append([])
            turns[share.turn].append(share)
        yield from turns

    def write(self, share: BatchShare, into: desk.PostUsage) -> None:
        """Write the uses of a share into its command."""
        begin, end = share.begin, share.end
        columns = into.columns
        columns.event_times_ms.extend(self._starts[begin:end])
        columns.quantities.extend(self._quantities[begin:end])
        if self._services:
            _write_texts(columns.service_codes, self._services[begin:end])
        if self._others:
            _write_texts(columns.other_parties, self._others[begin:end])
        if self._places:
            _write_texts(columns.visited_places, self._places[begin:end])
        if self._attributes:
            texts, places = _placed(self._attributes[begin:end])
            for text in texts:
                columns.attributes.add().values.update(read_attributes(text))
            columns.attributes_of.extend(places)
        for use, packed in enumerate(self._replaces[begin:end]):
            if packed is not None:
                part = _replaced(packed)
                into.replaces.add(
                    use=use, request_key=part.request_key, event_time_ms=part.start_ms, quantity=part.quantity
                )


def request_of(share: BatchShare, uses: BatchUses, plant: str, batch: int, channel: str) -> desk.ServiceRequest:
    """Make the command of a share."""
    who = blake2b(share.identity.encode(), digest_size=8).hexdigest()
    request = desk.ServiceRequest(
        identity=share.identity,
        request_type=desk.REQUEST_TYPE_EXECUTE,
        request_key=f"cdr:{plant}:{batch}.{share.turn}:{who}",
        channel=channel,
        partner=share.partner,
    )
    command = request.post_usage
    command.feed = plant
    command.batch = batch * TURNS_MAX + share.turn
    uses.write(share, command)
    return request


def _numbered(column: pl.Series) -> NDArray[np.uint32]:
    """Give the place of each text in the order of all: numbers are sorted several times as fast as texts."""
    return column.cast(pl.Enum(column.unique().sort())).to_physical().to_numpy().astype(np.uint32)


def _shares_of(frame: pl.DataFrame, whose: Sequence[NDArray[np.uint32]]) -> list[BatchShare]:
    """Divide rows by subscriber and time into shares, in their order; `whose` they are is numbered."""
    changes = np.ones(len(frame), dtype=bool)
    changes[1:] = np.logical_or.reduce([numbers[1:] != numbers[:-1] for numbers in whose])
    begins: list[int] = np.flatnonzero(changes).tolist()
    first = frame[begins]
    runs = zip(first["identity"], first["partner"], begins, [*begins[1:], len(frame)], strict=True)
    shares: list[BatchShare] = []
    taken: dict[str, int] = {}
    for identity, partner, begin, end in runs:
        for at in range(begin, end, USES_MAX):
            turn = taken[identity] = taken.get(identity, -1) + 1
            shares.append(BatchShare(len(shares), identity, partner, turn, at, min(at + USES_MAX, end)))
    return shares


def _texts_of(column: pl.Series, usual: str) -> list[str]:
    """Give the texts of a column; none = all are the usual one, of which nothing need be said."""
    return [] if (column == usual).all() else column.to_list()


def _write_texts(column: desk.TextColumn, texts: Sequence[str]) -> None:
    each, places = _placed(texts)
    column.texts.extend(each)
    column.text_of.extend(places)


def _placed(texts: Sequence[str]) -> tuple[Sequence[str], Sequence[int]]:
    """Give each text once, and the place of that of each row; no places = all have the first."""
    if texts.count(texts[0]) == len(texts):
        return texts[:1], ()
    place_of: dict[str, int] = {}
    places = [place_of.setdefault(text, len(place_of)) for text in texts]
    return tuple(place_of), places
