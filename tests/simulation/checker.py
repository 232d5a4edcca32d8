"""Judges a simulated history from the store's raw bytes, not with the code that wrote them (but for the ledger's
replay)."""

import struct
from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b

import msgspec
import zstandard

from business.billing.events import RunCompleted, RunEvent
from business.billing.periods import Period
from business.kinds import KINDS
from business.subjects import unborn
from business.vouchers.kind import VOUCHERS
from charging.base.account import MAIN_BOOK, Account, Book
from charging.base.house_keys import received_from
from charging.base.receivables import kept_for_bills
from charging.base.subject import PackedSubject, kind_of
from charging.ledger.answering import WAITING
from charging.ledger.approvals import outcome_now
from charging.ledger.auditing import audit
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.gift import Gift
from charging.ledger.commands.give_offering import GiveOffering
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.redeem_voucher import RedeemVoucher
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.entry import Entry
from charging.ledger.events import Booked
from charging.ledger.ledger import replay
from charging.ledger.reconciling import series_faults
from charging.wire import Bills, Done, Failed, unpack_answer
from tests.simulation.callers import OPENING, SHEET, WORTH, Histories
from tests.simulation.node import RING
from tests.simulation.store import Store

_entry = msgspec.msgpack.Decoder(Entry).decode
_subject = msgspec.msgpack.Decoder(PackedSubject).decode
_run_event = msgspec.msgpack.Decoder(RunEvent).decode
_parts = msgspec.msgpack.Decoder(list[bytes]).decode


class Wrong(AssertionError):
    """A promise was broken; the message says which."""


def require(condition: bool, message: str) -> None:
    """Raise `Wrong` unless the condition holds."""
    if not condition:
        raise Wrong(message)


SECRET = RING.current.secret
KEY_ID_BYTES = 8
"""A group begins with the id of its key; here there is one."""


def journal_of(store: Store, name: str) -> list[tuple[int, Entry]]:
    """Read a journal as it is in the end, checking every link of the hash chain."""
    tip = blake2b(name.encode(), digest_size=32).digest()
    seq = -1
    found: list[tuple[int, Entry]] = []
    number = 0
    while (head := store.heads.get((name, number))) is not None:
        rows = store.groups.get((name, number), {})
        while seq < head.seq:
            seq += 1
            require(seq in rows, f"{name}: group {seq} is missing")
            tip = blake2b(tip + rows[seq], digest_size=32, key=SECRET, person=b"onetier group").digest()
            found += [(seq, entry) for entry in _entries_of(rows[seq][KEY_ID_BYTES:])]
        require(tip == head.tip, f"{name}: segment {number} does not end at its tip")
        require(head.sealed or (name, number + 1) not in store.heads, f"{name}: segment {number} is open but not last")
        number += 1
    return found


def _entries_of(payload: bytes) -> list[Entry]:
    """Read a group as its layout is written down: index of accounts, sizes of blocks, blocks."""
    magic, layout, blocks, size = struct.unpack_from("<BBHI", payload)
    require((magic, layout) == (0xC1, 1), "a group has another layout")
    start = 8 + 4 * size
    sizes = struct.unpack_from(f"<{blocks}I", payload, start)
    start += 4 * blocks
    found: list[Entry] = []
    for length in sizes:
        block = payload[start : start + length]
        start += length
        plain = zstandard.decompress(block) if block.startswith(zstandard.FRAME_HEADER) else block
        found += [_entry(part) for part in _parts(plain)]
    require(len(found) == size and start == len(payload), "a group does not have what it says")
    return found


def check_fence(store: Store) -> None:
    """No group was ever applied by an owner whose epoch had passed, and no group was written over."""
    newest: dict[str, int] = {}
    written: set[tuple[str, int]] = set()
    for commit in store.commits:
        require(
            commit.epoch >= newest.get(commit.journal, 0), f"{commit.journal}: a fenced owner committed {commit.seq}"
        )
        require((commit.journal, commit.seq) not in written, f"{commit.journal}: group {commit.seq} was written twice")
        newest[commit.journal] = commit.epoch
        written.add((commit.journal, commit.seq))


