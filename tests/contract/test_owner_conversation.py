"""Long conversations with both owners: whatever is asked, in whatever order, they answer the same."""

from pathlib import Path
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from charging import wire
from charging.base.account import MAIN_BOOK, Threshold
from charging.base.contract import Contract
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_credit_limit import SetCreditLimit
from charging.ledger.commands.set_payment_mode import SetPaymentMode
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.set_threshold import SetThreshold
from charging.ledger.kinds import Action
from charging.wire import Answer, Ask, BusinessData, Done, Failed, FetchHistory, History, Lookup, Pull, Stale
from tests.contract.owners import (
    ALICE,
    BOB,
    NOW_MS,
    DomainServer,
    KeptInMemory,
    charge,
    commit,
    opening,
    session_step,
    top_up,
)

ASKS = 200
CAROL = "msisdn:8613800000003"
TIME_MS = 1_500_000_000_000
"""Whatever is larger was read from a clock."""


class Talk:
    """Makes asks of which many are repeats, out of date, about nobody, or refused for other reasons."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._keys = [f"k{number}" for number in range(ASKS // 2)]
        self._version = 1

    def ask(self) -> Ask:
        chance = self._chance
        identity = chance.choices((ALICE, BOB, CAROL), (8, 3, 1))[0]
        account_id = chance.choices((ALICE, identity), (4, 1))[0]
        key = chance.choice(self._keys)
        match chance.randrange(10):
            case 0:
                return Pull(identity)
            case 1:
                return Lookup(identity, key)
            case 2:
                return FetchHistory(identity, chance.choice((1, 5, 200)), chance.choice((0, 3)))
            case 3:
                return FetchHistory(identity, 5, key=key)
        content = f"{key} again" if chance.random() < 0.05 else key
        return commit(key, self._action(identity, account_id, key), identity, content, account_id)

    def told(self, answer: Answer | str) -> None:
        """Learn the version of the account, as a platform does."""
        if isinstance(answer, Stale):
            self._version = answer.data.account.version
        elif isinstance(answer, Done):
            self._version = answer.version

    def _action(self, identity: str, account_id: str, key: str) -> Action:
        # The same key always asks the same, as a caller's does: what it asks depends on nothing but the key.
        chance = Random(key)
        amount = chance.choice((1, 500_000, 30_000_000))
        free = (
            charge(amount, self._version, identity),
            charge(amount, self._version, identity, depends=True),
            charge(amount, self._version - 1, identity, depends=True),
            top_up(amount),
            top_up(-1),
        )
        rare: tuple[Action, ...] = (
            opening(identity, account_id=account_id),
            Adjust(MAIN_BOOK, -amount, "typing error"),
            Adjust("none", 1, "no such book"),
            Refund(f"k{chance.randrange(ASKS // 2)}", 0, "sorry"),
            Refund(f"k{chance.randrange(ASKS // 2)}", 1, "in part"),
            MoveMoney(MAIN_BOOK, "savings", 5, "put aside"),
            MoveMoney("savings", MAIN_BOOK, 7, "taken out"),
            SetContract(Contract(BOB, account_id, "GD", status=chance.choice(("active", "ended")))),
            SetContract(Contract(ALICE, account_id, "GD"), expected_version=1),
            SetStatus(chance.choice(("suspended", "active", "active")), "as ordered"),
            SetCreditLimit(amount, "good customer"),
            SetPaymentMode(chance.choice(("prepaid", "postpaid"))),
            SetProfile({"segment": key}, {}, ()),
            SetThreshold(Threshold("low", "balance", amount), remove=False),
            session_step(chance.randrange(3), 100, 50, NOW_MS + 3_600_000, self._version),
        )
        return chance.choice(free) if chance.random() < 0.5 else chance.choice(rare)


def plain(answer: Answer | str) -> object:
    """What owners must agree on: all but their clocks, sentences and pages, and the revision of their directory."""
    match answer:
        case str():
            return answer
        case Failed():
            answer = replace(answer, message="")
        case Done() | BusinessData():
            answer = replace(answer, revision=0)
        case Stale(data):
            answer = Stale(replace(data, revision=0))
        case History(lines, _):
            answer = History(lines)
    return _without_times(msgspec.msgpack.decode(wire.pack(answer)))


def _without_times(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_times(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_times(inner) for inner in value]
    return "a time" if isinstance(value, int) and value > TIME_MS else value


@pytest.mark.parametrize("seed", range(4))
async def test_both_owners_answer_a_long_conversation_the_same(tmp_path: Path, seed: int) -> None:
    kept, served = KeptInMemory(), await DomainServer.start(tmp_path)
    talk = Talk(seed)
    kinds: set[str] = set()
    try:
        first = commit("open", opening(amount=5_000_000))
        for number in range(ASKS):
            ask = talk.ask() if number else first
            (one,), (other,) = await kept.ask(ask), await served.ask(ask)
            assert plain(one) == plain(other), f"ask {number}: {ask}"
            talk.told(other)
            kinds.add(other.reason if isinstance(other, Failed) else type(other).__name__)
            if number == ASKS // 2:
                await kept.take_over()
                await served.take_over()
    finally:
        await served.close()
    assert {"Done", "BusinessData", "History", "Unknown", "IDENTITY_UNKNOWN"} <= kinds
    assert len(kinds) > 10, kinds
