"""The charge that a refund gives back, or the payment that a reversal does, found in the journal."""

from charging.errors import NotFound
from charging.ledger.command import Command
from charging.ledger.originals import charged_fact, with_original
from domainservers.reads.past import Past


async def with_charge(past: Past, command: Command, charge_key: str) -> Command:
    """Give the command with its charge: by the key index, else along the account's chain.

    Raises `NotFound` CHARGE_UNKNOWN, CHARGE_BEFORE_PORT, and as `Past.find` and `Past.falls`.
    """
    entry, ported = await past.find(command.account_id, charge_key)
    told = charged_fact(entry) if entry is not None else None
    falls = None
    if entry is not None and told is not None and told.session_id:
        if entry.charged is not None:
            entry, ported = None, True  # The later steps of the session are in the journal that it left.
        else:
            falls = await past.falls(entry, told.session_id)
    command = with_original(command, entry, falls, whole=not ported)
    if command.action.original_key():
        if entry is None and ported:
            text = f"the account was ported, and its journal here has nothing under the key {charge_key[:64]!r}"
            raise NotFound("CHARGE_BEFORE_PORT", f"{text}: correct what was done before by an adjustment")
        raise NotFound("CHARGE_UNKNOWN", f"the account has no charge under the key {charge_key[:64]!r}")
    return command