class Books:
    """What the journals say, account by account."""

    def __init__(self, store: Store, slots: list[str]) -> None:
        self.entries: dict[tuple[str, str], Entry] = {}
        self.states: dict[str, Account] = {}
        self.balances: dict[tuple[str, int], int] = {}
        self.subjects: dict[tuple[str, int], PackedSubject] = {}
        """What else a slot holds, as it was at each version."""
        newest: dict[str, int] = {}
        for slot in slots:
            for seq, entry in journal_of(store, slot):
                self._take(slot, seq, entry, newest)

    def _take(self, slot: str, seq: int, entry: Entry, newest: dict[str, int]) -> None:
        place = (entry.account_id, entry.key)
        require(place not in self.entries, f"{slot}: key {entry.key} has two entries")
        self.entries[place] = entry
        require(entry.previous_seq == newest.get(entry.account_id, -1), f"{slot}: chain of {entry.key} is broken")
        newest[entry.account_id] = seq
        if entry.facts:
            self._take_subject(entry)
        before = self.states.get(entry.account_id)
        if not entry.events:
            return
        after = replay(before, entry)
        self.states[entry.account_id] = after
        balance = 0
        for book in after.books:
            balance += book.amount
            require(_covered(before, after, book, entry), f"{entry.key} overspends {book.book_id}: {book}")
        self.balances[entry.account_id, after.version] = balance
        done = unpack_answer(entry.outcome)
        told = isinstance(done, Done) and done.version == after.version
        require(told or entry.kind in WAITING, f"{entry.key}: outcome of another version")

    def _take_subject(self, entry: Entry) -> None:
        subject_id = entry.account_id
        before = self.subjects.get((subject_id, entry.version - 1), unborn(subject_id))
        require(before.version == entry.version - 1, f"{entry.key}: version {entry.version} does not follow")
        after = KINDS[kind_of(subject_id)].replay(before, entry.facts)
        self.subjects[subject_id, after.version] = after
        done = unpack_answer(entry.outcome)
        require(isinstance(done, Done) and done.version == after.version, f"{entry.key}: outcome of another version")
        require(_subject(done.detail) == after, f"{entry.key} tells another state than it led to")


def _covered(before: Account | None, after: Account, book: Book, entry: Entry) -> bool:
    """Say whether a book has no less than it may, or no less than it had.

    What bills keep, or carry, is owed. A bill may take what was spent since its period was over, by tax on top or a
    late fee: it is asked for all the same.
    """
    floor = -after.terms.credit_limit - after.open.carried if book.book_id == MAIN_BOOK else 0
    left = _left(after, book)
    if left >= floor or any(isinstance(event, PeriodClosed) for event in entry.events):
        return True
    known = [each for each in before.books if each.book_id == book.book_id] if before is not None else []
    return any(left >= _left(before, each) for each in known if before is not None)


def _left(account: Account, book: Book) -> int:
    kept = kept_for_bills(account) if book.book_id == MAIN_BOOK else 0
    return book.amount - book.reserved + kept


def check_told(books: Books, histories: Histories) -> None:
    """Every acknowledgement is in the journal, once, with the outcome that was told."""
    for told in histories.told:
        entry = books.entries.get((told.account_id, told.key))
        if isinstance(told.answer, Failed) and told.answer.kind != "refused":
            require(entry is None, f"{told.key} was told {told.answer.reason} and yet is in the journal")
            continue
        if entry is None and isinstance(told.action, Dun) and isinstance(told.answer, Done):
            # Nothing was due, so nothing was done and nothing is kept.
            require(not told.answer.movements and not told.answer.notices, f"{told.key} did something and is lost")
            continue
        if entry is None:
            raise Wrong(f"{told.key} was acknowledged and is lost")
        kept = unpack_answer(entry.outcome)
        if isinstance(told.action, RedeemVoucher) and entry.events:
            found = outcome_now(books.states[told.account_id], told.key)
            require(found is not None, f"{told.key} was told {told.answer} and is not decided")
            kept = unpack_answer(found or b"")
        require(
            (type(kept), getattr(kept, "version", 0), getattr(kept, "reason", ""))
            == (type(told.answer), getattr(told.answer, "version", 0), getattr(told.answer, "reason", "")),
            f"{told.key} was told {told.answer} and the journal says {kept}",
        )
        if isinstance(told.action, PostCharge) and isinstance(kept, Done):
            require(kept.amount == told.action.charge.amount, f"{told.key} took another amount")
        if isinstance(told.answer, Done) and kind_of(told.account_id):
            require(told.answer.detail == kept.detail, f"{told.key} was told another state of {told.account_id}")


def check_seen(books: Books, histories: Histories) -> None:
    """Nobody saw a state that never became durable."""
    for seen in histories.seen:
        balance = books.balances.get((seen.account_id, seen.version))
        require(balance == seen.balance, f"{seen.account_id} at {seen.version} was seen with {seen.balance}: {balance}")
    for subject in histories.subjects:
        told = books.subjects.get((subject.subject_id, subject.version), unborn(subject.subject_id))
        require(told == subject, f"{subject.subject_id} at {subject.version} was seen as {subject}, not {told}")


def check_runs(books: Books) -> int:
    """Whoever was killed, the runs of a slot were completed one period after the other, each once; gives how many."""
    completed: dict[str, list[Period]] = {}
    for (subject_id, _), entry in books.entries.items():
        if entry.facts and entry.kind == "complete_bill_run":
            for event in _run_events(entry):
                require(isinstance(event, RunCompleted), f"{entry.key} completed nothing")
                completed.setdefault(subject_id, []).append(event.period)
    for subject_id, periods in completed.items():
        following = [period.next for period in periods[:-1]]
        require(periods[1:] == following, f"{subject_id}: periods were billed out of order: {periods}")
    return sum(len(periods) for periods in completed.values())


