"""Judges a simulated history by what its journals say."""

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import attrgetter

import msgspec

from business.billing.events import RunCompleted, RunEvent
from business.billing.kind import subject_of
from business.billing.periods import Period
from business.subjects import unborn
from business.vouchers.kind import VOUCHERS
from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.house_keys import received_from
from charging.base.staged import StagedMoney
from charging.base.subject import PackedSubject, kind_of
from charging.bills.bill import Bill
from charging.ledger.approvals import outcome_now
from charging.ledger.auditing import audit
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.gift import Gift
from charging.ledger.commands.give_offering import GiveOffering
from charging.ledger.commands.move_in import MovedIn, MoveIn
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.redeem_voucher import RedeemVoucher
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.entry import Entry
from charging.ledger.events import Booked
from charging.ledger.kinds import TAGS
from charging.ledger.passing import BillAssumed, BillPassed, BillReturned
from charging.ledger.reconciling import series_faults
from charging.ledger.staging import MoneyReplayed, MoneyStaged, replayable
from charging.wire import Bills, Done, Failed, unpack_answer
from domainservers.bills.stages import Stages
from tests.simulation.books import Books, Wrong, require
from tests.simulation.callers import SHEET, WORTH
from tests.simulation.histories import Histories
from tests.simulation.store import Store

_entry = msgspec.msgpack.Decoder(Entry).decode
_subject = msgspec.msgpack.Decoder(PackedSubject).decode
_run_event = msgspec.msgpack.Decoder(RunEvent).decode
_parts = msgspec.msgpack.Decoder(list[bytes]).decode


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
    completed: dict[tuple[str, int], list[Period]] = {}
    for (subject_id, _), entry in books.entries.items():
        if entry.facts and entry.kind == "complete_bill_run":
            for event in _run_events(entry):
                if not isinstance(event, RunCompleted):
                    raise Wrong(f"{entry.key} completed nothing")
                completed.setdefault((subject_id, event.period.cycle_day), []).append(event.period)
    for (subject_id, _), periods in completed.items():
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
        entries: list[Entry] = []
        for (slot, of), journaled in books.places.items():
            if of == account_id:
                findings = audit(journaled, account_id).findings
                require(not findings, f"{account_id} in {slot}: {findings[:2]}")
                entries += journaled
        entries.sort(key=attrgetter("version"))
        closed = [event for entry in entries for event in entry.events if isinstance(event, PeriodClosed)]
        months = [event.month for event in closed]
        if months:
            require(months == list(range(months[0], months[0] + len(months))), f"{account_id} was closed for {months}")
            require(months[-1] == books.states[account_id].terms.closed, f"{account_id} was closed for {months}")
        else:
            # It left before its run came to it, and came when that of its new domain was over: the next one bills it.
            require(any(entry.kind == TAGS[MoveIn] for entry in entries), f"{account_id} was never closed")
        bills = [event.bill for event in closed if event.bill is not None]
        require(tuple(bills) == told.bills, f"{account_id}: {_names(told.bills)} are kept, {_names(bills)} journaled")
        numbers += [number for entry in entries for event in entry.events for number in event.numbers()]
    faults = list(series_faults(numbers))
    require(not faults, f"numbers of bills: {faults}")
    require(all(number.endswith("0000001") for number in _firsts(numbers)), f"numbers begin late: {sorted(numbers)}")
    return len(numbers)


def _names(bills: Iterable[Bill]) -> list[tuple[str, str]]:
    return [(bill.period, bill.number) for bill in bills]


def _firsts(numbers: list[str]) -> list[str]:
    """Give the first number of each series."""
    firsts: dict[str, str] = {}
    for number in sorted(numbers):
        firsts.setdefault(number.rpartition("-")[0], number)
    return list(firsts.values())


def _run_events(entry: Entry) -> list[RunEvent]:
    return [_run_event(fact) for fact in entry.facts]


