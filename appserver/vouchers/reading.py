"""Requests about vouchers → what slots are asked; and what they tell → replies."""

import re
from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct
from onetier.v1 import vouchers_pb2 as pb

from appserver.reading.keys import check_key
from business.subjects import unpack_subject
from business.vouchers.batches import Batch, Register
from business.vouchers.codes import Place, read_serial
from business.vouchers.kind import REGISTERS, VOUCHERS
from business.vouchers.sheets import ActivateVouchers, BlockVouchers, ExpireVouchers, Sheet, SheetAction
from business.vouchers.terms import VoucherTerms, malformed
from charging.base.house_keys import digest_of
from charging.base.subject import Instruction, PackedSubject
from charging.errors import Broken, Invalid, NotFound
from charging.wire import Done

_BATCH = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,31})/(\d{1,4}):(\d{1,5})")
_pack = msgspec.msgpack.Encoder().encode


class BatchName(Struct, frozen=True):
    """Which batch is meant."""

    domain: str
    slot: str
    number: int

    def place(self, sheet: int) -> Place:
        """Give the place of a sheet of it."""
        return Place(self.slot, self.number, sheet)


def batch_name(batch_id: str) -> BatchName:
    """Read the name of a batch. Raises `Invalid` VOUCHERS_MALFORMED."""
    match = _BATCH.fullmatch(batch_id)
    if match is None:
        raise malformed("batch_id", "the name of a batch, such as GD/0:5")
    return BatchName(match[1], f"{match[1]}/{int(match[2])}", int(match[3]))


def terms_of(given: pb.VoucherTerms, currency: str) -> VoucherTerms:
    """Read what a voucher is worth; `currency` stands where none is given."""
    return VoucherTerms(
        given.unit or "money",
        given.amount,
        given.currency or currency,
        given.book_id,
        given.allowance,
        given.validity_ms,
        given.valid_until_ms,
        tuple(given.regions),
        tuple(given.channels),
        given.partner,
        given.label,
    )


def changes_of(
    request: pb.ChangeVouchersRequest, name: BatchName, sheets: int, principal: str
) -> dict[int, SheetAction]:
    """Read what is to be done to which sheets. Raises `Invalid` CHANGE_MISSING, VOUCHERS_MALFORMED."""
    numbers: dict[int, list[int]] = {}
    for serial in request.serials:
        place, number = read_serial(serial)
        if place.slot != name.slot or place.batch != name.number:
            raise malformed("serials", f"those of batch {request.batch_id}")
        numbers.setdefault(place.sheet, []).append(number)
    wanted = dict.fromkeys(range(sheets), ()) if not numbers else {at: tuple(each) for at, each in numbers.items()}
    match request.WhichOneof("change"):
        case "activate":
            return {sheet: ActivateVouchers(each, principal) for sheet, each in wanted.items()}
        case "block":
            return {sheet: BlockVouchers(request.block.reason, each, principal) for sheet, each in wanted.items()}
        case "expire":
            if numbers:
                raise malformed("serials", "none: a batch expires as a whole")
            return {sheet: ExpireVouchers(request.expire.reason) for sheet in wanted}
    text = "one of activate, block, expire"
    raise Invalid("CHANGE_MISSING", f"nothing is asked of the vouchers: give {text}", fields={"change": text})


def instruction_of(
    subject_id: str, caller: pb.VoucherCaller, action: Struct, content: object, principal: str, now_ms: int
) -> Instruction:
    """Make an instruction; `content` is what makes two requests the same. Raises `Invalid` REQUEST_KEY_…."""
    check_key(caller.request_key)
    digest = digest_of(subject_id, content, caller.channel, caller.actor)
    packed = Raw(_pack(action))
    key = caller.request_key
    return Instruction(subject_id, key, digest, caller.actor, caller.channel, now_ms, packed, principal)


def register_in(subject: PackedSubject) -> Register:
    """Read a register."""
    return REGISTERS.state(subject) or Register()


def told_of(done: Done) -> PackedSubject:
    """Give the subject that an outcome tells. Raises `Broken` ANSWER_MALFORMED."""
    try:
        return unpack_subject(done.detail or b"")
    except (msgspec.MsgspecError, ValueError) as error:
        raise Broken("ANSWER_MALFORMED", "the answer can't be read") from error


def sheet_in(subject: PackedSubject) -> Sheet:
    """Read a sheet. Raises `NotFound` BATCH_UNKNOWN when it was never made."""
    sheet = VOUCHERS.state(subject)
    if sheet is None:
        raise unknown()
    return sheet


def unknown() -> NotFound:
    """Make the fault of a batch, sheet or voucher that is not there."""
    return NotFound("BATCH_UNKNOWN", "there is no such batch, sheet or voucher")


def tell_batch(slot: str, batch: Batch) -> pb.VoucherBatch:
    """Tell a batch."""
    terms = batch.terms
    return pb.VoucherBatch(
        batch_id=f"{slot}:{batch.number}",
        terms=pb.VoucherTerms(
            amount=terms.amount,
            unit=terms.unit,
            currency=terms.currency,
            book_id=terms.book_id,
            allowance=terms.allowance,
            validity_ms=terms.validity_ms,
            valid_until_ms=terms.valid_until_ms,
            regions=terms.regions,
            channels=terms.channels,
            partner=terms.partner,
            label=terms.label,
        ),
        count=batch.count,
        made_by=batch.made_by,
        made_ms=batch.made_ms,
        two=not batch.alone,
    )


def tell_vouchers(place: Place, sheet: Sheet, numbers: Iterable[int], now_ms: int) -> list[pb.Voucher]:
    """Tell some vouchers of a sheet."""
    uses = {use.number: use for use in sheet.uses}
    told = []
    for number in numbers:
        voucher = pb.Voucher(serial=place.serial(number), state=sheet.state_of(number, now_ms))
        use = uses.get(number)
        if use is not None:
            voucher.account_id, voucher.used_key, voucher.used_ms = use.account_id, use.key, use.at_ms
        told.append(voucher)
    return told
