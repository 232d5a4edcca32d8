"""A chain that came too late starts again short, and grows with success: two instances share a hot account fairly."""

from appserver.known.accounts import CHAIN_CONTENDED, CHAIN_MAX, Entry
from charging.base.account import Account
from charging.base.contract import Contract
from charging.wire import BusinessData

WHO = "msisdn:8613800000001"


def fresh(version: int) -> BusinessData:
    return BusinessData(Contract(WHO, WHO, "GD"), Account(WHO, version, "GD"), 1)


def test_stale_shortens_the_chain_and_success_lets_it_grow() -> None:
    entry = Entry(WHO)
    entry.flight, entry.batch = 2, 7
    assert not entry.is_closed(7)
    assert entry.is_closed(8)
    entry.settle_stale(None, fresh(5))
    entry.settle_stale(None, fresh(6))
    entry.release()
    assert entry.chain_max == CHAIN_CONTENDED
    assert entry.state == fresh(6).account
    entry.flight, entry.batch = CHAIN_CONTENDED, 9
    assert entry.is_closed(9)
    entry.flight = 0
    entry.release()
    assert entry.chain_max == 2 * CHAIN_CONTENDED
    for _ in range(40):
        entry.release()
    assert entry.chain_max == CHAIN_MAX
