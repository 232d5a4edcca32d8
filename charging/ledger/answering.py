"""What whoever sent a command is told once it is journaled: nearly always its outcome, or that it waits."""

from charging.ledger.approvals import pending
from charging.ledger.command import Command
from charging.ledger.commands.propose import PROPOSED, Propose
from charging.ledger.commands.redeem_voucher import RedeemVoucher
from charging.ledger.outcome import Done, Failed
from charging.ledger.vouchers import REDEEMED, under_way

WAITING = (PROPOSED, REDEEMED)
"""Kinds of entries that change the account and yet tell a fault."""


def answer_of(command: Command, done: Done) -> Done | Failed:
    """Give what is kept under the command's key, and told to repeats while the account knows nothing newer."""
    kind = type(command.action)
    if kind is Propose:
        return pending(command.key)
    return under_way(command.key) if kind is RedeemVoucher else done
