"""Accounts that the platform remembers: bounded, one entry an account, and states that follow known outcomes."""

import pytest
from msgspec.structs import replace

from appserver.accounts.cache import CHANCES_MAX, AccountCache
from charging.base.account import MAIN_BOOK, MONEY, Book
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Usage
from charging.ledger.command import Command
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.top_up import TopUp
from charging.ledger.ledger import decide, follow
from charging.wire import BusinessData
from testkit.ledger import an_account, changed

MB = 1_000_000
BOOKS = (Book(MAIN_BOOK, MONEY, 1_000_000),)
ACCOUNT = an_account("acc", 4, "GD", currency="CNY", members=("msisdn:1",), books=BOOKS)
USAGE = Usage("msisdn:1", "voice", 1_000, 60)


def data(account_id: str, *identities: str) -> list[BusinessData]:
    account = replace(ACCOUNT, account_id=account_id, members=identities)
    return [BusinessData(Contract(identity, account_id, "GD"), account, 1) for identity in identities]


def charge(amount: int, accruals: tuple[tuple[str, int], ...] = ()) -> Command:
    sealed = SealedCharge(amount, "CNY", (), accruals, 1, False, b"\x90")  # type: ignore[arg-type]
    return Command("acc", "key", b"", "", "web", 1_000, PostCharge(USAGE, sealed, 4))


def test_members_of_an_account_share_its_entry_until_the_last_is_forgotten() -> None:
    cache = AccountCache(10, MB)
    first, second = (cache.put(each, 100) for each in data("family", "a", "b"))
    assert first is second
    cache.drop("a")
    assert cache.get("a") is None
    assert cache.put(data("family", "a", "b")[0], 100) is first
    cache.drop("a")
    cache.drop("b")
    assert cache.put(data("family", "a")[0], 100) is not first


def test_the_cache_keeps_its_bound_and_whoever_was_looked_at() -> None:
    cache = AccountCache(3, MB)
    for name in ("a", "b", "c"):
        cache.put(data(name, name)[0], 100).used = False
    assert cache.get("a") is not None
    cache.put(data("d", "d")[0], 100)
    assert len(cache) == 3
    assert cache.get("a") is not None
    assert cache.get("b") is None


def test_an_account_with_commits_under_way_stays() -> None:
    cache = AccountCache(2, MB)
    for name in ("a", "b"):
        cache.put(data(name, name)[0], 100).used = False
    entry = cache.get("a")
    assert entry is not None
    entry.used, entry.flight = False, 1
    cache.put(data("c", "c")[0], 100)
    assert cache.get("a") is entry
    assert cache.get("b") is None


def test_somebody_goes_though_everybody_is_in_use() -> None:
    cache = AccountCache(2 * CHANCES_MAX, MB)
    for number in range(3 * CHANCES_MAX):
        cache.put(data(f"{number}", f"{number}")[0], 100)
    assert len(cache) == 2 * CHANCES_MAX


def test_the_cache_keeps_its_bound_in_bytes() -> None:
    cache = AccountCache(1_000, 10_000)
    for number in range(100):
        cache.put(data(f"{number}", f"{number}")[0], 3_000)
    assert (len(cache), cache.bytes) == (3, 9_000)
    cache.put(data("99", "99")[0], 9_000)
    assert (len(cache), cache.bytes) == (1, 9_000), "who grows makes others go"
    cache.drop("99")
    assert cache.bytes == 0


def test_the_state_after_a_told_charge_is_the_one_that_deciding_gives() -> None:
    command = charge(150_000, (("minutes|msisdn:1@20260301", 60),))
    decision = decide(ACCOUNT, command, 2_000)
    assert follow(ACCOUNT, command, decision.done) == decision.account


@pytest.mark.parametrize("change", ["version", "books", "notices", "attributes", "command"])
def test_nothing_is_followed_that_may_be_otherwise(change: str) -> None:
    command = charge(150_000)
    account, done = ACCOUNT, decide(ACCOUNT, command, 2_000).done
    if change == "version":
        done = replace(done, version=done.version + 1)
    elif change == "books":
        account = replace(account, books=(Book(MAIN_BOOK, MONEY, 999_999),))
    elif change == "notices":
        done = replace(done, notices=("low balance",))
    elif change == "attributes":
        account = changed(account, attributes={"suspend_at": "0"})
    else:
        command = replace(command, action=TopUp(MAIN_BOOK, MONEY, 1, 0, 100, "", "deposit"))
    assert follow(account, command, done) is None
