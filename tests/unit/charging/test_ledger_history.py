"""History and audit: every movement with key, actor, before, after and why; an altered entry is found."""

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from charging.base.account import MONEY, Book
from charging.errors import Refused
from charging.ledger import auditing, history
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.top_up import TopUp
from charging.ledger.entry import Entry
from charging.ledger.event import Leg
from charging.ledger.events import Booked
from charging.rating.session_asks import UnitAsk
from charging.wire import Done, Movement, pack
from testkit.ledger import START_MS, Desk, charge_of, post

ID = "msisdn:8613000000001"
OTHER = "msisdn:8613000000002"


def busy_desk() -> Desk:
    """Give two accounts on which about everything happened."""
    desk = Desk()
    desk.open(OTHER, 0)
    account = desk.open(ID, 1_000, books=(Book("pack", "second", 100), Book("side", MONEY, 0)))
    desk.do(ID, post(account, charge_of(300, takes=(("pack", 40),))), key="call")
    desk.do(ID, Refund("call", 100, "bad line"), actor="clerk-7", key="refund")
    desk.do(ID, TopUp("", "", 50, 0, 0, "", "voucher"), key="voucher")
    desk.do(ID, Adjust("", -50, "voucher was used"), actor="clerk-7", key="adjust")
    desk.do(ID, MoveMoney("", "side", 100, "save"), key="move")
    with pytest.raises(Refused):
        desk.do(ID, post(desk.accounts[ID], charge_of(10_000)), key="dear")
    desk.do(ID, SendTransfer("", OTHER, "", 70, "gift"), key="send")
    desk.drive_transfers()
    desk.do(ID, SendTransfer("", "msisdn:8613000000009", "", 70, "nobody"))
    desk.drive_transfers()
    desk.do(ID, desk.plan(ID, "s", "create", 0, UnitAsk("voice", 30, 0, START_MS)))
    desk.do(ID, desk.plan(ID, "s", "update", 1, UnitAsk("voice", 30, 20, START_MS)), key="use")
    desk.now_ms += 3_600_000
    desk.do(ID, desk.plan(ID, "s", "release", 2, UnitAsk("voice", 0, 5, START_MS)))
    return desk


def test_a_line_tells_who_what_before_after_and_why() -> None:
    lines = {entry.key: history.line(entry) for entry in busy_desk().journals[ID]}
    call = lines["call"]
    assert (call.kind, call.service, call.quantity, call.amount, call.version) == ("c", "voice", 60, 300, 2)
    assert {move.book_id: (move.before, move.after) for move in call.movements} == {
        "main": (1_000, 700),
        "pack": (100, 60),
    }
    assert call.steps[0].rule == "flat"
    assert (lines["refund"].reason, lines["refund"].actor, lines["refund"].amount) == ("bad line", "clerk-7", 100)
    assert lines["voucher"].reason == "voucher"
    assert lines["adjust"].reason == "voucher was used"
    assert (lines["dear"].reason, lines["dear"].movements) == ("INSUFFICIENT_FUNDS", ())
    assert (lines["use"].service, lines["use"].quantity, lines["use"].amount) == ("voice", 20, 200)


def test_an_untouched_journal_audits_without_findings_and_adds_up() -> None:
    desk = busy_desk()
    for account_id, entries in desk.journals.items():
        report = auditing.audit(entries, account_id)
        assert report.findings == ()
        assert report.account == desk.accounts[account_id]
        books = sum(book.amount for book in desk.accounts[account_id].books)
        assert books + sum(report.totals.values()) == 0
    report = auditing.audit(desk.journals[ID], ID)
    assert (report.totals["revenue"], report.totals["transit"], report.refusals) == (450, 70, 1)


def test_what_is_in_transit_adds_up_over_both_accounts() -> None:
    desk = busy_desk()
    reports = [auditing.audit(entries, account_id) for account_id, entries in desk.journals.items()]
    assert sum(report.totals.get("transit", 0) for report in reports) == 0


def altered(entries: list[Entry], which: str, **change: object) -> list[Entry]:
    return [replace(entry, **change) if entry.key == which else entry for entry in entries]


