"""Vouchers that accounts of a slot ask for: used up at their sheet, in whatever domain, then settled at home.

Each step has a key that names the redemption, and each is asked again until an answer is certain; so a crash in between
only means asking again. What the books can't take is released at the sheet before the redemption ends.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Raw

from business.vouchers.codes import read_sheet
from business.vouchers.sheets import ReleaseVoucher, Sheet, UseVoucher
from charging.base.account import Account
from charging.base.house_keys import digest_of, voucher_key
from charging.base.outgoing import Outgoing, Redemption
from charging.base.subject import Instruction, PackedSubject, slot_of
from charging.ledger.command import Command
from charging.ledger.own import OWNER, settle_voucher_command
from charging.ledger.vouchers import WRONG, Worth
from charging.wire import Answer, Done, Failed, Instruct
from domainservers.slot.transfers import OutgoingTransfers, TransferName
from runtime.telemetry import logger

log = logger("domainservers.slot.redeeming")

FINAL = ("refused", "invalid", "conflict")
"""Faults of a sheet after which nothing will come."""
UNKNOWN_TRIES = 3
"""So many answers in a row that there is no such slot: what is being set up may not be known everywhere."""
PAUSE_S = 0.05
RETRY_MAX_S = 5.0
UNKNOWN_PAUSE_S = 1.0

Send = Callable[[str, Instruct], Awaitable[Answer]]
"""Asks the owner that a route names; a fault on the way is a `Failed`."""

_pack = msgspec.msgpack.Encoder().encode
_read_subject = msgspec.msgpack.Decoder(PackedSubject).decode
_read_sheet = msgspec.msgpack.Decoder(Sheet).decode


class Redeeming:
    """Drives the redemptions of one slot."""

    def __init__(self, slot: str, transfers: OutgoingTransfers, send: Send) -> None:
        self._slot = slot
        self._transfers = transfers
        self._send = send

    async def carry(self, name: TransferName) -> None:
        """Ask for one voucher until its fate is certain, and settle it."""
        account_id, key = name
        pause, unknown = PAUSE_S, 0
        while self._transfers.is_under_way(name):
            account = self._transfers.journaled(account_id)
            row = _row_of(account, key)
            if account is not None and row is not None and row.voucher is not None:
                answer = await self._send(route_of(row.voucher), use_of(account, row, row.voucher))
                unknown = unknown + 1 if isinstance(answer, Failed) and answer.kind == "not_found" else 0
                if await self._settle(account, row, row.voucher, answer, unknown >= UNKNOWN_TRIES):
                    pause = PAUSE_S
                    continue
                if unknown:
                    pause = max(pause, UNKNOWN_PAUSE_S)
            # After a settlement too: it may have failed, and then the voucher is still under way.
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_MAX_S)

    async def _settle(
        self, account: Account, row: Outgoing, voucher: Redemption, answer: Answer, unknown: bool
    ) -> bool:
        """Do what follows from the sheet's answer, when it is certain; says whether something was done."""
        now_ms = self._transfers.now_ms()
        command = settlement(account, row, voucher, answer, now_ms, unknown=unknown)
        if command is None:
            return False
        failed = await self._transfers.commit(command)
        if failed is not None and failed.kind in FINAL and isinstance(answer, Done) and not voucher.returns:
            command = settle_voucher_command(account, row, now_ms, None, None, failed.reason)
            failed = await self._transfers.commit(command)
        if failed is not None:
            log.warning("a voucher could not be settled yet", slot=self._slot, reason=failed.reason)
        return failed is None


def settlement(
    account: Account, row: Outgoing, voucher: Redemption, answer: Answer, now_ms: int, *, unknown: bool = False
) -> Command | None:
    """Give what follows at the account from the sheet's answer; None while that is not certain.

    When the account's books can't take it, the voucher goes back: then it is settled with the reason as `returns`.
    """
    if isinstance(answer, Failed) and not unknown and answer.kind not in FINAL:
        return None
    if voucher.returns:
        # It was released, or the sheet says that it was never used: either way it is not this account's any more.
        return settle_voucher_command(account, row, now_ms, None)
    if isinstance(answer, Done):
        return settle_voucher_command(account, row, now_ms, _worth(voucher, account, row, answer))
    if isinstance(answer, Failed):
        return settle_voucher_command(account, row, now_ms, None, _refusal(answer, unknown))
    return None


def _row_of(account: Account | None, key: str) -> Outgoing | None:
    rows = account.open.outgoing if account is not None else ()
    return next((row for row in rows if row.key == key), None)


def route_of(voucher: Redemption) -> str:
    """Give the route by which the owner of the sheet is found."""
    return f"domain:{slot_of(voucher.subject_id)}"


def use_of(account: Account, row: Outgoing, voucher: Redemption) -> Instruct:
    """Make what is asked of the sheet, under a key that names the redemption."""
    action: UseVoucher | ReleaseVoucher
    if voucher.returns:
        action = ReleaseVoucher(account.account_id, row.key, row.sent_ms, voucher.returns)
    else:
        action = UseVoucher(
            voucher.hashes,
            account.account_id,
            row.key,
            row.sent_ms,
            row.currency,
            account.terms.domain,
            voucher.channel,
            voucher.partner,
        )
    step = "release" if voucher.returns else "use"
    key = voucher_key(step, account.account_id, row.key, row.sent_ms)
    # Not of the whole action: an account that moves meanwhile asks again from another region.
    digest = digest_of(key, voucher.hashes)
    return Instruct(Instruction(voucher.subject_id, key, digest, OWNER, OWNER, row.sent_ms, Raw(_pack(action))))


def _worth(voucher: Redemption, account: Account, row: Outgoing, done: Done) -> Worth:
    """Read what the sheet gives: it tells itself, with the use."""
    sheet = _read_sheet(_read_subject(done.detail or b"").state)
    mine = (account.account_id, row.key, row.sent_ms)
    use = next(use for use in sheet.uses if (use.account_id, use.key, use.asked_ms) == mine)
    terms = sheet.terms
    serial = read_sheet(voucher.subject_id).serial(use.number)
    return Worth(serial, terms.unit, terms.amount, terms.book_id, terms.allowance, terms.validity_ms)


def _refusal(answer: Failed, unknown: bool) -> Failed:
    """Make what the caller is told: a sheet that nobody has is a wrong code as one without it."""
    if unknown or answer.reason == "SLOT_UNKNOWN":
        return Failed("refused", WRONG, "there is no voucher of this code")
    return Failed("refused", answer.reason, answer.message, answer.fields, answer.facts)