def check_vouchers(books: Books) -> None:
    """Each voucher was credited to the account that its sheet names, once, and nothing else was."""
    credited = Counter[tuple[str, str]]()
    for (account_id, _), entry in books.entries.items():
        for event in entry.events:
            if isinstance(event, Booked) and event.kind == "voucher":
                credited[account_id, event.reason.removeprefix("voucher ")] += 1
    newest = max((version for subject_id, version in books.subjects if subject_id == SHEET.subject_id), default=0)
    sheet = VOUCHERS.state(books.subjects[SHEET.subject_id, newest])
    uses = sheet.uses if sheet is not None else ()
    used = Counter((use.account_id, SHEET.serial(use.number)) for use in uses)
    require(credited == used, f"vouchers were credited {dict(credited)} and used {dict(used)}")


def check_bills(books: Books, accounts: list[str], kept: Mapping[str, Bills]) -> int:
    """Whoever was killed, each period was closed once, in order, and numbered without gap or double; gives how many.

    Every line of every bill is in the journals' postings, and the bills that owners keep are those of the journals.
    """
    numbers: list[str] = []
    require(set(kept) == set(accounts), "not everybody's bills could be asked for")
    for account_id, told in kept.items():
        entries = [entry for (of, _), entry in books.entries.items() if of == account_id]
        findings = audit(entries, account_id).findings
        require(not findings, f"{account_id}: {findings[:2]}")
        closed = [event for entry in entries for event in entry.events if isinstance(event, PeriodClosed)]
        months = [event.month for event in closed]
        require(months == list(range(months[0], months[0] + len(months))), f"{account_id} was closed for {months}")
        require(months[-1] == books.states[account_id].terms.closed, f"{account_id} was closed for {months}")
        bills = [event.bill for event in closed if event.bill is not None]
        require(tuple(bills) == told.bills, f"{account_id} has bills {told.bills}, journaled were {bills}")
        numbers += [number for entry in entries for event in entry.events for number in event.numbers()]
    faults = list(series_faults(numbers))
    require(not faults, f"numbers of bills: {faults}")
    require(all(number.endswith("0000001") for number in _firsts(numbers)), f"numbers begin late: {sorted(numbers)}")
    return len(numbers)


def _firsts(numbers: list[str]) -> list[str]:
    """Give the first number of each series."""
    firsts: dict[str, str] = {}
    for number in sorted(numbers):
        firsts.setdefault(number.rpartition("-")[0], number)
    return list(firsts.values())


def _run_events(entry: Entry) -> list[RunEvent]:
    return [_run_event(fact) for fact in entry.facts]


def check_money(books: Books, accounts: list[str]) -> None:
    """Money is where the entries moved it: nothing appears, nothing vanishes, no transfer is half."""
    expected = dict.fromkeys(accounts, 0)
    for (account_id, _), entry in books.entries.items():
        outcome = unpack_answer(entry.outcome)
        if isinstance(outcome, Done) and entry.events:
            expected[account_id] += sum(each.after - each.before for each in outcome.movements)
    transit = 0
    for account_id in accounts:
        state = books.states[account_id]
        balance = sum(book.amount for book in state.books)
        require(
            balance == expected[account_id], f"{account_id} has {balance}, its movements give {expected[account_id]}"
        )
        transit += sum(row.amount for row in state.open.outgoing)
    require(transit == 0, f"{transit} micro-units are still under way")
    # By postings: what came in may settle a bill in the same entry, so that it moves no balance.
    posted = Counter[str]()
    for entry in books.entries.values():
        for event in entry.events:
            for leg in event.legs():
                posted[f"{entry.kind} {leg.place}"] += leg.delta
    transit = sum(amount for name, amount in posted.items() if name.endswith(" transit"))
    require(transit == 0, f"transfers don't add up: {dict(posted)}")
    require(posted["settle_voucher voucher"] % WORTH.amount == 0, f"a voucher gave something else: {dict(posted)}")
    opened = sum(amount for name, amount in posted.items() if name.startswith("open book:"))
    require(opened == OPENING * len(accounts), "openings don't add up")


def check_sent(books: Books, histories: Histories) -> None:
    """The journal holds nothing that nobody asked for, and each transfer arrives at most once."""
    for account_id, key in books.entries:
        if not key.startswith("~"):
            require((account_id, key) in histories.sent, f"{key} was never sent")
        elif (arrival := received_from(key)) is not None:
            action = histories.sent.get(arrival)
            require(isinstance(action, SendTransfer | Gift | GiveOffering), f"{key} has no sender")
