"""Vouchers at one owner: how many a second, each asked for, used at its sheet and credited, all three journaled.

python -m bench.vouchers [--unit memory:|sqlite] [--vouchers N]
"""

import argparse
import asyncio
import tempfile
import time
from hashlib import blake2b

from msgspec import Raw
from msgspec.msgpack import encode

from bench.domainserver import BATCH_ITEMS, NOW_MS, One, identity_of, open_accounts, own, send
from bench.table import Bench, Row
from business.vouchers.codes import Place
from business.vouchers.sheets import ActivateVouchers, MakeSheet, SheetAction
from business.vouchers.terms import SHEET_MAX, VoucherTerms
from charging.base.house_keys import digest_of
from charging.base.subject import Instruction
from charging.ledger.command import Command
from charging.ledger.commands.redeem_voucher import CodeRead, RedeemVoucher
from charging.ledger.commands.top_up import TopUp
from charging.wire import Ask, Commit, Instruct, unpack_ask
from domainservers.base.limits import Limits
from domainservers.slot.courier import Courier
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.server import calm_collector

WINDOW = 8
TERMS = VoucherTerms("money", 50_000_000, "CNY")
STEPS = 3
"""Journal entries of a voucher: asked for, used, settled."""
POLL_S = 0.002


class Home:
    """The couriers' way, when every sheet is in the slot itself."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    async def ask(self, identity: str, body: bytes, timeout_ms: int) -> bytes:
        """See `domainservers.slot.courier.Post`."""
        sink = One(asyncio.get_running_loop().time() + timeout_ms / 1000)
        self._slot.submit(sink, [(0, unpack_ask(body))])
        return await sink.answered


async def measure(url: str, vouchers: int) -> tuple[float, float]:
    """Give vouchers a second, and how many there would be if each were three top-ups; of one owner, all journaled."""
    unit = await STORES.open(url)
    slot = await own(unit, Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9, contracts_max=10**6))
    await open_accounts(slot, vouchers)
    sheets = range(-(-vouchers // SHEET_MAX))
    await _send(slot, [_told(sheet, MakeSheet(TERMS, _codes(sheet), True, "")) for sheet in sheets])
    await _send(slot, [_told(sheet, ActivateVouchers((), "")) for sheet in sheets])
    begin = time.perf_counter()
    await _send(slot, [_command(number, TopUp("main", "money", 1, 0, 0, "", "deposit")) for number in range(vouchers)])
    limit = vouchers / (time.perf_counter() - begin) / STEPS
    courier = Courier(slot, Home(slot))
    courier.start()
    begin = time.perf_counter()
    asks = [_command(number, _redemption(number)) for number in range(vouchers)]
    await send(slot, [asks[at : at + BATCH_ITEMS] for at in range(0, vouchers, BATCH_ITEMS)], WINDOW)
    while slot.parts.watch.outgoing:  # noqa: ASYNC110
        await asyncio.sleep(POLL_S)
    took = time.perf_counter() - begin
    courier.stop()
    slot.end()
    await unit.close()
    return vouchers / took, limit


async def _send(slot: Slot, asks: list[Ask]) -> None:
    failed = await send(slot, [asks[at : at + BATCH_ITEMS] for at in range(0, len(asks), BATCH_ITEMS)], WINDOW)
    if failed:
        raise RuntimeError(f"{failed} of {len(asks)} could not be done")


def _codes(sheet: int) -> tuple[bytes, ...]:
    return tuple(_hash(sheet * SHEET_MAX + number) for number in range(SHEET_MAX))


def _hash(number: int) -> bytes:
    return blake2b(b"voucher %d" % number, digest_size=16).digest()


def _told(sheet: int, action: SheetAction) -> Instruct:
    place = Place("GD/0", 1, sheet)
    key = f"{type(action).__name__}-{sheet}"
    return Instruct(Instruction(place.subject_id, key, digest_of(key), "", "front", NOW_MS, Raw(encode(action))))


def _redemption(number: int) -> RedeemVoucher:
    return RedeemVoucher("", CodeRead(Place("GD/0", 1, number // SHEET_MAX).subject_id, (_hash(number),)))


def _command(number: int, action: RedeemVoucher | TopUp) -> Commit:
    identity, key = identity_of(number), f"{type(action).__name__}-{number}"
    return Commit(identity, Command(identity, key, digest_of(key), "", "front", NOW_MS, action))


async def vouchers(bench: Bench) -> None:
    """One row of the table."""
    rate, limit = await measure(f"sqlite://{bench.folder}/vouchers.db", max(500, bench.scale.items // 20))
    row = Row("vouchers, one owner", f"{rate:,.0f}/s", f"three top-ups each {limit:,.0f}/s", f"{rate / limit:.0%}")
    row.how = "asked for, used at the sheet, credited: three entries, SQLite"
    bench.add(row)


def main() -> None:
    """Measure and print."""
    calm_collector()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", default="sqlite")
    parser.add_argument("--vouchers", type=int, default=5_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/unit.db" if arguments.unit == "sqlite" else f"memory:bench-{time.time_ns()}"
        rate, limit = asyncio.run(measure(url, arguments.vouchers))
        print(f"{rate:,.0f} vouchers/s; as three top-ups each they would be {limit:,.0f}/s")


if __name__ == "__main__":
    main()
