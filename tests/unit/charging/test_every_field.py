"""What an account holds survives everything that does not speak of it, whoever adds a field or an event later.

A sample account has no field at its default, and there is one sample of every event: a field or an event without its
sample fails here, and so does an event that changes a field it is not said to change, or moves a book without a
posting.
"""

from typing import get_args

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import asdict, fields, replace

from charging.base.account import Account, Book, Hold, Outgoing, Proposal, Session, Threshold
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage
from charging.ledger import history
from charging.ledger.applying import apply
from charging.ledger.commands.approve import Decided
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.move_out import MovedOut
from charging.ledger.commands.open_account import Opened
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.propose import Proposed
from charging.ledger.commands.receive_transfer import TransferReceived
from charging.ledger.commands.refund import Refunded
from charging.ledger.commands.send_transfer import TransferSent
from charging.ledger.commands.set_credit_limit import CreditSet
from charging.ledger.commands.set_payment_mode import ModeSet
from charging.ledger.commands.set_profile import ProfileSet
from charging.ledger.commands.set_threshold import ThresholdSet
from charging.ledger.commands.settle_transfer import TransferSettled
from charging.ledger.entry import Entry
from charging.ledger.events import (
    BookDropped,
    Booked,
    BookSet,
    ContractSet,
    Noticed,
    SessionPosting,
    SessionStepped,
    StatusSet,
)
from charging.ledger.kinds import Event
from charging.wire import Done, pack
from testkit.ledger import an_account

A, B = "msisdn:8613000000001", "msisdn:8613000000002"
KEY = "voice@2027-01"
USAGE = Usage(A, "voice", 1, 60)
CHARGE = SealedCharge(30, "XTS", (("minutes", 60),), ((KEY, 60),), 1, True, Raw(msgspec.msgpack.encode([])))
HOLD = Hold("data", "", "", 1, 5, 10, (("main", 10),), (), 5, (("main", 7),), ())
SESSION = Session("s-1", A, 1, 9, (HOLD,))
FULL = an_account(
    account_id="account-1",
    version=7,
    domain="GD",
    customer_id="customer-1",
    status="suspended",
    payment_mode="postpaid",
    currency="XTS",
    credit_limit=500,
    cycle_day=9,
    members=(A, B),
    books=(
        Book("main", "money", 1_000, reserved=7),
        Book("minutes", "second", 600, allowance="minutes"),
        Book("old", "money", 0),
    ),
    accumulators={KEY: 1},
    attributes={"segment": "gold"},
    customer_attributes={"grade": "vip"},
    agreements=("vip-2026",),
    sessions=(SESSION,),
    thresholds=(Threshold("t-1", "balance", 5),),
    outgoing=(Outgoing("sent-1", "main", B, "main", 40, 1, "XTS"),),
    mark=77,
    terms_version=3,
    status_reason="asked",
    before_move=("active", ""),
    refunds=(("charge-1", 5, False, 1),),
    ended=(("s-0", 2, "released", b"o"),),
    proposals=(Proposal("proposed-1", "adjust", b"a", 9, "operator/li", "li", "pos", 1, b"digest"),),
    decided=(("proposed-0", b"outcome", b"digest"),),
)
MEANT = {"version", "mark", "terms_version"}
"""What every mutation moves on."""
SAMPLES: dict[type, tuple[Event, set[str]]] = {
    Opened: (Opened(replace(FULL, version=0, mark=0)), set()),
    MovedIn: (MovedIn(FULL, (Contract(A, "account-1", "GD"),)), set()),
    MovedOut: (MovedOut("GX"), {"status", "status_reason", "before_move"}),
    Charged: (Charged(USAGE, CHARGE, (("main", 30),), (("minutes", 60),)), {"books", "accumulators"}),
    Booked: (Booked("deposit", (("main", 100),), "paid"), {"books"}),
    BookSet: (BookSet(Book("bonus", "money", 0, priority=5)), {"books"}),
    BookDropped: (BookDropped("old"), {"books"}),
    Refunded: (
        Refunded("charge-2", 9, (("main", 9),), (("minutes", 3),), ((KEY, 1),), False, 1, (), "complaint"),
        {"books", "accumulators", "refunds"},
    ),
    TransferSent: (TransferSent("sent-2", "main", B, "main", 11, "gift", 1, "XTS"), {"books", "outgoing"}),
    TransferReceived: (TransferReceived("account-2", "main", 12, "gift", "XTS"), {"books"}),
    TransferSettled: (TransferSettled("sent-1", False, "main", 40, "BOOK_BOUND"), {"books", "outgoing"}),
    SessionStepped: (
        SessionStepped(
            replace(SESSION, invocation=2, holds=()),
            "released",
            (SessionPosting(USAGE, CHARGE, 8, (("main", 8),), (("minutes", 2),), ((KEY, 2),), 0),),
        ),
        {"books", "accumulators", "sessions", "ended"},
    ),
    ContractSet: (ContractSet(Contract("tv:new", "account-1", "GD")), {"members"}),
    StatusSet: (StatusSet("active", "paid"), {"status", "status_reason"}),
    ModeSet: (ModeSet("prepaid"), {"payment_mode"}),
    CreditSet: (CreditSet(900, "risk"), {"credit_limit"}),
    ThresholdSet: (ThresholdSet(Threshold("t-2", "balance", 6), False), {"thresholds"}),
    ProfileSet: (
        ProfileSet({"segment": "new"}, {"grade": "new"}, ("new",)),
        {"attributes", "customer_attributes", "agreements"},
    ),
    Noticed: (Noticed(("low-balance:t-1",)), set()),
    Proposed: (
        Proposed(Proposal("p-2", "adjust", b"a", 9, "operator/li", "li", "pos", 1, b"digest"), (), "why"),
        {"proposals"},
    ),
    Decided: (Decided("proposed-1", True, "operator/li", "li", "seen", b"outcome"), {"proposals", "decided"}),
}
EVENTS = get_args(Event)
NAMES = [event.__name__ for event in EVENTS]


