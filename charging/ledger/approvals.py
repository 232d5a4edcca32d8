"""What proposals and vouchers of an account answer to their request keys, while they wait and once they are decided."""

from charging.base.account import Account
from charging.errors import Refused
from charging.ledger.outcome import Failed, failed, pack_outcome

PROPOSAL_KEEP_MS = 7 * 86_400_000
"""A proposal that nobody decided for so long is over."""


def pending(key: str) -> Failed:
    """Give the outcome of a command that waits; also what its repeats are told until it is decided."""
    text = "a second principal must approve this: nothing is done yet, send an approval of this request key"
    return failed(Refused("APPROVAL_NEEDED", text, facts={"of_key": key}))


def outcome_now(account: Account | None, key: str) -> bytes | None:
    """Give the packed outcome of a proposal or voucher that is decided; None for another key: what is stored holds."""
    if account is None or not (account.open.decided or account.open.redeemed):
        return None
    known = (*account.open.decided, *account.open.redeemed)
    return next((outcome for decided, outcome, _ in known if decided == key), None)


def remembered(account: Account, key: str) -> tuple[bytes, bytes] | None:
    """Give digest and packed outcome of a proposal's or voucher's key; None when the account knows none.

    A proposal waits for longer than journals know their keys: without this a late repeat would be proposed, and done,
    a second time.
    """
    for known, outcome, digest in (*account.open.decided, *account.open.redeemed):
        if known == key:
            return digest, outcome
    for proposal in account.open.proposals:
        if proposal.key == key:
            return proposal.digest, pack_outcome(pending(key))
    return None
