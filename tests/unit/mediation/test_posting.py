"""A batch goes out in shares by columns, and what was said of each use comes back to its record."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from google.rpc.code_pb2 import INVALID_ARGUMENT, UNAVAILABLE
from hypothesis import given
from hypothesis import strategies as st
from onetier.v1 import service_desk_pb2 as pb

from appserver.reading.uses import uses_of
from charging.base.asked import Asked
from charging.base.usage import Usage
from charging.errors import NotFound, Unavailable, internal
from charging.ledger.commands.post_usage import USES_MAX
from mediation.decoding.pieces import frame_of
from mediation.plant.batches import DETAILS, REPLACES, read_uses, rows_in, write_batch
from mediation.plant.batches import KeyedRecord as Row
from mediation.plant.plant import Plant
from mediation.plant.work import OPEN
from mediation.posting.outcomes import BatchOutcome
from mediation.posting.poster import Poster
from mediation.posting.shares import TURNS_MAX, BatchUses, request_of
from mediation.records import DetailRecord, RecordPlace, ReplacedCharge
from onetier_client import AsyncClient
from runtime.status import to_status

NOW_MS = 1_800_000_000_000
WHO = [f"msisdn:861380000000{digit}" for digit in range(3)]
RECORDS = st.lists(
    st.builds(
        DetailRecord,
        st.sampled_from(WHO),
        st.sampled_from(("voice", "sms")),
        st.integers(NOW_MS - 5, NOW_MS),
        st.integers(0, 600),
        st.sampled_from(("", "10086", "msisdn:8613912345678")),
        st.sampled_from(("", "GD")),
        st.sampled_from(("", "", "shop")),
        st.sampled_from(((), (("apn", "ims"),), (("apn", "web"), ("rat", "5")))),
        st.just(RecordPlace(0, b"raw")),
    ),
    min_size=1,
    max_size=30,
)


def uses_in(records: list[DetailRecord]) -> pl.DataFrame:
    """The records as a batch, one behind the other."""
    placed = [
        DetailRecord(*_facts(record), RecordPlace(at, b"raw %d" % at)) for at, record in enumerate(records, start=1)
    ]
    return frame_of(placed, [at.to_bytes(16) for at in range(len(placed))])


def _facts(record: DetailRecord) -> tuple[str, str, int, int, str, str, str, tuple[tuple[str, str], ...]]:
    return (
        record.identity,
        record.service,
        record.start_ms,
        record.quantity,
        record.other_party,
        record.visited,
        record.partner,
        record.attributes,
    )


def usage_of(record: DetailRecord) -> Usage:
    facts = _facts(record)
    return Usage(*facts[:6], dict(record.attributes))


@given(records=RECORDS)
def test_each_record_goes_out_once_with_those_of_its_subscriber_in_the_order_of_time(
    records: list[DetailRecord],
) -> None:
    uses = BatchUses(uses_in(records))
    rows = rows_in(uses.frame)
    sent: list[int] = []
    last: dict[tuple[str, str], tuple[int, int]] = {}
    numbers: dict[str, list[int]] = {}
    for turn, shares in enumerate(uses.turns()):
        assert len({share.identity for share in shares}) == len(shares), "one of a subscriber at a time"
        for share in shares:
            request = request_of(share, uses, "plant", 7, "front")
            assert (share.turn, request.identity, request.partner) == (turn, share.identity, share.partner)
            numbers.setdefault(share.identity, []).append(request.post_usage.batch)
            mine = [row.record for row in rows[share.begin : share.end]]
            read = uses_of(request.post_usage, Asked(share.identity, NOW_MS, "", "CN"))
            assert list(read) == [usage_of(record) for record in mine]
            assert {(record.identity, record.partner) for record in mine} == {(share.identity, share.partner)}
            for record in mine:
                at = (record.start_ms, record.place.position)
                assert at > last.get((share.identity, share.partner), (0, 0))
                last[share.identity, share.partner] = at
                sent.append(record.place.position)
    assert sorted(sent) == list(range(1, len(records) + 1))
    assert all(given == sorted(set(given)) for given in numbers.values())


def test_what_is_more_than_a_command_takes_goes_in_turns() -> None:
    record = DetailRecord(WHO[0], "sms", NOW_MS, 1, "", "", "", (), RecordPlace(0, b""))
    uses = BatchUses(uses_in([record] * (2 * USES_MAX + 1)))
    turns = [[share.end - share.begin for share in shares] for shares in uses.turns()]
    assert turns == [[USES_MAX], [USES_MAX], [1]]
    again = BatchUses(uses_in([record] * (2 * USES_MAX + 1)))
    keys = [request_of(share, each, "plant", 7, "front").request_key for each in (uses, again) for share in each.shares]
    assert keys[:3] == keys[3:], "what is sent again is the same"
    assert len(set(keys)) == 3


def test_a_call_that_replaces_a_part_names_it_by_its_place_in_the_share(tmp_path: Path) -> None:
    plain = DetailRecord(WHO[0], "voice", NOW_MS - 9, 5, "", "", "", (), RecordPlace(2, b""))
    part = ReplacedCharge("cdr:plant:1.0:x", NOW_MS - 3, 60)
    whole = DetailRecord(WHO[0], "voice", NOW_MS - 3, 90, "", "", "", (), RecordPlace(1, b""), replaces=part)
    path = tmp_path / "batch"
    write_batch(path, [Row(b"a" * 16, whole), Row(b"b" * 16, plain)])
    uses = BatchUses(read_uses(path))
    assert REPLACES in uses.frame.columns
    (share,) = uses.shares
    told = request_of(share, uses, "plant", 7, "front").post_usage.replaces
    assert [(each.use, each.request_key, each.quantity) for each in told] == [(1, part.request_key, 60)]


def charged(*amounts: int, **others: object) -> pb.ServiceReply:
    """What the platform says of the uses of a share."""
    outcomes = pb.UseOutcomes(amounts=amounts, currency="CNY", **others)  # type: ignore[arg-type]
    return pb.ServiceReply(command=pb.CommandResult(use_outcomes=outcomes))


def two_subscribers() -> BatchUses:
    """Two uses of one, then one of another."""
    records = [
        DetailRecord(who, "voice", NOW_MS - 10 + at, at, "", "", "", (), RecordPlace(0, b""))
        for at, who in enumerate((WHO[1], WHO[0], WHO[0]))
    ]
    return BatchUses(uses_in(records))


def test_what_was_charged_becomes_details_and_what_was_not_goes_to_suspense_with_its_reason() -> None:
    uses = two_subscribers()
    first, second = uses.shares
    outcome = BatchOutcome(uses)
    refused = [pb.RefusedUse(use=1, reason="INSUFFICIENT_FUNDS", message="no money")]
    outcome.note(second, "k2", charged(0, set_aside=[0]))
    outcome.note(first, "k1", charged(5, 0, refused=refused))
    details = outcome.details()
    assert dict(details.schema) == DETAILS
    told = details.select("identity", "position", "amount", "currency", "request_key", "set_aside").rows()
    assert told == [(WHO[0], 2, 5, "CNY", "k1", False), (WHO[1], 1, 0, "CNY", "k2", True)]
    (row,) = outcome.aside("digest", NOW_MS)
    assert (row.digest, row.position, row.reason, row.why) == ("digest", 3, "INSUFFICIENT_FUNDS", "no money")
    assert (row.raw, outcome.unknown) == (b"raw 3", 0)


def test_a_share_that_is_refused_goes_to_suspense_and_one_of_unknown_fate_stays() -> None:
    uses = two_subscribers()
    first, second = uses.shares
    outcome = BatchOutcome(uses)
    outcome.note(first, "k1", pb.ServiceReply(error=to_status(NotFound("IDENTITY_UNKNOWN", "nobody"))))
    error = pb.ServiceReply().error
    error.code = UNAVAILABLE
    outcome.note(second, "k2", pb.ServiceReply(error=error))
    assert [(row.position, row.reason) for row in outcome.aside("d", NOW_MS)] == [
        (2, "IDENTITY_UNKNOWN"),
        (3, "IDENTITY_UNKNOWN"),
    ]
    assert outcome.unknown == 1
    error.code = INVALID_ARGUMENT
    outcome.note(second, "k2", pb.ServiceReply(error=error))
    assert [row.reason for row in outcome.aside("d", NOW_MS)][2:] == ["UNKNOWN"]
    outcome.note(second, "k2", pb.ServiceReply(error=to_status(internal())))
    told = outcome.aside("d", NOW_MS)[2]
    assert (told.reason, told.why.partition(" (")[2]) == ("INTERNAL", "request key k2)")
    assert len(outcome.details()) == 0


def test_an_answer_of_other_uses_than_were_sent_is_taken_for_none() -> None:
    uses = two_subscribers()
    with pytest.raises(ValueError, match="2 uses were sent under k1, and 1 are answered"):
        BatchOutcome(uses).note(uses.shares[0], "k1", charged(5))
    stray = charged(5, 0, refused=[pb.RefusedUse(use=2, reason="INSUFFICIENT_FUNDS")])
    for reply in (stray, charged(0, 0, set_aside=[-1]), charged(0, 0, set_aside=[0, 2])):
        with pytest.raises(ValueError, match="2 uses were sent under k1, and the answer names others"):
            BatchOutcome(uses).note(uses.shares[0], "k1", reply)


class Door:
    """A front door that charges each use at 5; of a batch it may know nothing."""

    def __init__(self, lost: int = 0) -> None:
        self.lost = lost
        self.asked: list[int] = []

    async def exchange(
        self, requests: Iterator[pb.ServiceRequest], *, window: int, timeout_ms: int
    ) -> AsyncIterator[tuple[pb.ServiceRequest, pb.ServiceReply]]:
        assert window > 0
        assert timeout_ms > 0
        for request in requests:
            number = request.post_usage.batch // TURNS_MAX
            self.asked.append(number)
            reply = charged(*(5 for _ in request.post_usage.columns.event_times_ms))
            if number == self.lost:
                reply = pb.ServiceReply(error=to_status(Unavailable("CLIENT_CLOSED", "gone")))
            yield request, reply


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
async def test_batches_are_charged_in_their_order_and_none_after_one_of_unknown_fate(tmp_path: Path, lost: int) -> None:
    plant = Plant(tmp_path)
    record = DetailRecord(WHO[0], "sms", NOW_MS, 1, "", "", "", (), RecordPlace(1, b""))
    for number in (1, 2, 3):
        write_batch(plant.folder.batch(number), [Row(number.to_bytes(16), record)])
        with plant.commit():
            plant.work.add(number, f"file {number}", 1)
    door = Door(lost)
    posted = await Poster(plant, cast("AsyncClient", door), {}).post_batches(NOW_MS)
    done = lost - 1 if lost else 3
    assert door.asked == list(range(1, done + 1)) + ([lost] if lost else [])
    assert (posted.charged, posted.unknown, posted.suspended) == (done, int(lost > 0), 0)
    assert posted.amounts == ({"CNY": 5 * done} if done else {})
    assert [batch.number for batch in plant.work.batches(OPEN)] == list(range(done + 1, 4))
    assert [plant.folder.details(number).exists() for number in (1, 2, 3)] == [number <= done for number in (1, 2, 3)]
    plant.close()
