"""A transfer arrives once, however long its sender's slot had no owner between the arrival and the settlement."""

import asyncio

import msgspec
import pytest

from charging import wire
from charging.base.account import Account, Book
from charging.base.contract import Contract
from charging.base.house_keys import receive_key
from charging.base.outgoing import Outgoing
from charging.errors import Unavailable
from charging.ledger.auditing import audit
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.entry import Entry
from charging.ledger.own import receive_command
from charging.wire import Answer, BusinessData, Commit, Done, Failed, Pull
from domainservers.base.limits import Limits
from domainservers.journal.groups import unpack_entries
from domainservers.journal.journal import Position, genesis, read_chain
from domainservers.journal.keys import fingerprint
from domainservers.slot.courier import Courier
from domainservers.slot.slot import Slot
from testkit.ledger import an_account
from tests.unit.domainservers.room import ALICE, BOB, NOW_MS, Clock, FlakyUnit, ask, charge, do, opening, own, until

OPENING = 10_000_000
HOUR_MS = 3_600_000
LIMITS = Limits(snapshot_entries=10, kept_entries_max=1)
MARK = fingerprint(BOB, receive_key(ALICE, "send"))


class Way:
    """The courier's way to the receiver; while it is deaf, answers to offers are lost on their way back."""

    def __init__(self, receiver: Slot) -> None:
        self.receiver = receiver
        self.deaf = False
        self.offers = 0

    async def ask(self, identity: str, body: bytes, timeout_ms: int) -> bytes:
        asked = wire.unpack_ask(body)
        (answer,) = await ask(self.receiver, asked)
        if isinstance(asked, Commit):
            self.offers += 1
            if self.deaf:
                raise Unavailable.told("NO_ANSWER", "nothing came back")
        return wire.pack(answer)


async def account_of(slot: Slot, identity: str) -> Account:
    (data,) = await ask(slot, Pull(identity))
    assert isinstance(data, BusinessData)
    return data.account


async def receiver_that_forgets(unit: FlakyUnit, clock: Clock, slot: Slot) -> Slot:
    """Let two days pass, and so much happen in them that the receiver's slot forgets what it need not know."""
    for number in range(64):
        clock.ms += 45 * 60_000
        assert isinstance(await do(slot, f"k{number}", charge(1, BOB), BOB), Done)
        await slot.parts.snapshots.settle()
    await slot.close()
    fresh = await own(unit, LIMITS, clock, "GD/1")
    assert fresh.parts.keys.find(fingerprint(BOB, "k63")) >= 0
    assert fresh.parts.keys.find(MARK) < 0, "nothing is shown while the key is known"
    return fresh


async def findings(unit: FlakyUnit, name: str, account_id: str) -> tuple[str, ...]:
    entries: list[Entry] = []
    async for _, groups in read_chain(unit, name, Position(0, -1, genesis(name))):
        entries += [entry for group in groups for entry in unpack_entries(group.payload)]
    return audit([entry for entry in entries if entry.account_id == account_id], account_id).findings


@pytest.mark.parametrize("heard", [False, True])
async def test_a_transfer_whose_sender_was_away_for_longer_than_keys_are_known_arrives_once(heard: bool) -> None:
    """`heard` says that it had arrived before; else the late offer is the first."""
    unit, clock = FlakyUnit(), Clock()
    sender, receiver = await own(unit, LIMITS, clock), await own(unit, LIMITS, clock, "GD/1")
    await do(sender, "open", opening())
    await do(receiver, "open", opening(BOB), BOB)
    await do(sender, "send", SendTransfer("main", BOB, "main", 4_000, "gift"))
    way = Way(receiver)
    if heard:
        way.deaf = True
        courier = Courier(sender, way)
        courier.start()
        await until(lambda: way.offers > 0)
        courier.stop()
        assert (await account_of(receiver, BOB)).books[0].amount == OPENING + 4_000
    sender.end()
    way.receiver = receiver = await receiver_that_forgets(unit, clock, receiver)
    way.deaf = False
    sender = await own(unit, LIMITS, clock)
    for _ in range(2):
        # Offered twice: what is found is known again afterwards.
        row = (await account_of(sender, ALICE)).open.outgoing[0]
        offer = receive_command(await account_of(sender, ALICE), row, "", clock.ms)
        (answer,) = await ask(receiver, Commit(BOB, offer))
        assert isinstance(answer, Done)
    assert receiver.parts.keys.find(MARK) >= 0
    courier = Courier(sender, way)
    courier.start()
    await until(lambda: not sender.parts.watch.outgoing)
    courier.stop()
    assert (await account_of(sender, ALICE)).books[0].amount == OPENING - 4_000
    assert (await account_of(receiver, BOB)).books[0].amount == OPENING + 4_000 - 64
    assert await findings(unit, "GD/0", ALICE) == await findings(unit, "GD/1", BOB) == ()
    await sender.close()
    await receiver.close()


