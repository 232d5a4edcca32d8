"""Vouchers through the platform: made, told once, activated, used, looked at; and who may do what."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import vouchers_pb2 as pb
from onetier.v1.vouchers_pb2_grpc import VoucherServiceStub

from appserver.settings import AppServerSettings
from appserver.vouchers.keyfile import read_keys, write_keys
from charging.ledger.permission import NO_LIMIT, Grant
from runtime.server import RunningTier
from runtime.settings import BadSettings, load
from runtime.status import from_rpc_error
from testkit.front import A, Front, fault_of
from testkit.owner import OwnerInMemory
from tests.unit.appserver.conftest import Platforms

FIFTY = pb.VoucherTerms(amount=50_000_000, currency="CNY", label="fifty", regions=["GD"])


class Desk:
    """An operator's and a front end's view of one platform."""

    def __init__(self, tier: RunningTier) -> None:
        self.front = Front(tier.address)
        self.stub = VoucherServiceStub(self.front.channel)
        self._keys = 0

    def caller(self, key: str = "") -> pb.VoucherCaller:
        self._keys += 1
        return pb.VoucherCaller(request_key=key or f"k-{self._keys}", channel="front")

    async def make(self, count: int = 60, key: str = "make", terms: pb.VoucherTerms = FIFTY) -> pb.VoucherBatch:
        request = pb.MakeVouchersRequest(caller=self.caller(key), domain="GD", slot=0, terms=terms, count=count)
        return (await self.stub.MakeVouchers(request)).batch

    async def codes(self, batch: pb.VoucherBatch, key: str = "export") -> list[str]:
        told: list[str] = []
        sheet = 0
        while True:
            request = pb.ExportVouchersRequest(
                caller=self.caller(key), batch_id=batch.batch_id, sheet=sheet, sheets_max=1
            )
            page = await self.stub.ExportVouchers(request)
            told += [each.code for each in page.codes]
            sheet = page.next_sheet
            if not sheet:
                return told

    async def change(self, batch: pb.VoucherBatch, *serials: str, key: str = "", **change: object) -> int:
        request = pb.ChangeVouchersRequest(caller=self.caller(key), batch_id=batch.batch_id, serials=serials, **change)
        return int((await self.stub.ChangeVouchers(request)).sheets)

    async def activate(self, batch: pb.VoucherBatch) -> int:
        return await self.change(batch, activate=pb.ActivateVouchers())

    async def redeem(self, code: str, key: str) -> str:
        """Use a voucher, repeating as every client does; gives the reason, "" when it was credited."""
        request = self.front.execute(redeem_voucher=desk.RedeemVoucher(code=code), request_key=key)
        for _ in range(3):
            reply = await self.front.one(request)
            if not reply.HasField("error"):
                return ""
            if fault_of(reply).kind != "unavailable":
                break
        return fault_of(reply).reason

    async def vouchers(self, **which: str) -> list[pb.Voucher]:
        return list((await self.stub.ReadVouchers(pb.ReadVouchersRequest(caller=self.caller(), **which))).vouchers)


@pytest.fixture
async def shop(start_platform: Platforms, tmp_path: Path) -> AsyncIterator[Desk]:
    keys = tmp_path / "vouchers.key"
    write_keys(keys)
    found = Desk(await start_platform(voucher_keys=keys))
    await found.front.open(A)
    yield found
    await found.front.channel.close()


async def reason_of(call: object) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call  # type: ignore[misc]
    return from_rpc_error(raised.value).reason


async def test_a_batch_is_made_told_once_activated_and_each_of_its_vouchers_used_once(
    shop: Desk, owner: OwnerInMemory
) -> None:
    batch = await shop.make()
    assert (batch.batch_id, batch.count, batch.terms.label) == ("GD/0:1", 60, "fifty")
    assert await shop.make() == batch, "the same key makes nothing new"
    codes = await shop.codes(batch)
    assert (len(set(codes)), await shop.codes(batch)) == (60, codes)
    assert await reason_of(shop.codes(batch, "again")) == "VOUCHERS_EXPORTED"
    kept = b"".join(bytes(each.state) for each in owner.subjects.states.values())
    assert not any(code.encode() in kept or code[3:].replace("-", "").encode() in kept for code in codes)
    assert await shop.redeem(codes[0], "early") == "VOUCHER_NOT_ACTIVE"
    assert await shop.activate(batch) == 2
    before = owner.desk.accounts[A].books[0].amount
    told = [await shop.redeem(code, "one") for code in (codes[0], codes[0], codes[0].lower())]
    assert told == ["", "", "REQUEST_KEY_REUSED"]
    assert await shop.redeem(codes[0], "two") == "VOUCHER_USED"
    assert owner.desk.accounts[A].books[0].amount == before + 50_000_000
    (used,) = await shop.vouchers(code=codes[0])
    assert (used.state, used.account_id, used.used_key) == ("used", A, "one")
    assert await shop.vouchers(serial=used.serial) == [used]
    states = [each.state for each in await shop.vouchers(batch_id=batch.batch_id)]
    assert (states.count("used"), states.count("active")) == (1, 59)
    for entry in owner.desk.journals[A]:
        assert codes[0] not in repr(entry)


async def test_what_is_blocked_or_expired_is_said_and_the_sum_of_states_is_the_batch(shop: Desk) -> None:
    batch = await shop.make(3)
    codes = await shop.codes(batch)
    await shop.activate(batch)
    assert await shop.change(batch, "GD/0:1.0.2", block=pb.BlockVouchers(reason="stolen")) == 1
    assert await shop.redeem(codes[1], "b") == "VOUCHER_BLOCKED"
    assert await shop.redeem(codes[0], "u") == ""
    await shop.change(batch, "GD/0:1.0.2", activate=pb.ActivateVouchers())
    await shop.change(batch, expire=pb.ExpireVouchers(reason="recalled"))
    assert await shop.redeem(codes[1], "e") == "VOUCHER_EXPIRED"
    states = sorted(each.state for each in await shop.vouchers(batch_id=batch.batch_id))
    assert states == ["expired", "expired", "used"]


async def test_batches_are_listed_by_pages_newest_first(shop: Desk) -> None:
    for number in range(3):
        await shop.make(1, f"make-{number}")
    request = pb.ListVoucherBatchesRequest(caller=shop.caller(), domain="GD", slot=0, batches_max=2)
    first = await shop.stub.ListVoucherBatches(request)
    assert ([each.batch_id for each in first.batches], first.next_before) == (["GD/0:3", "GD/0:2"], 2)
    request.before = first.next_before
    second = await shop.stub.ListVoucherBatches(request)
    assert ([each.batch_id for each in second.batches], second.next_before) == (["GD/0:1"], 0)


@pytest.mark.parametrize(
    ("terms", "count", "reason"),
    [
        (pb.VoucherTerms(amount=0, currency="CNY"), 1, "VOUCHERS_MALFORMED"),
        (pb.VoucherTerms(amount=5, currency="CNY"), 0, "VOUCHERS_MALFORMED"),
        (pb.VoucherTerms(amount=5, currency="CNY"), 50_001, "VOUCHERS_MALFORMED"),
        (pb.VoucherTerms(amount=5, unit="byte"), 1, "VOUCHERS_MALFORMED"),
        (pb.VoucherTerms(amount=5, unit="byte", book_id="main"), 1, "VOUCHERS_MALFORMED"),
        (pb.VoucherTerms(amount=5, validity_ms=1), 1, "VOUCHERS_MALFORMED"),
        (pb.VoucherTerms(amount=5, label="spring\x1b[2J"), 1, "VOUCHERS_MALFORMED"),
        (pb.VoucherTerms(amount=5, book_id="gift", allowance="no-such"), 1, "ALLOWANCE_UNKNOWN"),
        (pb.VoucherTerms(amount=5, unit="stone"), 1, "VOUCHERS_MALFORMED"),
        (pb.VoucherTerms(amount=5, valid_until_ms=1), 1, "VOUCHERS_MALFORMED"),
    ],
)
async def test_a_batch_that_can_not_be_is_refused_with_its_field(
    shop: Desk, terms: pb.VoucherTerms, count: int, reason: str
) -> None:
    assert await reason_of(shop.make(count, "bad", terms)) == reason


async def test_what_is_not_there_or_not_named_is_said(shop: Desk) -> None:
    batch = await shop.make(2)
    gone = pb.VoucherBatch(batch_id="GD/0:9")
    assert await reason_of(shop.activate(gone)) == "BATCH_UNKNOWN"
    assert await reason_of(shop.activate(pb.VoucherBatch(batch_id="5"))) == "VOUCHERS_MALFORMED"
    assert await reason_of(shop.change(batch)) == "CHANGE_MISSING"
    assert await reason_of(shop.vouchers(serial="GD/0:1.0.3")) == "BATCH_UNKNOWN"
    assert await reason_of(shop.vouchers(code="GD-0000")) == "VOUCHER_MALFORMED"
    assert await shop.redeem("GD-00005-03KJV-93F0Y-TYN8Y", "slip") == "VOUCHER_MALFORMED"
    assert await shop.redeem("no code at all", "none") == "VOUCHER_MALFORMED"


async def test_who_is_granted_what(shop: Desk, owner: OwnerInMemory) -> None:
    batch = await shop.make(2)
    owner.grants = (Grant("local", ("vouchers", "activate_vouchers"), 0, NO_LIMIT, actors=True),)
    owner.revision += 1
    assert await shop.activate(batch) == 1
    assert len(await shop.vouchers(batch_id=batch.batch_id)) == 2
    assert await reason_of(shop.make(1, "more")) == "COMMAND_NOT_GRANTED"
    assert await reason_of(shop.codes(batch)) == "COMMAND_NOT_GRANTED"
    owner.grants = (Grant("local", ("make_vouchers", "vouchers", "activate_vouchers"), 60_000_000, 1, actors=True),)
    owner.revision += 1
    assert await reason_of(shop.make(2, "two")) == "AMOUNT_NOT_GRANTED"
    second = await shop.make(1, "one")
    assert second.two
    assert await reason_of(shop.activate(second)) == "SAME_PRINCIPAL"


async def test_a_platform_without_a_key_serves_no_vouchers(front: Front) -> None:
    await front.open(A)
    request = front.execute(redeem_voucher=desk.RedeemVoucher(code="GD-00005-03KJV-93F0Y-TYN8X"), request_key="k")
    assert fault_of(await front.one(request)).reason == "VOUCHERS_NOT_SERVED"


def test_a_platform_does_not_start_on_a_key_file_that_is_not_right(tmp_path: Path) -> None:
    path = tmp_path / "vouchers.key"
    with pytest.raises(BadSettings, match="can't be read"):
        read_keys(path)
    write_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = read_keys(path)
    assert first.mark
    with pytest.raises(FileExistsError):
        write_keys(path)
    path.chmod(0o640)
    with pytest.raises(BadSettings, match="read by others"):
        read_keys(path)
    for text in ("", "zz", "00" * 31, "\n".join(["00" * 32] * 2), "\n".join(f"{at:064x}" for at in range(5))):
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(BadSettings, match="must have"):
            read_keys(path)
    assert not read_keys(None)
    assert load(AppServerSettings, datacenters=["127.0.0.1:1"]).voucher_keys is None
