"""The proof: agrees when all is right, and finds each kind of lie that is planted in a real unit."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from rich.console import Console

from audit import proof
from charging.base.account import MAIN_BOOK, MONEY, Account, Book, Session
from charging.base.usage import SealedCharge, Usage
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.move_out import MovedOut
from charging.ledger.commands.open_account import Opened
from charging.ledger.commands.post_charge import Charged
from charging.ledger.entry import Entry
from charging.ledger.events import SessionPosting, SessionStepped
from charging.ledger.kinds import Event
from charging.wire import Done, Failed, Movement, pack
from console.systems.narrator import Narrator
from console.systems.proving import prove
from country.tally import Tally
from domainservers.journal.groups import pack_entries
from house.stores import STORES
from storage.unit import Group, Head
from testkit.ledger import an_account

NO_STEPS = Raw(msgspec.msgpack.encode(()))


def entry(account_id: str, key: str, kind: str, events: tuple[Event, ...], moved: tuple[Movement, ...] = ()) -> Entry:
    outcome = Raw(pack(Done(account_id, 1, 0, moved)))
    return Entry(account_id, key, b"d" * 16, 1, -1, 0, kind, account_id, "", "front", events, outcome)


def account_of(account_id: str, amount: int) -> Account:
    return an_account(account_id, 1, "GD", books=(Book(MAIN_BOOK, MONEY, amount), Book("gift", "second", 600)))


def opened(account_id: str, amount: int) -> Entry:
    return entry(account_id, f"open-{account_id}", "open", (Opened(account_of(account_id, amount)),))


def charged(account_id: str, key: str, amount: int, before: int) -> Entry:
    charge = SealedCharge(amount, "CNY", (), (), 1, False, NO_STEPS)
    event = Charged(Usage(account_id, "voice", 1, 60), charge, ((MAIN_BOOK, amount),), ())
    return entry(account_id, key, "c", (event,), (Movement(MAIN_BOOK, MONEY, before, before - amount),))


def refused(account_id: str, key: str) -> Entry:
    outcome = Raw(pack(Failed("refused", "INSUFFICIENT_FUNDS", "no money")))
    return Entry(account_id, key, b"d" * 16, 1, -1, 0, "c", account_id, "", "front", (), outcome)


HONEST = (
    (opened("a", 10_000), charged("a", "k1", 300, 10_000), refused("a", "k2")),
    (charged("a", "k3", 0, 9_700), charged("a", "k4", 700, 9_700)),
)
TOLD = {"k1": 300, "k3": 0, "k4": 700}


async def counted(folder: Path, journals: dict[str, Sequence[Sequence[Entry]]]) -> proof.Journals:
    url = f"sqlite://{folder}/private.db"
    unit = await STORES.open(url)
    for name, groups in journals.items():
        head = Head(1, "owner", -1, b"0" * 32, False)
        await unit.swap(name, 0, None, head, None)
        for seq, entries in enumerate(groups):
            following = replace(head, seq=seq, tip=bytes([seq + 1]) * 32)
            parts = [msgspec.msgpack.encode(entry) for entry in entries]
            group = Group(seq, b"a key id" + pack_entries(parts))
            assert await unit.swap(name, 0, head, following, group) == following
            head = following
    await unit.close()
    return await proof.count({url: list(journals)})


async def test_holds_when_replies_and_journals_agree(tmp_path: Path) -> None:
    found = await counted(tmp_path, {"GD/0": HONEST})
    verdict = proof.compare(TOLD, found)
    assert verdict.holds
    assert found.refusals == 1
    assert verdict.acknowledged_amount == verdict.journaled_amount == verdict.moved_amount == 1_000
    assert verdict.closing_amount == 9_000


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (TOLD | {"k9": 5}, "told charged, not in a journal"),
        ({"k1": 300, "k3": 0}, "never told"),
        (TOLD | {"k1": 301}, "different amounts"),
    ],
)
async def test_finds_what_was_told_wrong(tmp_path: Path, told: dict[str, int], what: str) -> None:
    verdict = proof.compare(told, await counted(tmp_path, {"GD/0": HONEST}))
    assert not verdict.holds
    assert any(what in complaint for complaint in verdict.complaints)


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        (charged("a", "k1", 300, 9_000), "charged twice"),
        (charged("a", "k5", 100, 8_999), "which held 9000"),
        (
            msgspec.structs.replace(
                charged("a", "k5", 100, 9_000), outcome=Raw(pack(Failed("refused", "INSUFFICIENT_FUNDS", "no")))
            ),
            "events and a refusal",
        ),
    ],
)
async def test_finds_what_is_wrong_in_the_journal(tmp_path: Path, extra: Entry, what: str) -> None:
    found = await counted(tmp_path, {"GD/0": (*HONEST, (extra,))})
    told = dict(TOLD) if extra.key in TOLD else TOLD | {extra.key: 100}
    verdict = proof.compare(told, found)
    assert not verdict.holds
    assert any(what in complaint for complaint in verdict.complaints)


async def test_finds_postings_that_do_not_add_up(tmp_path: Path) -> None:
    crooked = charged("a", "k5", 100, 9_000)
    event = crooked.events[0]
    assert isinstance(event, Charged)
    crooked = replace(crooked, events=(replace(event, postings=((MAIN_BOOK, 99),)),))
    verdict = proof.compare(TOLD | {"k5": 99}, await counted(tmp_path, {"GD/0": (*HONEST, (crooked,))}))
    assert not verdict.holds


def stepped(key: str, amount: int, taken: int, before: int) -> Entry:
    charge = SealedCharge(300, "CNY", (), (), 1, False, NO_STEPS)
    posting = SessionPosting(Usage("a", "data", 1, 60), charge, amount, ((MAIN_BOOK, taken),), (), (), 0, 0)
    event = SessionStepped(Session("s", "a", 1, 1, ()), "", (posting,))
    return entry("a", key, "session", (event,), (Movement(MAIN_BOOK, MONEY, before, before - taken),))


async def test_what_a_step_of_a_session_takes_or_gives_back_is_a_charge_under_its_key(tmp_path: Path) -> None:
    steps = (stepped("s1", 300, 300, 9_000), stepped("s2", -50, -50, 8_700))
    found = await counted(tmp_path, {"GD/0": (*HONEST, steps)})
    assert proof.compare(TOLD | {"s1": 300, "s2": -50}, found).holds
    assert not proof.compare(TOLD | {"s1": 300}, found).holds
    (tmp_path / "crooked").mkdir()
    crooked = await counted(tmp_path / "crooked", {"GD/0": (*HONEST, (stepped("s1", 300, 299, 9_000),))})
    assert not proof.compare(TOLD | {"s1": 299}, crooked).holds


async def test_follows_an_account_to_another_domain(tmp_path: Path) -> None:
    leaving = entry("a", "port", "out", (MovedOut("BJ"),))
    arriving = entry("a", "port", "in", (MovedIn(account_of("a", 9_000), ()),))
    after = charged("a", "k5", 100, 9_000)
    journals = {"BJ/0": ((arriving, after),), "GD/0": (*HONEST, (leaving,))}
    assert proof.compare(TOLD | {"k5": 100}, await counted(tmp_path, journals)).holds
    (tmp_path / "half").mkdir()
    half = await counted(tmp_path / "half", {"GD/0": (*HONEST, (leaving,))})
    assert not proof.compare(TOLD, half).holds


@pytest.mark.parametrize(
    ("told", "surprises", "clean", "status"),
    [
        (TOLD, 0, True, 0),
        (TOLD | {"k4": 699}, 0, True, 1),
        ({"k1": 300, "k3": 0}, 0, True, 1),
        (TOLD, 1, True, 1),
        (TOLD, 0, False, 1),
    ],
)
async def test_a_mismatch_ends_with_another_exit_status(
    tmp_path: Path, told: dict[str, int], surprises: int, clean: bool, status: int
) -> None:
    await counted(tmp_path, {"GD/0": HONEST})
    tally = Tally({})
    tally.acknowledged.update(told)
    tally.surprise_count = surprises
    out = Console(record=True, quiet=True)
    assert await prove(Narrator(out), {f"sqlite://{tmp_path}/private.db": ["GD/0"]}, tally, clean=clean) == status