async def test_what_a_late_transfer_was_refused_for_stays_its_answer() -> None:
    unit, clock = FlakyUnit(), Clock()
    receiver = await own(unit, LIMITS, clock, "GD/1")
    await do(receiver, "open", opening(BOB), BOB)
    first = await offer_to(receiver, NOW_MS, to_book="bonus")
    assert isinstance(first, Failed)
    receiver = await receiver_that_forgets(unit, clock, receiver)
    again = await offer_to(receiver, NOW_MS, to_book="bonus")
    assert isinstance(again, Failed)
    assert again.reason == first.reason == "BOOK_UNKNOWN"
    await receiver.close()


async def test_where_the_journal_can_not_say_a_transfer_stays_under_way() -> None:
    clock = Clock()
    clock.ms = NOW_MS + 40 * HOUR_MS
    receiver = await own(FlakyUnit(), LIMITS, clock, "GD/1")
    parcel = an_account(BOB, 7, "XJ", currency="CNY", members=(BOB,), books=(Book("main", "money", OPENING),))
    move = MoveIn(msgspec.msgpack.encode(parcel), (Contract(BOB, BOB, "GD"),))
    assert isinstance(await do(receiver, "in", move, BOB), Done)
    clock.ms += 20 * HOUR_MS
    for sent_ms in (NOW_MS, NOW_MS + 27 * HOUR_MS):
        # Ported more than twelve hours after the sending: an arrival in the other domain may not have come along.
        unknown = await offer_to(receiver, sent_ms)
        assert isinstance(unknown, Failed)
        assert (unknown.kind, unknown.reason) == ("unavailable", "ARRIVAL_UNKNOWN")
    assert (await account_of(receiver, BOB)).books[0].amount == OPENING
    assert isinstance(await offer_to(receiver, NOW_MS + 29 * HOUR_MS), Done)
    assert (await account_of(receiver, BOB)).books[0].amount == OPENING + 4_000
    await receiver.close()


async def test_a_transfer_older_than_the_journal_stays_under_way() -> None:
    unit, clock = FlakyUnit(), Clock()
    limits = Limits(
        snapshot_entries=10, segment_groups_max=5, outcomes_keep_ms=1_000, journal_keep_ms=1_000, kept_entries_max=1
    )
    receiver = await own(unit, limits, clock, "GD/1")
    await do(receiver, "open", opening(BOB), BOB)
    for number in range(80):
        clock.ms += 100
        await do(receiver, f"k{number}", charge(1, BOB), BOB)
        await receiver.parts.snapshots.settle()
    assert await unit.head("GD/1", 0) is None, "the first segment is dropped"
    unknown = await offer_to(receiver, NOW_MS + 100)
    assert isinstance(unknown, Failed)
    assert unknown.reason == "ARRIVAL_UNKNOWN"
    assert (await account_of(receiver, BOB)).books[0].amount == OPENING - 80
    await receiver.close()


async def test_one_search_at_a_time_is_made_for_a_transfer() -> None:
    clock = Clock()
    receiver = await own(FlakyUnit(), LIMITS, clock, "GD/1")
    await do(receiver, "open", opening(BOB), BOB)
    clock.ms += 30 * HOUR_MS
    answers = await asyncio.gather(*(offer_to(receiver, NOW_MS + HOUR_MS) for _ in range(3)))
    assert [answer.reason for answer in answers if isinstance(answer, Failed)] == ["ARRIVAL_SOUGHT"] * 2
    assert (await account_of(receiver, BOB)).books[0].amount == OPENING + 4_000
    await receiver.close()


async def offer_to(receiver: Slot, sent_ms: int, to_book: str = "main") -> Answer:
    """Offer a transfer of Alice's as her courier does."""
    sender = an_account(ALICE, 1, "GD")
    row = Outgoing("send", "main", BOB, to_book, 4_000, sent_ms, "CNY")
    (answer,) = await ask(receiver, Commit(BOB, receive_command(sender, row, "", sent_ms)))
    return answer
