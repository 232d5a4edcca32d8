"""Sheets of vouchers: some of a batch that are decided together. A voucher is used once, whatever repeats or crashes.

    generated ── a principal, another one where grants say so ──▶ active ◀──▶ blocked        expired: for good

A voucher of an active sheet is free, used, or blocked by itself; it expires by time. A sheet is small, so that a use
costs little, and knows all that its vouchers need: nothing else is looked at.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from business.vouchers.codes import HASH_BYTES
from business.vouchers.terms import SHEET_MAX, VoucherTerms, check_terms, malformed
from charging.base.bounds import TEXT_CHARS_MAX
from charging.base.names import is_plain
from charging.errors import Denied, NotFound, Refused

DISTRIBUTOR = "distributor"
"""Role of whoever sells vouchers."""
GENERATED, ACTIVE, BLOCKED, EXPIRED, USED = "generated", "active", "blocked", "expired", "used"


class MakeSheet(Struct, frozen=True, array_like=True, tag="make_vouchers", gc=False):
    """Make a sheet of a batch."""

    terms: VoucherTerms
    hashes: tuple[bytes, ...]
    alone: bool
    """Nobody else must activate it."""
    principal: str


class ActivateVouchers(Struct, frozen=True, array_like=True, tag="activate_vouchers", gc=False):
    """Let the vouchers of a sheet be used, after they were made or blocked; `numbers` = those alone, unblocked."""

    numbers: tuple[int, ...]
    principal: str


class BlockVouchers(Struct, frozen=True, array_like=True, tag="block_vouchers", gc=False):
    """Let no voucher of a sheet be used; `numbers` = those alone."""

    reason: str
    numbers: tuple[int, ...]
    principal: str


class ExpireVouchers(Struct, frozen=True, array_like=True, tag="expire_vouchers", gc=False):
    """End what of a sheet is not used, for good."""

    reason: str


class ExportVouchers(Struct, frozen=True, array_like=True, tag="export_vouchers", gc=False):
    """Let the codes be told, once: to whoever repeats this request key and to nobody else."""

    key: str
    principal: str


class UseVoucher(Struct, frozen=True, array_like=True, tag="use_voucher", gc=False):
    """Use a voucher up for an account, by an owner of accounts."""

    hashes: tuple[bytes, ...]
    """Of its code, by each key that the platform has."""
    account_id: str
    key: str
    """Request key of the redemption there, and when it was asked: the two tell it from any other."""
    asked_ms: int
    currency: str
    region: str
    channel: str
    partner: str


class ReleaseVoucher(Struct, frozen=True, array_like=True, tag="release_voucher", gc=False):
    """Take a use back: the account could not take what the voucher gives."""

    account_id: str
    key: str
    asked_ms: int
    reason: str


SheetAction = (
    MakeSheet | ActivateVouchers | BlockVouchers | ExpireVouchers | ExportVouchers | UseVoucher | ReleaseVoucher
)


class SheetMade(Struct, frozen=True, array_like=True, tag="sheet_made", gc=False):
    """The sheet is there; none of its vouchers can be used yet."""

    terms: VoucherTerms
    hashes: tuple[bytes, ...]
    alone: bool
    principal: str
    at_ms: int


class VouchersActivated(Struct, frozen=True, array_like=True, tag="activated", gc=False):
    """Vouchers may be used."""

    principal: str
    numbers: tuple[int, ...]


class VouchersBlocked(Struct, frozen=True, array_like=True, tag="blocked", gc=False):
    """Vouchers may not be used."""

    reason: str
    numbers: tuple[int, ...]
    principal: str


class VouchersExpired(Struct, frozen=True, array_like=True, tag="expired", gc=False):
    """What is not used never will be."""

    reason: str
    at_ms: int


class VouchersExported(Struct, frozen=True, array_like=True, tag="exported", gc=False):
    """The codes were told."""

    key: str
    principal: str


class VoucherUsed(Struct, frozen=True, array_like=True, tag="used", gc=False):
    """A voucher was used up."""

    number: int
    account_id: str
    key: str
    asked_ms: int
    at_ms: int


class VoucherReleased(Struct, frozen=True, array_like=True, tag="released", gc=False):
    """A voucher can be used again."""

    number: int
    account_id: str
    reason: str


SheetEvent = (
    SheetMade | VouchersActivated | VouchersBlocked | VouchersExpired | VouchersExported | VoucherUsed | VoucherReleased
)


class VoucherUse(Struct, frozen=True, array_like=True, gc=False):
    """Who used a voucher."""

    number: int
    account_id: str
    key: str
    asked_ms: int
    at_ms: int

    def by(self, action: UseVoucher | ReleaseVoucher) -> bool:
        """Say whether it was this redemption."""
        return (self.account_id, self.key, self.asked_ms) == (action.account_id, action.key, action.asked_ms)


class Sheet(Struct, frozen=True, array_like=True):
    """Some vouchers of a batch; their numbers begin with 1."""

    terms: VoucherTerms
    hashes: tuple[bytes, ...]
    alone: bool
    made_by: str
    made_ms: int
    state: str = GENERATED
    uses: tuple[VoucherUse, ...] = ()
    blocked: tuple[int, ...] = ()
    """Those that are blocked by themselves."""
    exported: tuple[str, str] = ("", "")
    """Request key under which the codes were told, and the principal whom."""
    expired_ms: int = 0
    """When somebody ended it; 0 = its own time holds."""
    sold: bool = False
    """It was activated once, whatever was blocked since."""
    held: tuple[int, ...] = ()
    """What of it a distributor may not let be used again, for somebody else blocked it: numbers, 0 = the whole."""

    def use_of(self, action: UseVoucher | ReleaseVoucher) -> VoucherUse | None:
        """Find what a redemption used."""
        return next((use for use in self.uses if use.by(action)), None)

    def state_of(self, number: int, now_ms: int) -> str:
        """Give the state of a voucher: used, expired, blocked, generated or active."""
        if any(use.number == number for use in self.uses):
            return USED
        if self.expired_ms or (self.terms.valid_until_ms and self.terms.valid_until_ms <= now_ms):
            return EXPIRED
        return BLOCKED if number in self.blocked else self.state


def decide(sheet: Sheet | None, action: SheetAction, now_ms: int) -> tuple[SheetEvent, ...]:
    """Decide what is asked of a sheet; None = there is none. `now_ms` is the owner's, UTC."""
    if isinstance(action, MakeSheet):
        return (_made(sheet, action, now_ms),)
    if sheet is None:
        if isinstance(action, UseVoucher):
            raise _unknown()
        raise NotFound("BATCH_UNKNOWN", "there is no such sheet of vouchers")
    return (_DECIDE[type(action)](sheet, action, now_ms),)


