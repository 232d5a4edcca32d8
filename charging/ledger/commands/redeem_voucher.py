"""First step of a voucher: write down that it is asked for; see `charging.ledger.vouchers`."""

from typing import Annotated

from msgspec import Struct

from charging.base.account import Account
from charging.base.asked import FilledIn
from charging.base.bounds import ID_CHARS_MAX
from charging.base.fieldtypes import NAME
from charging.base.outgoing import Outgoing, Redemption
from charging.errors import Invalid
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.sending import check_room_for
from charging.ledger.standing import require_open
from charging.ledger.vouchers import REDEEMED, check_may_try

HASHES_MAX = 4
"""Of one code: by so many keys a platform may hash, the newest and some before it."""
HASH_BYTES = 16


class CodeRead(Struct, frozen=True, array_like=True, gc=False):
    """What the platform makes of a code; it goes no further itself."""

    subject_id: str
    """The sheet that the code names."""
    hashes: tuple[bytes, ...]
    """`HASH_BYTES` each."""


class VoucherAsked(BaseEvent, frozen=True, tag="voucher"):
    """A voucher is asked for; nothing else has happened."""

    row: Outgoing

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Remember it as under way."""
        return account.with_open(outgoing=(*account.open.outgoing, self.row))

    def words(self) -> str:
        """Name the sheet."""
        return f"of {self.row.voucher.subject_id}" if self.row.voucher is not None else "a voucher"


class RedeemVoucher(BaseAction, frozen=True, tag=REDEEMED):
    """Use a voucher for the account."""

    code: Annotated[str, NAME]
    """As it is printed; the platform takes it out when it has read it."""
    read: Annotated[CodeRead | None, FilledIn()] = None

    traits = Traits(
        sender=PLATFORM,
        permissions=("redeem_voucher",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it: what a voucher gives, whoever made it answers for."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Write it down.

        Refused VOUCHERS_BLOCKED, VOUCHERS_PENDING, TRANSFERS_PENDING, ACCOUNT_CLOSED; Invalid VOUCHER_MALFORMED when
        the platform has not read the code, or has left it in.
        """
        require_open(account)
        read = self.read
        if read is None or self.code or not _fits(read):
            raise Invalid("VOUCHER_MALFORMED", "the code was not read", fields={"redeem_voucher.code": "a code"})
        check_may_try(account, now_ms)
        check_room_for(account, command.key)
        voucher = Redemption(read.subject_id, read.hashes, command.channel, command.partner, command.digest)
        row = Outgoing(command.key, "", "", "", 0, now_ms, account.terms.currency, voucher=voucher)
        return Effect((VoucherAsked(row),))


def _fits(read: CodeRead) -> bool:
    hashes = read.hashes
    return (
        0 < len(read.subject_id) <= ID_CHARS_MAX
        and 0 < len(hashes) <= HASHES_MAX
        and all(len(each) == HASH_BYTES for each in hashes)
    )