def flat(account: Account) -> dict[str, object]:
    """All that an account holds, its parts laid open."""
    held = {**asdict(account), **asdict(account.terms), **asdict(account.open)}
    return {name: value for name, value in held.items() if name not in ("terms", "open")}


def test_the_sample_account_has_every_field_and_none_at_its_default() -> None:
    for part in (FULL, FULL.terms, FULL.open):
        for field in fields(part):
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            assert getattr(part, field.name) != default, f"give the sample account a {field.name} of its own"


def test_a_field_of_an_account_itself_has_no_default_so_that_a_charge_can_not_lose_it() -> None:
    assert all(field.required for field in fields(Account))


def test_there_is_a_sample_of_every_event() -> None:
    assert set(SAMPLES) == set(EVENTS)


@pytest.mark.parametrize("kind", EVENTS, ids=NAMES)
def test_an_event_changes_what_it_speaks_of_and_nothing_else(kind: type) -> None:
    event, meant = SAMPLES[kind]
    before = None if kind in (Opened, MovedIn) else FULL
    after = apply(before, (event,), "key-1")
    before_it = flat(FULL)
    changed = {name for name, value in flat(after).items() if value != before_it[name]}
    assert changed - MEANT == meant
    assert after.version > (before.version if before is not None else 0)


@pytest.mark.parametrize("kind", EVENTS, ids=NAMES)
def test_a_state_is_the_same_after_it_was_written_and_read(kind: type) -> None:
    after = apply(None if kind in (Opened, MovedIn) else FULL, (SAMPLES[kind][0],), "key-1")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(after), type=Account) == after


@pytest.mark.parametrize("kind", EVENTS, ids=NAMES)
def test_what_moves_in_books_is_posted_and_balances(kind: type) -> None:
    event = SAMPLES[kind][0]
    arriving = kind in (Opened, MovedIn)
    after = apply(None if arriving else FULL, (event,), "key-1")
    before = {} if kind is Opened else {book.book_id: book.amount for book in FULL.books}
    moved = {book.book_id: book.amount - before.get(book.book_id, 0) for book in after.books}
    legs = event.legs()
    assert sum(leg.delta for leg in legs) == 0
    posted: dict[str, int] = {}
    for leg in legs:
        posted[leg.place] = posted.get(leg.place, 0) + leg.delta
    assert {f"book:{book_id}": delta for book_id, delta in moved.items() if delta} == {
        place: delta for place, delta in posted.items() if place.startswith("book:") and delta
    }


@pytest.mark.parametrize("kind", EVENTS, ids=NAMES)
def test_history_has_words_for_every_event(kind: type) -> None:
    done = Done("account-1", 8, 0, ())
    entry = Entry(
        "account-1", "key-1", b"d" * 16, 8, -1, 1, "topup", A, "clerk-7", "pos", (SAMPLES[kind][0],), Raw(pack(done))
    )
    line = history.line(entry)
    silent = {Noticed, Opened}
    assert bool(line.reason or line.service) == (kind not in silent)
