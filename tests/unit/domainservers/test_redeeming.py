"""Vouchers across slots: used once at the sheet, credited once at the account, whoever is killed between the two."""

import asyncio

import pytest
from msgspec import Raw
from msgspec.msgpack import encode
from msgspec.structs import replace

from business.vouchers.codes import Place, VoucherKeys, read_code
from business.vouchers.kind import VOUCHERS
from business.vouchers.sheets import ActivateVouchers, BlockVouchers, ExpireVouchers, MakeSheet, Sheet, SheetAction
from business.vouchers.terms import VoucherTerms
from charging.base.account import Account
from charging.base.house_keys import digest_of
from charging.base.outgoing import Outgoing, Redemption
from charging.base.subject import Instruction, PackedSubject
from charging.errors import Unavailable
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.drop_book import DropBook
from charging.ledger.commands.redeem_voucher import CodeRead, RedeemVoucher
from charging.ledger.commands.top_up import TopUp
from charging.ledger.vouchers import REDEEMED_KEPT_MAX, WRONG_MAX
from charging.wire import Answer, BusinessData, Done, Failed, Inspect, Instruct, Pull, unpack_ask
from domainservers.slot.redeeming import use_of
from tests.unit.domainservers.room import ALICE, NOW_MS, commit, opening
from tests.unit.domainservers.test_ownership import Country

KEYS = VoucherKeys([b"k" * 32])
SHEET = Place("GD/1", 1, 0)
TERMS = VoucherTerms("money", 50_000_000, "CNY", label="fifty")
MINE = 10_000_000
CODES = [KEYS.spell(KEYS.mark, b"drawn", SHEET, number) for number in range(1, 9)]


class Vouchers(Country):
    """Two slots: Alice is in the first, the sheet of vouchers in the second."""

    def __init__(self) -> None:
        super().__init__(slots=2)
        self.lost: set[int] = set()
        """Answers to couriers that are lost, by their number; what was asked is done all the same."""
        self.asked = 0

    async def ask(self, identity: str, body: bytes, timeout_ms: int) -> bytes:
        self.asked += 1
        number, one = self.asked, unpack_ask(body)
        slot = identity.removeprefix("domain:") if identity.startswith("domain:") else "GD/0"
        answer = await self.once(slot, one)
        if number in self.lost:
            raise Unavailable.told("NO_ANSWER", "lost")
        return encode(answer)

    async def begin(self, terms: VoucherTerms = TERMS) -> None:
        await self.join("one")
        await self.persist("GD/0", commit("open", opening()))
        made = await self.tell("make", MakeSheet(terms, tuple(code[1] for code in CODES), True, "local"))
        assert isinstance(made, Done), made
        assert isinstance(await self.tell("activate", ActivateVouchers((), "local")), Done)

    async def tell(self, key: str, action: SheetAction) -> Answer:
        digest = digest_of(key, action)
        asked = Instruction(SHEET.subject_id, key, digest, "", "", NOW_MS, Raw(encode(action)), "local")
        return await self.persist("GD/1", Instruct(asked))

    async def redeem(self, key: str, code: str) -> Answer:
        """Ask until the end is told, as every caller does."""
        read = read_code(code)
        action = RedeemVoucher("", CodeRead(read.place.subject_id, KEYS.hashes(read.plain)))
        return await self.persist("GD/0", commit(key, action))

    async def money(self) -> int:
        return sum(book.amount for book in (await self.account()).books)

    async def account(self) -> Account:
        data = await self.persist("GD/0", Pull(ALICE))
        assert isinstance(data, BusinessData)
        return data.account

    async def sheet(self) -> Sheet:
        found = await self.persist("GD/1", Inspect(SHEET.subject_id))
        assert isinstance(found, PackedSubject)
        state = VOUCHERS.state(found)
        assert state is not None
        return state


def reason(answer: Answer) -> str:
    return answer.reason if isinstance(answer, Failed) else type(answer).__name__


async def test_a_voucher_is_used_once_and_whoever_comes_second_is_told_when() -> None:
    country = Vouchers()
    await country.begin()
    done = await country.redeem("one", CODES[0][0])
    assert isinstance(done, Done), done
    assert (done.amount, await country.money()) == (50_000_000, MINE + 50_000_000)
    assert isinstance(await country.redeem("one", CODES[0][0]), Done)
    second = await country.redeem("two", CODES[0][0].lower().replace("-", " "))
    assert (reason(second), await country.money()) == ("VOUCHER_USED", MINE + 50_000_000)
    assert [(use.number, use.account_id, use.key) for use in (await country.sheet()).uses] == [(1, ALICE, "one")]
    await country.close()


