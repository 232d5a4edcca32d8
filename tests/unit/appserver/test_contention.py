"""A chain that came too late starts again short, and grows with success: two instances share a hot account fairly."""

from appserver.accounts.chain import CHAIN_CONTENDED, CHAIN_MAX, CommitChain
from charging.base.contract import Contract
from charging.wire import BusinessData
from testkit.ledger import an_account

WHO = "msisdn:8613800000001"


def fresh(version: int) -> BusinessData:
    return BusinessData(Contract(WHO, WHO, "GD"), an_account(WHO, version, "GD"), 1)


def test_stale_shortens_the_chain_and_success_lets_it_grow() -> None:
    chain = CommitChain(WHO)
    chain.flight, chain.batch = 2, 7
    assert not chain.is_closed(7)
    assert chain.is_closed(8)
    chain.settle_stale(None, fresh(5))
    chain.settle_stale(None, fresh(6))
    chain.release()
    assert chain.chain_max == CHAIN_CONTENDED
    assert chain.prediction.state == fresh(6).account
    chain.flight, chain.batch = CHAIN_CONTENDED, 9
    assert chain.is_closed(9)
    chain.flight = 0
    chain.release()
    assert chain.chain_max == 2 * CHAIN_CONTENDED
    for _ in range(40):
        chain.release()
    assert chain.chain_max == CHAIN_MAX
