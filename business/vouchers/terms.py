"""What each voucher of a batch is worth, and for whom."""

from msgspec import Struct

from charging.base.account import MAIN_BOOK
from charging.base.bounds import AMOUNT_MAX, CODE_CHARS_MAX, ID_CHARS_MAX, TEXT_CHARS_MAX, TIME_MS_MAX
from charging.base.names import is_plain
from charging.errors import Invalid

SHEET_MAX = 50
"""Vouchers of one sheet."""
COUNT_MAX = 50_000
"""Vouchers of one batch."""
NAMES_MAX = 32
"""Regions, or channels, that a batch is for."""
UNITS = ("money", "second", "byte", "event")


class VoucherTerms(Struct, frozen=True, array_like=True, gc=False):
    """What is printed on the voucher, so to speak."""

    unit: str
    amount: int
    """Micro-units of money, base units of anything else."""
    currency: str
    """Of accounts that may use it."""
    book_id: str = ""
    """Which book takes it; "" = the main book."""
    allowance: str = ""
    """Scope of the book that it makes."""
    validity_ms: int = 0
    """How long what it gives holds, from its use on; 0 = for ever."""
    valid_until_ms: int = 0
    """When the voucher itself expires, UTC; 0 = never."""
    regions: tuple[str, ...] = ()
    """Domains whose accounts may use it; empty = all. Likewise the channels."""
    channels: tuple[str, ...] = ()
    partner: str = ""
    """Through whom alone it is used; empty = anybody."""
    label: str = ""


def check_terms(terms: VoucherTerms, count: int, now_ms: int) -> None:
    """Raise `Invalid` VOUCHERS_MALFORMED, the fields named, for a batch that can't be."""
    plain = terms.unit == "money" and not terms.allowance and not terms.validity_ms
    wanted = {
        "unit": (terms.unit in UNITS, " or ".join(UNITS)),
        "amount": (0 < terms.amount <= AMOUNT_MAX, f"1 to {AMOUNT_MAX}"),
        "currency": (0 < len(terms.currency) <= CODE_CHARS_MAX, "that of the accounts that may use it"),
        "count": (0 < count <= COUNT_MAX, f"1 to {COUNT_MAX}"),
        "book_id": (
            len(terms.book_id) <= ID_CHARS_MAX and (terms.book_id not in ("", MAIN_BOOK) or plain),
            f"1 to {ID_CHARS_MAX} characters; the main book takes plain money alone, which is never over",
        ),
        "allowance": (len(terms.allowance) <= ID_CHARS_MAX, f"at most {ID_CHARS_MAX} characters"),
        "validity_ms": (0 <= terms.validity_ms <= TIME_MS_MAX // 2, "0 or more"),
        "valid_until_ms": (
            not terms.valid_until_ms or now_ms < terms.valid_until_ms <= TIME_MS_MAX,
            "0, or a time to come",
        ),
        "regions": (_named(terms.regions), f"at most {NAMES_MAX} codes"),
        "channels": (_named(terms.channels), f"at most {NAMES_MAX} codes"),
        "partner": (len(terms.partner) <= CODE_CHARS_MAX, f"at most {CODE_CHARS_MAX} characters"),
        "label": (len(terms.label) <= TEXT_CHARS_MAX, f"at most {TEXT_CHARS_MAX} characters"),
    }
    for name in ("book_id", "allowance", "partner", "label"):
        fits, text = wanted[name]
        wanted[name] = (fits and is_plain(getattr(terms, name)), f"{text}, all to be read on one line")
    for name, (fits, text) in wanted.items():
        if not fits:
            raise malformed(name, text)


def malformed(name: str, wanted: str) -> Invalid:
    """Make the fault of a field of a batch."""
    return Invalid("VOUCHERS_MALFORMED", f"{name} must be {wanted}", fields={name: wanted})


def _named(codes: tuple[str, ...]) -> bool:
    return len(codes) <= NAMES_MAX and all(0 < len(code) <= CODE_CHARS_MAX for code in codes)
