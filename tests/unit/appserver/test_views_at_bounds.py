"""Whatever state the bounds let be: each view of it can be told in the contract's 64 bits."""

from hypothesis import given
from onetier.v1 import service_desk_pb2 as desk

from appserver.replies import fill as replies
from charging.base import bounds
from charging.base.account import Account
from charging.base.tongue import ENGLISH
from charging.base.usage import AllowanceLeft
from charging.catalogue.merge import merge
from charging.ledger.ledger import available_view
from testkit.owner import catalogue
from tests.unit.charging.test_bounds import NOW_MS, states


@given(states())
def test_no_view_of_a_state_within_the_bounds_breaks_the_reply(state: Account) -> None:
    if sum(abs(book.amount) for book in state.books) > bounds.FUNDS_MAX:
        return
    reply = desk.ServiceReply()
    replies.fill_balance(reply.balance, state, NOW_MS)
    replies.fill_accumulators(reply.usage, available_view(state))
    most = bounds.COUNTER_MAX
    left = AllowanceLeft("a", "a", "byte", most, most, 0, "all", 0, bounds.TIME_MS_MAX, most, most, True, "all", 0)
    replies.fill_allowances(reply.usage.allowances, [left], merge(catalogue(), None), ENGLISH)
    assert desk.ServiceReply.FromString(reply.SerializeToString()) == reply
