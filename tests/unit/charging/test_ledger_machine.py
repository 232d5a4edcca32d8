"""The ledger against a plain model: whatever is done in whatever order, repeated, crashed, taken over or expired.

The model keeps one number an account, one a session, and the set of keys that had an effect.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from charging.base.account import MONEY, Account, Book
from charging.errors import Denied, Invalid, NotFound, Refused
from charging.ledger import auditing
from charging.ledger.command import Command
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.propose import proposal_of
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_credit_limit import SetCreditLimit
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from charging.ledger.effect import VersionMoved
from charging.ledger.funds import balance_view
from charging.ledger.own import due_sessions, expire_command, receive_command
from charging.rating.session_asks import UnitAsk
from testkit.ledger import START_MS, Desk, charge_of, flat_pricing, post

A, B = "msisdn:8613000000001", "msisdn:8613000000002"
PRICE = 10
ACCOUNTS = st.sampled_from((A, B))
AMOUNTS = st.integers(1, 400)


class LedgerMachine(RuleBasedStateMachine):
    """Two accounts, any command, any disturbance."""

    sent = Bundle("sent")
    charges = Bundle("charges")
    delayed = Bundle("delayed")
    proposed = Bundle("proposed")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.money: dict[str, int] = {}
        self.limit: dict[str, int] = {}
        self.side: dict[str, int] = {}
        self.charged: dict[str, tuple[str, int]] = {}
        self.refunded: dict[str, int] = {}
        self.used: dict[tuple[str, str], int] = {}
        self.in_transit = 0

    @initialize(money=st.integers(0, 1_000), limit=st.integers(0, 300))
    def open(self, money: int, limit: int) -> None:
        for account_id, credit_limit in ((A, limit), (B, 0)):
            self.desk.open(account_id, money, credit_limit=credit_limit, books=(Book("side", MONEY, 0, priority=200),))
            self.money[account_id], self.limit[account_id] = money, credit_limit

    def attempt(self, command: Command) -> int | None:
        """Commit, and repeat at once as a caller does that lost the answer; None = refused."""
        before = self.desk.accounts.get(command.account_id)
        try:
            done = self.desk.commit(command)
        except (Refused, Invalid, NotFound):
            assert self.desk.accounts.get(command.account_id) is before
            return None
        state = self.desk.accounts[command.account_id]
        again = self.desk.commit(command)
        assert (again.amount, again.version) == (done.amount, done.version)
        assert self.desk.accounts[command.account_id] is state
        return done.amount

    def spendable(self, account_id: str) -> int:
        return balance_view(self.desk.accounts[account_id], self.desk.now_ms).available

    @rule(target=charges, account_id=ACCOUNTS, amount=AMOUNTS)
    def charge(self, account_id: str, amount: int) -> object:
        able = self.spendable(account_id) >= amount and self.desk.accounts[account_id].terms.status == "active"
        command = self.desk.command(account_id, post(self.desk.accounts[account_id], charge_of(amount, depends=True)))
        taken = self.attempt(command)
        assert (taken is not None) == able
        if taken is None:
            return multiple()
        self.money[account_id] -= amount
        self.charged[command.key] = (account_id, amount)
        return command

    @rule(target=delayed, account_id=ACCOUNTS, amount=AMOUNTS, depends=st.booleans())
    def delay_a_charge(self, account_id: str, amount: int, depends: bool) -> Command:
        """Rate a charge now; it arrives later, after whatever overtakes it, perhaps several times."""
        return self.desk.command(account_id, post(self.desk.accounts[account_id], charge_of(amount, depends=depends)))

    @rule(command=delayed)
    def deliver_late(self, command: Command) -> None:
        account_id = command.account_id
        before = self.desk.accounts[account_id]
        known = {entry.key for entry in self.desk.journals[account_id]}
        try:
            taken = self.attempt(command)
        except VersionMoved:
            assert self.desk.accounts[account_id] is before
            return
        if taken is not None and command.key not in known:
            assert isinstance(command.action, PostCharge)
            assert not command.action.charge.depends or command.action.base_version == before.version
            self.money[account_id] -= taken

    @rule(command=charges)
    def repeat_an_old_charge(self, command: Command) -> None:
        assert self.desk.commit(command).amount == self.charged[command.key][1]

    @rule(command=charges, parts=st.lists(st.integers(0, 120), min_size=1, max_size=3))
    def refund(self, command: Command, parts: list[int]) -> None:
        """Give back in per cent of the charge, perhaps more than there is; 0 asks for the rest."""
        for part in parts:
            self.refund_part(command, self.charged[command.key][1] * part // 100)

    def refund_part(self, command: Command, amount: int) -> None:
        account_id, charged = self.charged[command.key]
        left = charged - self.refunded.get(command.key, 0)
        given = self.attempt(self.desk.command(account_id, Refund(command.key, amount, "complaint")))
        assert (given is not None) == (left > 0 and amount <= left)
        if given is not None:
            assert given == (amount or left)
            self.refunded[command.key] = self.refunded.get(command.key, 0) + given
            self.money[account_id] += given

    @rule(account_id=ACCOUNTS, amount=st.integers(-5, 400))
    def top_up(self, account_id: str, amount: int) -> None:
        added = self.attempt(self.desk.command(account_id, TopUp("", "", amount, 0, 0, "", "deposit")))
        assert (added is not None) == (amount > 0)
        self.money[account_id] += added or 0

    @rule(account_id=ACCOUNTS, delta=st.integers(-300, 300))
    def adjust(self, account_id: str, delta: int) -> None:
        action = Adjust("", delta, "correction")
        changed = self.attempt(self.desk.command(account_id, action, actor="clerk-7"))
        self.money[account_id] += changed or 0

    @rule(target=proposed, account_id=ACCOUNTS, delta=AMOUNTS)
    def propose(self, account_id: str, delta: int) -> object:
        """A command that its sender may not do alone waits, and its repeats hear the same."""
        action = proposal_of(Adjust("", delta, "wait"))
        command = self.desk.command(account_id, action, actor="li", principal="operator/li")
        waiting = len(self.desk.accounts[account_id].open.proposals)
        for _ in range(2):
            with pytest.raises((Refused, Invalid)) as caught:
                self.desk.commit(command)
        if caught.value.reason != "APPROVAL_NEEDED":
            assert len(self.desk.accounts[account_id].open.proposals) == waiting
            return multiple()
        return command

    @rule(command=proposed, reject=st.booleans(), own=st.booleans())
    def decide(self, command: Command, reject: bool, own: bool) -> None:
        """Another principal decides, once; nobody approves their own; the proposed key tells what came of it."""
        account_id = command.account_id
        before = self.desk.accounts[account_id]
        waits = any(each.key == command.key for each in before.open.proposals)
        principal = "operator/li" if own else "operator/wang"
        decision = self.desk.command(account_id, Approve(command.key, reject, "seen"), principal=principal)
        try:
            done = self.desk.commit(decision)
        except Denied:
            done = None
            assert own, "only one's own proposal is denied"
            assert not reject
        except (Refused, Invalid):
            done = None
        if done is None:
            assert self.desk.accounts[account_id] is before
            return
        assert waits
        assert reject or not own
        assert self.desk.commit(decision).version == done.version
        if reject:
            with pytest.raises(Refused, match="rejected"):
                self.desk.commit(command)
        else:
            self.money[account_id] += done.amount
            assert self.desk.commit(command).amount == done.amount

    @rule(account_id=ACCOUNTS, amount=AMOUNTS, back=st.booleans())
    def move_between_books(self, account_id: str, amount: int, back: bool) -> None:
        ends = ("side", "main") if back else ("main", "side")
        self.attempt(self.desk.command(account_id, MoveMoney(*ends, amount, "saving")))

    @rule(target=sent, account_id=ACCOUNTS, amount=AMOUNTS)
    def send(self, account_id: str, amount: int) -> object:
        other = B if account_id == A else A
        command = self.desk.command(account_id, SendTransfer("", other, "", amount, "gift"))
        taken = self.attempt(command)
        if taken is None:
            return multiple()
        self.money[account_id] -= taken
        self.in_transit += taken
        return command

    @rule(command=sent)
    def send_again(self, command: Command) -> None:
        assert self.desk.commit(command).movements[0].after < self.desk.commit(command).movements[0].before

    @rule(account_id=ACCOUNTS)
    def receive_without_settling(self, account_id: str) -> None:
        """The owner crashed between the second and the third step."""
        account = self.desk.accounts[account_id]
        for row in account.open.outgoing[:1]:
            self.received(receive_command(account, row, row.to_identity, self.desk.now_ms))

    def received(self, command: Command) -> None:
        known = {entry.key for entry in self.desk.journals[command.account_id]}
        amount = self.attempt(command)
        if amount is not None and command.key not in known:
            self.money[command.account_id] += amount
            self.in_transit -= amount

    @rule()
    def drive_transfers(self) -> None:
        for account_id in (A, B):
            account = self.desk.accounts[account_id]
            for row in account.open.outgoing:
                self.received(receive_command(account, row, row.to_identity, self.desk.now_ms))
        self.desk.drive_transfers()
        assert self.in_transit == 0
        assert not any(account.open.outgoing for account in self.desk.accounts.values())

    @rule(account_id=ACCOUNTS, name=st.sampled_from("xyz"), requested=st.integers(0, 60), used=st.integers(0, 60))
    def step_session(self, account_id: str, name: str, requested: int, used: int) -> None:
        self.session(account_id, name, "update", requested, used)

    @rule(account_id=ACCOUNTS, name=st.sampled_from("xyz"), used=st.integers(0, 60))
    def release_session(self, account_id: str, name: str, used: int) -> None:
        self.session(account_id, name, "release", 0, used)

    def session(self, account_id: str, name: str, operation: str, requested: int, used: int) -> None:
        account = self.desk.accounts[account_id]
        open_ = next((each for each in account.open.sessions if each.session_id.startswith(name)), None)
        if open_ is None:
            if operation == "release":
                return
            operation, used = "create", 0
            session_id, invocation = f"{name}{account.version}", 0
        else:
            session_id, invocation = open_.session_id, open_.invocation + 1
            granted = sum(hold.granted for hold in open_.holds)
            used = min(used, granted)
        ask = UnitAsk("voice", requested, used, START_MS)
        plan = self.desk.plan(account_id, session_id, operation, invocation, ask, pricing=flat_pricing(PRICE))
        charged = self.attempt(self.desk.command(account_id, plan))
        if operation != "create":
            assert charged == used * PRICE
        if charged is not None:
            self.money[account_id] -= charged
            stale = self.desk.command(account_id, plan)
            assert self.attempt(stale) is not None

    @rule(account_id=ACCOUNTS, ahead_ms=st.integers(0, 90_000))
    def expire(self, account_id: str, ahead_ms: int) -> None:
        self.desk.now_ms += ahead_ms
        account = self.desk.accounts[account_id]
        for session in due_sessions(account, self.desk.now_ms):
            self.attempt(expire_command(account, session, self.desk.now_ms))
        assert due_sessions(self.desk.accounts[account_id], self.desk.now_ms) == ()

    @rule(account_id=ACCOUNTS, status=st.sampled_from(("active", "suspended", "active")))
    def set_status(self, account_id: str, status: str) -> None:
        assert self.attempt(self.desk.command(account_id, SetStatus(status, "asked"))) == 0

    @rule(account_id=ACCOUNTS, limit=st.integers(0, 300))
    def set_credit_limit(self, account_id: str, limit: int) -> None:
        if self.attempt(self.desk.command(account_id, SetCreditLimit(limit, "risk"))) is not None:
            self.limit[account_id] = limit

    @rule()
    def crash(self) -> None:
        before = self.desk.accounts
        self.desk.crash()
        assert self.desk.accounts == before

    @rule(command=charges)
    def take_over_and_repeat(self, command: Command) -> None:
        """A new owner knows what its journal says: the repeat meets the first outcome there."""
        self.desk.crash()
        self.repeat_an_old_charge(command)

    @precondition(lambda self: bool(self.money))
    @invariant()
    def balances_are_what_the_model_says(self) -> None:
        for account_id, money in self.money.items():
            account = self.desk.accounts[account_id]
            assert sum(book.amount for book in account.books) == money
            self.floors_hold(account)

    def floors_hold(self, account: Account) -> None:
        for book in account.books:
            floor = -account.terms.credit_limit if book.book_id == "main" else 0
            assert book.amount - book.reserved >= floor
            assert book.reserved >= 0
        kept = sum(pair[1] for each in account.open.sessions for hold in each.holds for pair in hold.reserved)
        assert kept == sum(book.reserved for book in account.books)
        assert account.terms.credit_limit == self.limit[account.account_id]

    @invariant()
    def one_effect_a_key_and_postings_sum_to_zero(self) -> None:
        for entries in self.desk.journals.values():
            keys = [entry.key for entry in entries]
            assert len(set(keys)) == len(keys)
            for entry in entries[-2:]:
                assert sum(leg.delta for event in entry.events for leg in event.legs()) == 0

    def teardown(self) -> None:
        for account_id, entries in self.desk.journals.items():
            report = auditing.audit(entries, account_id)
            assert report.findings == ()
            assert report.account == self.desk.accounts[account_id]


LedgerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLedgerMachine = LedgerMachine.TestCase