def test_the_audit_finds_what_was_altered() -> None:
    entries = busy_desk().journals[ID]
    call = next(entry for entry in entries if entry.key == "call")
    event = call.events[0]
    assert isinstance(event, Charged)
    cheaper = replace(event, postings=(("main", 200),))
    told = replace(history.outcome(call), movements=(Movement("main", MONEY, 1_000, 600),))
    for wrong, sentence in (
        (altered(entries, "call", version=7), "says version 7"),
        (altered(entries, "call", events=(cheaper,)), "do not add up to zero"),
        (altered(entries, "call", outcome=Raw(pack(told))), "tells movements"),
        (altered(entries, "move", key="call"), "key call has two entries"),
        (altered(entries, "call", account_id=OTHER), f"is of account {OTHER}"),
        (altered(entries, "call", events=()), "movements without events"),
        (altered(entries, "dear", version=1), "refusal dear says version 1"),
        (altered(entries, "dear", events=(Booked("adjust", (("main", 1),), ""),), version=7), "tells a refusal"),
        (altered(entries, "call", events=(replace(event, postings=(("none", 300),)),)), "can't be replayed"),
        (entries[:2] + entries[3:], "says version"),
    ):
        report = auditing.audit(wrong, ID)
        assert any(sentence in finding for finding in report.findings), (sentence, report.findings)


def test_an_audit_may_start_in_the_middle() -> None:
    desk = busy_desk()
    entries = desk.journals[ID]
    start = auditing.audit(entries[:4], ID).account
    report = auditing.audit(entries[4:], ID, start)
    assert (report.findings, report.account) == ((), desk.accounts[ID])


def test_an_account_without_its_beginning_is_followed_by_its_movements_until_a_snapshot_shows_it() -> None:
    desk = busy_desk()
    entries = desk.journals[ID]
    following = auditing.Audit(ID)
    for entry in entries[4:9]:
        following.add(entry)
    snapshot = auditing.audit(entries[:9], ID).account
    assert snapshot is not None
    assert not following.meet(replace(snapshot, version=99))
    assert not following.meet(replace(snapshot, books=(replace(snapshot.books[0], amount=1), *snapshot.books[1:])))
    assert following.meet(snapshot)
    for entry in entries[9:]:
        following.add(entry)
    assert (following.report().findings, following.state) == ((), desk.accounts[ID])


def test_what_was_altered_is_found_without_the_beginning_too() -> None:
    entries = busy_desk().journals[ID][2:]
    adjust = next(entry for entry in entries if entry.key == "adjust")
    told = history.outcome(adjust)
    assert isinstance(told, Done)
    (moved,) = told.movements
    shifted = replace(told, movements=(replace(moved, before=moved.before + 1, after=moved.after + 1),))
    dearer = replace(told, movements=(replace(moved, after=moved.after - 1),))
    for wrong, sentence in (
        (altered(entries, "adjust", version=9), "says version 9"),
        (altered(entries, "adjust", outcome=Raw(pack(shifted))), f"held {moved.before + 1}, not {moved.before}"),
        (altered(entries, "adjust", outcome=Raw(pack(dearer))), "moved otherwise than the postings"),
        ([entry for entry in entries if entry.key != "adjust"], "says version"),
    ):
        report = auditing.audit(wrong, ID)
        assert any(sentence in finding for finding in report.findings), (sentence, report.findings)


def test_a_move_out_is_told() -> None:
    desk = Desk()
    desk.open(ID, 5)
    desk.do(ID, MoveOut("SH"))
    assert history.line(desk.journals[ID][-1]).reason == "moved to SH"
    assert auditing.audit(desk.journals[ID], ID).findings == ()


def test_an_outcome_that_is_none_is_a_defect() -> None:
    desk = Desk()
    desk.open(ID, 5)
    entry = replace(desk.journals[ID][0], outcome=Raw(pack(post(desk.accounts[ID], charge_of(1)))))
    with pytest.raises(msgspec.ValidationError):
        history.outcome(entry)
    assert history.line(entry).reason == "OUTCOME_UNREADABLE", "it hides no other line"


def test_every_event_has_its_legs() -> None:
    desk = busy_desk()
    for entries in desk.journals.values():
        for entry in entries:
            assert sum(leg.delta for event in entry.events for leg in event.legs()) == 0
            assert isinstance(history.outcome(entry), Done) or not entry.events
    assert Booked("deposit", (("main", 5),), "").legs() == (Leg("book:main", 5), Leg("deposit", -5))