async def test_each_way_in_which_a_voucher_can_not_be_used_has_a_reason_of_its_own_and_nothing_moves() -> None:
    country = Vouchers()
    await country.begin(VoucherTerms("money", 50_000_000, "CNY", regions=("GD",)))
    elsewhere = Vouchers()
    await elsewhere.begin(VoucherTerms("money", 5, "CNY", regions=("BJ",)))
    through = Vouchers()
    await through.begin(VoucherTerms("money", 5, "CNY", channels=("palm",)))
    foreign = Vouchers()
    await foreign.begin(VoucherTerms("money", 5, "EUR"))
    await country.tell("block-2", BlockVouchers("stolen", (2,), "local"))
    await country.redeem("used", CODES[0][0])
    wrong = KEYS.spell(KEYS.mark, b"other", SHEET, 1)[0]
    told = {
        "used": reason(await country.redeem("k1", CODES[0][0])),
        "blocked": reason(await country.redeem("k2", CODES[1][0])),
        "wrong": reason(await country.redeem("k3", wrong)),
        "no such sheet": reason(await country.redeem("k4", KEYS.spell(KEYS.mark, b"x", Place("GD/1", 9, 9), 1)[0])),
        "another region": reason(await elsewhere.redeem("k5", CODES[2][0])),
        "another channel": reason(await through.redeem("k6", CODES[2][0])),
        "another currency": reason(await foreign.redeem("k7", CODES[2][0])),
    }
    await country.tell("expire", ExpireVouchers("recalled"))
    told["expired"] = reason(await country.redeem("k8", CODES[2][0]))
    for number in range(WRONG_MAX - 2):
        assert reason(await country.redeem(f"g{number}", wrong)) == "VOUCHER_UNKNOWN"
    told["too many wrong"] = reason(await country.redeem("k9", CODES[3][0]))
    assert told == {
        "used": "VOUCHER_USED",
        "blocked": "VOUCHER_BLOCKED",
        "wrong": "VOUCHER_UNKNOWN",
        "no such sheet": "VOUCHER_UNKNOWN",
        "another region": "VOUCHER_ELSEWHERE",
        "another channel": "VOUCHER_CHANNEL",
        "another currency": "CURRENCY_MISMATCH",
        "expired": "VOUCHER_EXPIRED",
        "too many wrong": "VOUCHERS_BLOCKED",
    }
    assert await country.money() == MINE + 50_000_000
    for each in (country, elsewhere, through, foreign):
        await each.close()


@pytest.mark.parametrize("lost", [{1}, {1, 2}, {2}], ids=str)
async def test_an_answer_of_the_sheet_that_is_lost_costs_nobody_anything(lost: set[int]) -> None:
    country = Vouchers()
    await country.begin()
    country.lost = lost
    assert isinstance(await country.redeem("one", CODES[0][0]), Done)
    assert (await country.money(), len((await country.sheet()).uses)) == (MINE + 50_000_000, 1)
    await country.close()


@pytest.mark.parametrize("pause_s", [0.0, 0.005, 0.02, 0.06, 0.1])
async def test_whoever_is_killed_at_any_moment_the_voucher_is_credited_once(pause_s: float) -> None:
    country = Vouchers()
    await country.begin()
    asked = [asyncio.create_task(country.redeem(f"k{number}", CODES[number][0])) for number in range(4)]
    twice = asyncio.create_task(country.redeem("thief", CODES[0][0]))
    await asyncio.sleep(pause_s)
    country.kill("one")
    await country.join("two")
    told = [await task for task in asked] + [await twice]
    reasons = sorted(reason(answer) for answer in told)
    assert reasons == ["Done"] * 4 + ["VOUCHER_USED"]
    assert await country.money() == MINE + 4 * 50_000_000
    sheet = await country.sheet()
    assert sorted(use.number for use in sheet.uses) == [1, 2, 3, 4]
    assert (await country.account()).open.outgoing == ()
    await country.close()


async def test_what_the_account_can_not_take_is_released_and_stays_good() -> None:
    country = Vouchers()
    await country.begin(VoucherTerms("byte", 50, "CNY", book_id="pack"))
    await country.persist("GD/0", commit("seconds", TopUp("pack", "second", 5, 0, 0, "", "")))
    told = await country.redeem("one", CODES[0][0])
    assert (reason(told), (await country.sheet()).uses) == ("UNIT_MISMATCH", ())
    assert reason(await country.redeem("one", CODES[0][0])) == "UNIT_MISMATCH"
    account = await country.account()
    assert (account.open.outgoing, account.open.missed) == ((), ())
    await country.persist("GD/0", commit("empty", Adjust("pack", -5, "emptied")))
    await country.persist("GD/0", commit("drop", DropBook("pack", "")))
    assert isinstance(await country.redeem("two", CODES[0][0]), Done)
    assert len((await country.sheet()).uses) == 1
    await country.close()


async def test_a_repeat_from_long_ago_is_told_to_look_into_the_history_and_does_nothing() -> None:
    country = Vouchers()
    await country.begin()
    assert isinstance(await country.redeem("old", CODES[0][0]), Done)
    for number in range(REDEEMED_KEPT_MAX):
        assert reason(await country.redeem(f"k{number}", CODES[0][0])) == "VOUCHER_USED"
    assert reason(await country.redeem("old", CODES[0][0])) == "VOUCHER_DECIDED"
    assert await country.money() == MINE + 50_000_000
    await country.close()


async def test_an_account_that_moves_to_another_region_meanwhile_loses_no_voucher() -> None:
    country = Vouchers()
    await country.begin()
    voucher = Redemption(SHEET.subject_id, (CODES[0][1],), "", "", b"")
    row = Outgoing("one", "", "", "", 0, NOW_MS, "CNY", voucher=voucher)
    account = await country.account()
    used = await country.persist("GD/1", use_of(account, row, voucher))
    assert isinstance(used, Done), used
    again = await country.persist("GD/1", use_of(account.with_terms(domain="BJ"), row, voucher))
    assert again == replace(used, repeated=True)
    await country.close()