def check_money(books: Books, accounts: list[str], histories: Histories) -> None:
    """Money is where the entries moved it: nothing appears, nothing vanishes, no transfer is half."""
    expected = dict.fromkeys(accounts, 0)
    for (account_id, _), entry in books.entries.items():
        outcome = unpack_answer(entry.outcome)
        if isinstance(outcome, Done) and entry.events and entry.kind != TAGS[MoveIn]:
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
    began = sum(book.amount for each in histories.sent.values() if isinstance(each, OpenAccount) for book in each.books)
    require(opened == began, "openings don't add up")


def check_sent(books: Books, histories: Histories) -> None:
    """The journal holds nothing that nobody asked for, and each transfer arrives at most once."""
    passed = _passed(books)
    for account_id, key in books.entries:
        if not key.startswith("~"):
            require((account_id, key) in histories.sent, f"{key} was never sent")
        elif (arrival := received_from(key)) is not None and arrival not in passed:
            action = histories.sent.get(arrival)
            require(isinstance(action, SendTransfer | Gift | GiveOffering), f"{key} has no sender")


def _passed(books: Books) -> dict[tuple[str, str], int]:
    """Give what each bill that left for its payer asks for, by account and key."""
    return {
        (account_id, event.key): event.bill.open
        for (account_id, _), entry in books.entries.items()
        for event in entry.events
        if isinstance(event, BillPassed)
    }


def check_payers(books: Books) -> int:
    """Each bill that left its account is a line of its payer's, or came back, never both; gives how many left."""
    passed = _passed(books)
    arrived = Counter[tuple[str, str]]()
    returned = Counter[tuple[str, str]]()
    for (account_id, key), entry in books.entries.items():
        for event in entry.events:
            if isinstance(event, BillAssumed):
                sender = received_from(key)
                require(sender is not None and passed.get(sender) == event.amount, f"{key} takes over what never left")
                arrived[sender or ("", "")] += 1
            elif isinstance(event, BillReturned) and event.reason:
                returned[account_id, event.key] += 1
    for left in passed:
        require(arrived[left] + returned[left] == 1, f"{left} arrived {arrived[left]} and came back {returned[left]}")
    return len(passed)


def check_stages(books: Books, homes: Mapping[str, str]) -> tuple[int, int]:
    """What was staged came in once, wherever its account was by then, or waits: for a run, or of a closed account.

    Gives how many rows were staged, and how many an account took along to another domain, where each stays listed.
    """
    staged = carried = 0
    waiting = {account_id: Counter[StagedMoney]() for account_id in books.states}
    for (account_id, _), entry in books.entries.items():
        for event in entry.events:
            if isinstance(event, MoneyStaged):
                waiting[account_id][event.row] += 1
                staged += 1
            elif isinstance(event, MoneyReplayed):
                waiting[account_id][event.row] -= 1
            elif isinstance(event, MovedIn):
                carried += len(event.account.open.staged)
    for account_id, rows in waiting.items():
        state = books.states[account_id]
        left = Counter(state.open.staged)
        require(left == +rows and not -rows, f"{account_id} has {left} staged, came in and not replayed: {rows}")
        until = _over_until(books, homes[identity_of(account_id)], state)
        late = [row for row in left if row.month <= until and replayable(state, row)]
        require(not late, f"{account_id}: nothing holds up what is staged: {late}")
    for (slot, account_id), entries in books.places.items():
        if kind_of(account_id):
            continue
        moves = [entry for entry in entries if entry.kind in (TAGS[MoveOut], TAGS[MoveIn])]
        gone = bool(moves) and moves[-1].kind == TAGS[MoveOut]
        require(gone == (slot != homes[identity_of(account_id)]), f"{account_id} is served elsewhere than it lives")
    return staged, carried


def _over_until(books: Books, slot: str, account: Account) -> int:
    """Give the newest period whose stage may be replayed where an account is."""
    subject_id = subject_of(slot)
    newest = max((version for named, version in books.subjects if named == subject_id), default=0)
    stages = Stages(slot)
    if newest:
        stages.note(books.subjects[subject_id, newest])
    return stages.over_until(account)
