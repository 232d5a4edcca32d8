"""Equal values of accounts are held once in memory, and nothing else about an account changes."""

from msgspec.msgpack import Decoder, encode

from charging.base.account import Account, Book, sharing
from testkit.ledger import an_account

decode = Decoder(Account).decode


def account(account_id: str) -> Account:
    """An account as it comes from a record: each of its values an object of its own."""
    books = (Book("allowance-voice", "seconds", 600, allowance="voice"), Book("main", "money", 5_000_000))
    packed = encode(
        an_account(
            account_id,
            7,
            "GD",
            members=(account_id, "msisdn:8613900000001"),
            books=books,
            accumulators={"voice@2026-11": 61},
            attributes={"segment": "youth"},
            agreements=("family",),
        )
    )
    return decode(packed)


def test_nothing_changes_but_where_the_values_are() -> None:
    for one in (account("msisdn:8613800000001"), decode(encode(an_account("msisdn:8613800000002", 0, "SH")))):
        assert sharing(one) == one


def test_two_accounts_share_what_is_equal() -> None:
    first, second = sharing(account("msisdn:8613800000001")), sharing(account("msisdn:8613800000002"))
    for mine, theirs in zip(first.books, second.books, strict=True):
        assert mine.book_id is theirs.book_id
        assert mine.unit is theirs.unit
        assert mine.allowance is theirs.allowance
    assert first.terms.domain is second.terms.domain
    assert first.terms.agreements[0] is second.terms.agreements[0]
    assert next(iter(first.accumulators)) is next(iter(second.accumulators))
    assert first.terms.customer_attributes is second.terms.customer_attributes
    assert first.members[0] is first.account_id