def apply(sheet: Sheet | None, event: SheetEvent) -> Sheet:
    """Give the sheet after an event. No rule lives here: what an event says, happens."""
    if isinstance(event, SheetMade):
        return Sheet(event.terms, event.hashes, event.alone, event.principal, event.at_ms)
    if sheet is None:
        raise ValueError("a sheet begins with its making")
    match event:
        case VoucherUsed():
            use = VoucherUse(event.number, event.account_id, event.key, event.asked_ms, event.at_ms)
            left = tuple(each for each in sheet.uses if each.number != event.number)
            return replace(sheet, uses=(*left, use))
        case VoucherReleased():
            return replace(sheet, uses=tuple(each for each in sheet.uses if each.number != event.number))
        case VouchersExpired():
            return replace(sheet, expired_ms=event.at_ms)
        case VouchersExported():
            return replace(sheet, exported=(event.key, event.principal))
        case VouchersActivated() | VouchersBlocked():
            opens = isinstance(event, VouchersActivated)
            named = event.numbers or (0,)
            held = tuple(number for number in sheet.held if number not in named) if opens else sheet.held
            if not opens and not _distributes(event.principal):
                held = tuple(sorted({*held, *named}))
            sheet = replace(sheet, held=held)
            if not event.numbers:
                return replace(sheet, state=ACTIVE if opens else BLOCKED, sold=sheet.sold or opens)
            others = tuple(number for number in sheet.blocked if number not in event.numbers)
            return replace(sheet, blocked=others if opens else tuple(sorted({*others, *event.numbers})))


def say(event: SheetEvent) -> str:
    """Tell an event in a sentence."""
    match event:
        case SheetMade():
            return f"{len(event.hashes)} made by {event.principal or 'nobody named'}"
        case VouchersActivated():
            return f"{_told(event.numbers)} activated"
        case VouchersBlocked():
            return f"{_told(event.numbers)} blocked: {event.reason}"
        case VouchersExpired():
            return f"expired: {event.reason}"
        case VouchersExported():
            return f"codes told to {event.principal or 'nobody named'}"
        case VoucherUsed():
            return f"number {event.number} used by {event.account_id} under the key {event.key}"
        case VoucherReleased():
            return f"number {event.number} released, {event.account_id} could not take it: {event.reason}"


def _distributes(principal: str) -> bool:
    return principal.partition("/")[0] == DISTRIBUTOR


def _made(sheet: Sheet | None, action: MakeSheet, now_ms: int) -> SheetMade:
    if sheet is not None:
        raise Refused("VOUCHERS_EXIST", "the sheet was made before")
    check_terms(action.terms, len(action.hashes), now_ms)
    distinct = len(set(action.hashes)) == len(action.hashes)
    if not distinct or len(action.hashes) > SHEET_MAX or any(len(each) != HASH_BYTES for each in action.hashes):
        raise malformed("hashes", f"at most {SHEET_MAX} of {HASH_BYTES} bytes, each once")
    return SheetMade(action.terms, action.hashes, action.alone, action.principal, now_ms)


