"""Keys that the house gives by itself: each has one meaning, and what is read is what was written."""

from hypothesis import example, given
from hypothesis import strategies as st

from charging.base import house_keys
from charging.ledger.commands.send_transfer import SendTransfer
from testkit.ledger import Desk

TEXTS = st.text(st.sampled_from("a~%7E25|/:é"), max_size=8) | st.text(max_size=8)
STEPS = st.lists(TEXTS, min_size=1, max_size=4).map(tuple)


@given(STEPS)
@example(("receive", "%7E", "~", ""))
def test_a_key_is_read_as_it_was_written(meant: tuple[str, ...]) -> None:
    assert house_keys.parts_of(house_keys.house_key(*meant)) == meant


@given(STEPS, STEPS)
@example(("receive", "acc~b", "c"), ("receive", "acc", "b~c"))
def test_two_meanings_never_have_one_key(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (house_keys.house_key(*one) == house_keys.house_key(*other)) == (one == other)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_an_arrival_names_its_sender_and_the_key_it_was_sent_under(a: str, b: str, c: str, d: str) -> None:
    assert house_keys.received_from(house_keys.receive_key(a, b)) == (a, b)
    assert (house_keys.digest_of(a, b) == house_keys.digest_of(c, d)) == ((a, b) == (c, d))
    for key in (house_keys.settle_key(a), house_keys.expire_key(a, 1), house_keys.port_key("in", a), a.lstrip("~")):
        assert house_keys.received_from(key) is None


def test_transfers_whose_ids_and_keys_read_alike_when_joined_arrive_both() -> None:
    desk = Desk()
    for account_id, money in (("acc~b", 5), ("acc", 5), ("target", 0)):
        desk.open(account_id, money)
    desk.do("acc~b", SendTransfer("", "target", "", 5, ""), key="c")
    desk.do("acc", SendTransfer("", "target", "", 5, ""), key="b~c")
    desk.drive_transfers()
    assert [account.books[0].amount for account in desk.accounts.values()] == [0, 0, 10]
