"""What an account holds survives everything that does not speak of it, whoever adds a field or an event later.

A sample account has no field at its default, and there is one sample of every event: a field or an event without its
sample fails here, and so does an event that changes a field it is not said to change, or moves a book without a
posting.
"""

from typing import get_args

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import asdict, fields

from charging.base.account import Account
from charging.ledger import history
from charging.ledger.applying import apply
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.open_account import Opened
from charging.ledger.entry import Entry
from charging.ledger.events import (
    Noticed,
    ReauthAsked,
)
from charging.ledger.kinds import Event
from charging.wire import Done, pack
from testkit.examples import ALICE
from testkit.samples import FULL, SAMPLES

MEANT = {"version", "mark", "terms_version"}
"""What every mutation moves on."""
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
    after = apply(before, (event,), "key-1", 1)
    before_it = flat(FULL)
    changed = {name for name, value in flat(after).items() if value != before_it[name]}
    assert changed - MEANT == meant
    assert after.version > (before.version if before is not None else 0)


@pytest.mark.parametrize("kind", EVENTS, ids=NAMES)
def test_a_state_is_the_same_after_it_was_written_and_read(kind: type) -> None:
    after = apply(None if kind in (Opened, MovedIn) else FULL, (SAMPLES[kind][0],), "key-1", 1)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(after), type=Account) == after


@pytest.mark.parametrize("kind", EVENTS, ids=NAMES)
def test_what_moves_in_books_is_posted_and_balances(kind: type) -> None:
    event = SAMPLES[kind][0]
    arriving = kind in (Opened, MovedIn)
    after = apply(None if arriving else FULL, (event,), "key-1", 1)
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
        "account-1",
        "key-1",
        b"d" * 16,
        8,
        -1,
        1,
        "topup",
        ALICE,
        "clerk-7",
        "pos",
        (SAMPLES[kind][0],),
        Raw(pack(done)),
    )
    line = history.line(entry)
    silent = {Noticed, Opened, ReauthAsked}
    assert bool(line.reason or line.service) == (kind not in silent)
