"""The register of a slot's batches: who has which number, and what its vouchers are worth.

The number is given here, so two who make batches at once don't meet; everything else of a batch is in its sheets.
"""

from msgspec import Struct
from msgspec.structs import replace

from business.vouchers.terms import SHEET_MAX, VoucherTerms, check_terms, malformed
from charging.errors import Refused

BATCHES = "batches"
"""Kind of the register."""
BATCHES_MAX = 500
"""Of one slot, for ever: a number is never given again."""
DRAWN_BYTES = 16
MARK_CHARS = 8


class RegisterBatch(Struct, frozen=True, array_like=True, tag="make_vouchers", gc=False):
    """Give a batch its number."""

    terms: VoucherTerms
    count: int
    drawn: bytes
    """At random, for this batch: half of what its codes are made of."""
    mark: str
    """Of the platform's key that is the other half."""
    alone: bool
    """Nobody else must activate it."""
    key: str
    """Of the request; likewise the principal."""
    principal: str


class BatchRegistered(Struct, frozen=True, array_like=True, tag="batch_registered", gc=False):
    """A batch has a number."""

    batch: "Batch"


class Batch(Struct, frozen=True, array_like=True, gc=False):
    """A batch as it was made."""

    number: int
    key: str
    """Request key that made it."""
    terms: VoucherTerms
    count: int
    drawn: bytes
    mark: str
    alone: bool
    made_by: str
    """Principal."""
    made_ms: int

    @property
    def sheets(self) -> int:
        """How many it has."""
        return -(-self.count // SHEET_MAX)

    def on_sheet(self, sheet: int) -> int:
        """Give how many vouchers a sheet of it has."""
        return min(SHEET_MAX, self.count - sheet * SHEET_MAX)


class Register(Struct, frozen=True, array_like=True):
    """The batches of a slot, oldest first; their numbers begin with 1."""

    batches: tuple[Batch, ...] = ()

    def of_number(self, number: int) -> Batch | None:
        """Find a batch."""
        return self.batches[number - 1] if 0 < number <= len(self.batches) else None

    def of_key(self, key: str) -> Batch | None:
        """Find the batch that a request key made."""
        return next((batch for batch in reversed(self.batches) if batch.key == key), None)


def decide(register: Register | None, action: RegisterBatch, now_ms: int) -> tuple[BatchRegistered]:
    """Give a number. Invalid VOUCHERS_MALFORMED, Refused VOUCHERS_FULL."""
    known = register if register is not None else Register()
    check_terms(action.terms, action.count, now_ms)
    if len(action.drawn) != DRAWN_BYTES or len(action.mark) != MARK_CHARS:
        raise malformed("drawn", f"{DRAWN_BYTES} bytes, and the mark of a key")
    if len(known.batches) >= BATCHES_MAX:
        raise Refused("VOUCHERS_FULL", f"the slot has {BATCHES_MAX} batches: name another slot")
    batch = Batch(
        len(known.batches) + 1,
        action.key,
        action.terms,
        action.count,
        action.drawn,
        action.mark,
        action.alone,
        action.principal,
        now_ms,
    )
    return (BatchRegistered(batch),)


def apply(register: Register | None, event: BatchRegistered) -> Register:
    """Give the register after an event."""
    known = register if register is not None else Register()
    return replace(known, batches=(*known.batches, event.batch))


def say(event: BatchRegistered) -> str:
    """Tell an event in a sentence."""
    batch = event.batch
    return f"batch {batch.number} of {batch.count} made by {batch.made_by or 'nobody named'}"
