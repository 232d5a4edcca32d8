"""A batch in shares: what of it is one subscriber's, in the order of time, as one command.

A share has the number of its batch and its turn, and its request key is made of both: what is sent again after a
crash is the same request, and a subscriber's account takes each number of the plant once, for ever
(`charging.ledger.commands.post_usage`).
"""

from collections.abc import Sequence
from hashlib import blake2b

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from charging.ledger.commands.post_usage import USES_MAX
from mediation.plant.batches import KeyedRecord

TURNS_MAX = 1_000_000
"""Of one batch: more than a file has records."""


class BatchShare(Struct, frozen=True):
    """One command of a batch."""

    identity: str
    partner: str
    turn: int
    """How many shares of the subscriber go before it: they are sent one after the other."""
    rows: tuple[KeyedRecord, ...]


def shares_of(rows: Sequence[KeyedRecord]) -> list[list[BatchShare]]:
    """Divide a batch: turn by turn, in each at most one share of a subscriber."""
    mine: dict[tuple[str, str], list[KeyedRecord]] = {}
    for row in sorted(rows, key=lambda row: (row.record.start_ms, row.record.place.position)):
        mine.setdefault((row.record.identity, row.record.partner), []).append(row)
    taken: dict[str, int] = {}
    turns: list[list[BatchShare]] = []
    for (identity, partner), all_of in mine.items():
        for start in range(0, len(all_of), USES_MAX):
            turn = taken[identity] = taken.get(identity, -1) + 1
            if turn == len(turns):
                turns.append([])
            turns[turn].append(BatchShare(identity, partner, turn, tuple(all_of[start : start + USES_MAX])))
    return turns


def request_of(share: BatchShare, plant: str, batch: int, channel: str) -> desk.ServiceRequest:
    """Make the command of a share."""
    who = blake2b(share.identity.encode(), digest_size=8).hexdigest()
    request = desk.ServiceRequest(
        identity=share.identity,
        request_type=desk.REQUEST_TYPE_EXECUTE,
        request_key=f"cdr:{plant}:{batch}.{share.turn}:{who}",
        channel=channel,
        partner=share.partner,
    )
    request.post_usage.feed = plant
    request.post_usage.batch = batch * TURNS_MAX + share.turn
    add = request.post_usage.uses.add
    for place, row in enumerate(share.rows):
        record = row.record
        use = add(service_code=record.service, event_time_ms=record.start_ms, quantity=record.quantity)
        use.other_party = record.other_party
        if record.visited:
            use.visited_place = record.visited
        if record.attributes:
            use.attributes.update(record.attributes)
        if record.replaces is not None:
            part = record.replaces
            request.post_usage.replaces.add(
                use=place, request_key=part.request_key, event_time_ms=part.start_ms, quantity=part.quantity
            )
    return request