def _activated(sheet: Sheet, action: ActivateVouchers, _now_ms: int) -> VouchersActivated:
    _check_numbers(sheet, action.numbers)
    if not sheet.sold and not sheet.alone and action.principal == sheet.made_by:
        raise Denied("SAME_PRINCIPAL", "vouchers of so much are activated by another principal than made them")
    if not sheet.sold and action.numbers:
        raise Refused("VOUCHER_NOT_ACTIVE", "the sheet was not activated yet: activate all of it first")
    if _distributes(action.principal) and set(sheet.held) & {0, *(action.numbers or ())}:
        raise Denied("VOUCHERS_HELD", "somebody else than a distributor blocked them: an operator activates them again")
    return VouchersActivated(action.principal, action.numbers)


def _blocked(sheet: Sheet, action: BlockVouchers, _now_ms: int) -> VouchersBlocked:
    _check_numbers(sheet, action.numbers)
    _check_reason(action.reason)
    return VouchersBlocked(action.reason, action.numbers, action.principal)


def _expired(_sheet: Sheet, action: ExpireVouchers, now_ms: int) -> VouchersExpired:
    _check_reason(action.reason)
    return VouchersExpired(action.reason, now_ms)


def _exported(sheet: Sheet, action: ExportVouchers, _now_ms: int) -> VouchersExported:
    if sheet.exported not in (("", ""), (action.key, action.principal)):
        raise Refused("VOUCHERS_EXPORTED", "the codes were told before, under another request key or to somebody else")
    return VouchersExported(action.key, action.principal)


def _released(sheet: Sheet, action: ReleaseVoucher, _now_ms: int) -> VoucherReleased:
    use = sheet.use_of(action)
    if use is None:
        raise Refused("VOUCHER_NOT_RELEASED", "the voucher was not used by this redemption")
    return VoucherReleased(use.number, use.account_id, action.reason)


def _used(sheet: Sheet, action: UseVoucher, now_ms: int) -> VoucherUsed:
    number = next((at for at, known in enumerate(sheet.hashes, 1) if known in action.hashes), 0)
    if not number:
        raise _unknown()
    used = next((use for use in sheet.uses if use.number == number), None)
    if used is not None and used.by(action):
        return VoucherUsed(number, used.account_id, used.key, used.asked_ms, used.at_ms)
    _check_usable(sheet, number, used, now_ms)
    _check_for(sheet.terms, action)
    return VoucherUsed(number, action.account_id, action.key, action.asked_ms, now_ms)


def _check_usable(sheet: Sheet, number: int, used: VoucherUse | None, now_ms: int) -> None:
    match sheet.state_of(number, now_ms):
        case "used":
            facts = {"used_ms": str(used.at_ms if used is not None else 0)}
            raise Refused("VOUCHER_USED", "the voucher was used before", facts=facts)
        case "generated":
            raise Refused("VOUCHER_NOT_ACTIVE", "the voucher is not on sale yet")
        case "blocked":
            raise Refused("VOUCHER_BLOCKED", "the voucher is blocked")
        case "expired":
            ended_ms = sheet.expired_ms or sheet.terms.valid_until_ms
            raise Refused("VOUCHER_EXPIRED", "the voucher has expired", facts={"expired_ms": str(ended_ms)})


def _check_for(terms: VoucherTerms, action: UseVoucher) -> None:
    if terms.regions and action.region not in terms.regions:
        raise Refused("VOUCHER_ELSEWHERE", f"the voucher is for accounts of {', '.join(terms.regions)}")
    if terms.channels and action.channel not in terms.channels:
        raise Refused("VOUCHER_CHANNEL", f"the voucher is used through {', '.join(terms.channels)}")
    if terms.partner and action.partner != terms.partner:
        raise Refused("VOUCHER_CHANNEL", "the voucher is used through another partner")
    if terms.currency != action.currency:
        text = f"the voucher is in {terms.currency}, the account in {action.currency}"
        raise Refused("CURRENCY_MISMATCH", text, facts={"currency": action.currency})


def _check_numbers(sheet: Sheet, numbers: tuple[int, ...]) -> None:
    if any(not 1 <= number <= len(sheet.hashes) for number in numbers) or len(numbers) > SHEET_MAX:
        raise malformed("numbers", f"numbers from 1 to {len(sheet.hashes)}")


def _check_reason(reason: str) -> None:
    if not 0 < len(reason) <= TEXT_CHARS_MAX or not is_plain(reason):
        raise malformed("reason", f"why, in 1 to {TEXT_CHARS_MAX} characters, all to be read on one line")


def _unknown() -> Refused:
    return Refused("VOUCHER_UNKNOWN", "there is no voucher of this code")


def _told(numbers: tuple[int, ...]) -> str:
    return f"numbers {', '.join(map(str, numbers))}" if numbers else "all"


_DECIDE: Mapping[type[SheetAction], Callable[..., SheetEvent]] = {
    ActivateVouchers: _activated,
    BlockVouchers: _blocked,
    ExpireVouchers: _expired,
    ExportVouchers: _exported,
    UseVoucher: _used,
    ReleaseVoucher: _released,
}
