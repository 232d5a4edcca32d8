"""Words of the tests of sessions: a desk's step, what it was told, and what an account has."""

import msgspec

from charging.base.account import Account
from charging.ledger.funds import balance_view
from charging.rating.session_asks import UnitAsk
from charging.wire import Done, SessionOutcome
from testkit.ledger import START_MS, Desk, flat_pricing

ID = "msisdn:8613000000001"
OTHER = "msisdn:8613000000002"
read_outcome = msgspec.msgpack.Decoder(SessionOutcome).decode


def ask(requested: int, used: int = 0, service: str = "voice") -> UnitAsk:
    return UnitAsk(service, requested, used, START_MS)


def step(desk: Desk, operation: str, invocation: int, *units: UnitAsk, session: str = "s", free: int = 0) -> Done:
    return desk.do(ID, desk.plan(ID, session, operation, invocation, *units, pricing=flat_pricing(10, free)))


def outcome(done: Done) -> SessionOutcome:
    assert done.detail is not None
    return read_outcome(done.detail)


def view(account: Account) -> tuple[int, int, int]:
    sums = balance_view(account, START_MS)
    return (sums.real, sums.reserved, sums.available)
