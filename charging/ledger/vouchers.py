"""Vouchers as an account knows them: those asked for and not decided, and how many codes were wrong.

A redemption is a saga of journaled steps, as a transfer is: exactly once, and never half.

1. The account's owner writes down that a voucher is asked for (`RedeemVoucher`, the caller's key).
2. It uses the voucher up at its sheet, in whatever domain, under a key derived from the first. The sheet knows who used
   it, so however often step 2 is tried, the voucher is used once.
3. It commits `SettleVoucher` at home: the books take what the voucher gives, or the fault is told. What the books can't
   take goes back: the voucher is released at its sheet, then the redemption ends as refused.

Until step 3 it stays in `Open.outgoing`, through any crash or takeover, and the caller's key is answered `under_way`:
whoever repeats it, as after any UNAVAILABLE, is told the end.

A wrong code counts where it was asked for. What is asked and not decided counts as wrong until it proves right, so
guesses side by side don't pass the bound; and all of it is in the journal, so neither a repeat nor a restart does.
"""

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.errors import Refused, Unavailable
from charging.ledger.outcome import Failed, failed

WRONG_MAX = 5
"""Wrong codes in the window after which an account takes no voucher any more."""
WINDOW_MS = 86_400_000
WRONG = "VOUCHER_UNKNOWN"
"""The reason that counts: whoever names a voucher that is used, blocked or over knew its code."""
REDEEMED_KEPT_MAX = 16
"""Vouchers of an account whose end a repeat of their key is told."""
RETRY_MS = 50
REDEEMED = "redeem_voucher"
"""Kind of the entries of `RedeemVoucher`: they change the account and yet tell a fault, VOUCHER_UNDER_WAY."""


class Worth(Struct, frozen=True, array_like=True, gc=False):
    """What a voucher gives, as its sheet says."""

    serial: str
    unit: str
    amount: int
    """Micro-units of money, base units of anything else."""
    book_id: str
    """"" = the main book."""
    allowance: str = ""
    """Scope of the book that it makes."""
    validity_ms: int = 0
    """How long what it gives holds, from now on; 0 = for ever."""


def under_way(key: str) -> Failed:
    """Give the outcome of a redemption that is not decided; also what its repeats are told until it is."""
    text = "the voucher is being looked at: repeat the same request key"
    return failed(Unavailable("VOUCHER_UNDER_WAY", text, retry_ms=RETRY_MS, facts={"of_key": key}))


def wrong_since(account: Account, now_ms: int) -> tuple[int, ...]:
    """Give when wrong codes were given in the window that ends now."""
    return tuple(at_ms for at_ms in account.open.missed if at_ms > now_ms - WINDOW_MS)


def check_may_try(account: Account, now_ms: int) -> None:
    """Refuse VOUCHERS_BLOCKED for an account with too many wrong codes, VOUCHERS_PENDING while others are undecided."""
    if account.open.barred_ms:
        text = "too many wrong codes of vouchers were given: an operator lifts the block"
        raise Refused("VOUCHERS_BLOCKED", text, facts={"since_ms": str(account.open.barred_ms)})
    undecided = sum(row.voucher is not None for row in account.open.outgoing)
    if undecided and len(wrong_since(account, now_ms)) + undecided >= WRONG_MAX:
        text = "as many vouchers of the account are being looked at as codes may still be wrong: wait for them"
        raise Refused("VOUCHERS_PENDING", text, facts={"pending": str(undecided)})


def wrong(missed: tuple[int, ...], refusal: Failed, now_ms: int) -> tuple[tuple[int, ...], Failed]:
    """Count a code that was wrong, and tell how many may still be."""
    missed = (*missed, now_ms)[-WRONG_MAX:]
    return missed, replace(refusal, facts={**refusal.facts, "left": str(WRONG_MAX - len(missed))})


def asks_for(account: Account, key: str) -> bool:
    """Say whether the voucher that was asked for under a key is under way."""
    return any(row.key == key and row.voucher is not None for row in account.open.outgoing)


def without(account: Account, key: str) -> Account:
    """Give an account for which a voucher is not under way any more."""
    return account.with_open(outgoing=tuple(row for row in account.open.outgoing if row.key != key))


def returning(account: Account, key: str, reason: str) -> Account:
    """Give an account that gives a voucher back."""
    return account.with_open(
        outgoing=tuple(
            replace(row, voucher=replace(row.voucher, returns=reason))
            if row.key == key and row.voucher is not None
            else row
            for row in account.open.outgoing
        )
    )
