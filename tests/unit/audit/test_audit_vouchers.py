"""The audit of vouchers: the states of all that were made add up, and what sheets say was used was credited, once."""

from pathlib import Path

import pytest
from msgspec import Raw
from msgspec.msgpack import encode

from audit.following import SlotReport
from audit.journals import match_vouchers
from business.vouchers.codes import Place
from business.vouchers.sheets import ActivateVouchers, BlockVouchers, MakeSheet, SheetAction
from business.vouchers.terms import VoucherTerms
from charging.base.house_keys import digest_of
from charging.base.subject import Instruction
from charging.ledger.commands.redeem_voucher import CodeRead, RedeemVoucher
from charging.wire import Answer, Done, Failed, Instruct
from console.operations.audit import voucher_lines
from domainservers.slot.redeeming import settlement, use_of
from domainservers.slot.slot import Slot
from evidence.seals import open_sealed
from house.stores import STORES
from tests.unit.audit.sound import account_of, audited, owned, ring_of
from tests.unit.domainservers.room import ALICE, NOW_MS, ask, do, opening

SHEET = Place("GD/1", 1, 0)
CODES = tuple(b"voucher number %d" % number for number in range(1, 5))


async def tell(slot: Slot, key: str, action: SheetAction) -> Answer:
    asked = Instruction(SHEET.subject_id, key, digest_of(key, action), "", "", NOW_MS, Raw(encode(action)), "local")
    return (await ask(slot, Instruct(asked)))[0]


async def redeemed(tmp_path: Path, *, credited: bool = True) -> str:
    """Make a unit in which Alice has used one of four vouchers of another slot, or half of that."""
    found = f"sqlite://{tmp_path}/unit.db"
    await STORES.migrate(found)
    ring = ring_of(found)
    unit = await open_sealed(STORES, found, ring)
    national = await STORES.open(f"sqlite://{tmp_path}/directory.db")
    async with (
        owned(unit, "GD/0", ring, national=national) as south,
        owned(unit, "GD/1", ring, national=national) as north,
    ):
        await do(south, "open", opening())
        await tell(north, "make", MakeSheet(VoucherTerms("money", 50, "CNY"), CODES, True, "local"))
        await tell(north, "activate", ActivateVouchers((), "local"))
        await tell(north, "block", BlockVouchers("stolen", (4,), "local"))
        told = await do(south, "use", RedeemVoucher("", CodeRead(SHEET.subject_id, (CODES[0],))))
        assert isinstance(told, Failed)
        account = await account_of(south, ALICE)
        row = account.open.outgoing[0]
        assert row.voucher is not None
        (answer,) = await ask(north, use_of(account, row, row.voucher))
        assert isinstance(answer, Done)
        command = settlement(account, row, row.voucher, answer, NOW_MS)
        assert command is not None
        if credited:
            assert isinstance(await do(south, command.key, command.action), Done)
    await national.close()
    await unit.close()
    return found


async def both(url: str) -> list[SlotReport]:
    slots = [await audited(url, name) for name in ("GD/0", "GD/1")]
    match_vouchers(slots)
    return slots


async def test_what_was_made_is_used_open_or_blocked_and_the_use_was_credited(tmp_path: Path) -> None:
    slots = await both(await redeemed(tmp_path))
    assert [slot.findings for slot in slots] == [[], []]
    assert slots[1].vouchers.worth == {"money": {"made": 200, "used": 50, "active": 100, "blocked": 50}}
    assert "blocked" in voucher_lines(slots)[0]


async def test_a_use_that_is_under_way_is_no_finding(tmp_path: Path) -> None:
    assert [slot.findings for slot in await both(await redeemed(tmp_path, credited=False))] == [[], []]


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda slots: slots[0].vouchers.credited.clear(), "nothing was credited"),
        (lambda slots: slots[1].vouchers.used.clear(), "doesn't say so"),
        (lambda slots: slots[0].voucher_claims.credited.update({("GD/1:1.0.1", ALICE): [50, 50]}), "as 50, 50"),
        (lambda slots: slots[0].voucher_claims.credited.update({("GD/1:1.0.1", ALICE): [60]}), "as 60"),
    ],
)
async def test_what_does_not_agree_is_found(tmp_path: Path, harm: object, sentence: str) -> None:
    url = await redeemed(tmp_path)
    slots = [await audited(url, name) for name in ("GD/0", "GD/1")]
    harm(slots)  # type: ignore[operator]
    match_vouchers(slots)
    assert any(sentence in finding for slot in slots for finding in slot.findings)
