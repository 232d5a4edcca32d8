"""Every kind of command, by its example: decided, journaled, replayed, audited, in any order.

A kind without an example fails here; what an example shows is that the ledger's promises hold for its kind as well.
"""

from contextlib import nullcontext

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from charging.errors import Fault, Invalid
from charging.ledger import auditing, history, ledger
from charging.ledger.action import PLATFORM, BaseAction
from charging.ledger.command import Command
from charging.ledger.commands.propose import Propose
from charging.ledger.commands.redeem_voucher import RedeemVoucher
from charging.ledger.commands.remember import Remember
from charging.ledger.effect import VersionMoved
from charging.ledger.kinds import ACTIONS, EVENTS, TAGS
from charging.ledger.originals import with_original
from charging.wire import pack
from testkit.examples import ALICE, EXAMPLES, OF_NOBODY, account_of, lively
from testkit.ledger import Desk
from testkit.samples import SAMPLES

NAMES = [kind.__name__ for kind in ACTIONS]
WAITS = {Propose: "second principal", RedeemVoucher: "being looked at"}
"""Kinds that change the account and yet tell a fault."""
DECIDED = [kind for kind in ACTIONS if kind is not Remember]


def asked(desk: Desk, kind: type[BaseAction]) -> Command:
    """Give the command of an example, a refund with what the journal says of its charge."""
    account_id = account_of(kind)
    action = EXAMPLES[kind](desk)
    command = desk.command(account_id, action, actor="wang", principal="operator/wang")  # type: ignore[arg-type]
    charge = next((entry for entry in desk.journals[ALICE] if entry.key == action.original_key()), None)
    return with_original(command, charge) if action.original_key() else command


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(ACTIONS)
    desk = lively()
    assert {type(example(desk)) for example in EXAMPLES.values()} == set(ACTIONS)
    assert set(SAMPLES) == set(EVENTS)


@pytest.mark.parametrize("kind", ACTIONS, ids=NAMES)
def test_a_command_is_read_as_it_was_packed(kind: type[BaseAction]) -> None:
    command = asked(lively(), kind)
    assert msgspec.msgpack.decode(pack(command), type=Command) == command


@pytest.mark.parametrize("kind", DECIDED, ids=[kind.__name__ for kind in DECIDED])
def test_what_is_decided_is_what_is_replayed_told_and_posted(kind: type[BaseAction]) -> None:
    desk = lively()
    command = asked(desk, kind)
    before = desk.accounts.get(command.account_id)
    decision = ledger.decide(before, command, desk.now_ms)
    assert decision.events
    assert decision.account.version > (before.version if before is not None else 0)
    with pytest.raises(Fault, match=WAITS[kind]) if kind in WAITS else nullcontext():
        desk.commit(command)
    entry = desk.journals[command.account_id][-1]
    assert entry.kind == TAGS[kind]
    assert ledger.replay(before, entry) == decision.account == desk.accounts[command.account_id]
    assert sum(leg.delta for event in entry.events for leg in event.legs()) == 0
    line = history.line(entry)
    assert (line.kind, line.version, line.principal) == (TAGS[kind], decision.account.version, "operator/wang")


@pytest.mark.parametrize("kind", DECIDED, ids=[kind.__name__ for kind in DECIDED])
def test_a_repeat_is_told_the_same_and_does_nothing(kind: type[BaseAction]) -> None:
    desk = lively()
    command = asked(desk, kind)
    told = []
    for _ in range(2):
        try:
            told.append(desk.commit(command).movements)
        except Fault as fault:
            told.append(fault.reason)
    assert told[0] == told[1]
    assert len([entry for entry in desk.journals[command.account_id] if entry.key == command.key]) == 1


@pytest.mark.parametrize("kind", [kind for kind in DECIDED if kind not in WAITS and not kind.traits.ports])
def test_what_any_command_was_answered_can_be_remembered_in_another_domain(kind: type[BaseAction]) -> None:
    desk = lively()
    command = asked(desk, kind)
    desk.commit(command)
    entry = desk.journals[command.account_id][-1]
    history.read_told(replace(entry, kind=TAGS[Remember], events=()))


def test_what_is_only_remembered_is_not_decided() -> None:
    desk = lively()
    with pytest.raises(Invalid, match="only remembered"):
        ledger.decide(desk.accounts[ALICE], asked(desk, Remember), desk.now_ms)


@pytest.mark.parametrize("kind", [kind for kind in DECIDED if kind not in OF_NOBODY])
def test_nothing_but_an_opening_or_an_arrival_is_done_to_an_account_that_is_not_there(kind: type[BaseAction]) -> None:
    desk = lively()
    with pytest.raises(Fault, match="there is no account"):
        ledger.decide(None, asked(desk, kind), desk.now_ms)


@pytest.mark.parametrize("kind", [kind for kind in DECIDED if kind.traits.predictable])
def test_what_the_platform_predicts_needs_nothing_but_the_account(kind: type[BaseAction]) -> None:
    desk = lively()
    action = EXAMPLES[kind](desk)
    assert action.original_key() == ""
    assert action.identities_written(desk.accounts[ALICE]) == ()
    assert kind.traits.sender == PLATFORM


class AnyKinds(RuleBasedStateMachine):
    """All kinds in any order; what can't be done now is refused, and nothing has happened."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = lively()

    @rule(kind=st.sampled_from([kind for kind in DECIDED if not kind.traits.ports]))
    def do(self, kind: type[BaseAction]) -> None:
        command = asked(self.desk, kind)
        before = self.desk.accounts.get(command.account_id)
        lines = len(self.desk.journals.get(command.account_id, ()))
        try:
            self.desk.commit(command)
        except (Fault, VersionMoved):
            waits = kind in WAITS and len(self.desk.journals[command.account_id]) > lines
            assert waits or self.desk.accounts.get(command.account_id) is before

    @rule()
    def crash(self) -> None:
        states = dict(self.desk.accounts)
        self.desk.crash()
        assert self.desk.accounts == states

    @rule(step_ms=st.sampled_from((1, 10_000, 8 * 86_400_000)))
    def wait(self, step_ms: int) -> None:
        self.desk.now_ms += step_ms

    @invariant()
    def entries_have_words_or_say_by_their_kind_what_they_are(self) -> None:
        for entries in self.desk.journals.values():
            for entry in entries[-1:]:
                line = history.line(entry)
                assert line.reason or line.service or entry.kind == "open" or not entry.events

    def teardown(self) -> None:
        for account_id, entries in self.desk.journals.items():
            report = auditing.audit(entries, account_id)
            assert report.findings == ()
            assert report.account == self.desk.accounts.get(account_id)


AnyKinds.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyKinds = AnyKinds.TestCase
