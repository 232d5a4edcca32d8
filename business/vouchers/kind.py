"""The kinds "vouchers" and "batches": what a slot needs to know of its sheets, and of the register of its batches."""

from typing import TypeVar

from msgspec import Raw, Struct

from business.subjects import Machine, Ruling
from business.vouchers import batches, sheets
from business.vouchers.batches import BATCHES, BatchRegistered, Register, RegisterBatch
from business.vouchers.codes import SHEETS
from business.vouchers.sheets import MakeSheet, ReleaseVoucher, Sheet, SheetAction, SheetEvent, UseVoucher
from charging.base.subject import Instruction, PackedSubject, compose
from charging.errors import Invalid

StateT = TypeVar("StateT", bound=Struct)
ActionT = TypeVar("ActionT", bound=Struct)
EventT = TypeVar("EventT", bound=Struct)


class Signed(Machine[StateT, ActionT, EventT]):
    """A machine whose actions may repeat who sent them, and under which key: its rules look at both."""

    def stake(self, action: Raw) -> tuple[int, bool]:
        """See `SubjectKind`: what all vouchers of a batch, or of a sheet, are worth."""
        asked = self.action(action)
        if isinstance(asked, RegisterBatch):
            return asked.terms.amount * asked.count, asked.alone
        if isinstance(asked, MakeSheet):
            return asked.terms.amount * len(asked.hashes), asked.alone
        return 0, False

    def rule(self, before: PackedSubject, instruction: Instruction, now_ms: int) -> Ruling:
        """See `SubjectKind`. Raises `Invalid` ACTION_MALFORMED for a principal or a key that is not the sender's."""
        action = self.action(instruction.action)
        for name, sent in (("principal", instruction.principal), ("key", instruction.key)):
            if name == "key" and isinstance(action, UseVoucher | ReleaseVoucher):
                continue  # The key in it is that of the account's.
            if getattr(action, name, sent) != sent:
                raise Invalid("ACTION_MALFORMED", f"the action names another {name} than it was sent with")
        return super().rule(before, instruction, now_ms)


VOUCHERS: Signed[Sheet, SheetAction, SheetEvent] = Signed(
    SHEETS, (Sheet, SheetAction, SheetEvent), sheets.decide, sheets.apply, sheets.say
)
REGISTERS: Signed[Register, RegisterBatch, BatchRegistered] = Signed(
    BATCHES, (Register, RegisterBatch, BatchRegistered), batches.decide, batches.apply, batches.say
)
OWNERS = frozenset(str(action.__struct_config__.tag) for action in (UseVoucher, ReleaseVoucher))
"""What owners of accounts alone may do to a sheet."""


def register_of(slot: str) -> str:
    """Give the id of the register of a slot ("GD/17")."""
    return compose(BATCHES, slot)
