"""Take a rated charge: the frequent case, so `charging.ledger.ledger` and `applying` know it by name."""

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.buckets import Billed
from charging.base.usage import SealedCharge, Usage
from charging.ledger import funds, taking
from charging.ledger.accruals import accrue
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg, Pair, book_legs, legs_against


class Charged(BaseEvent, frozen=True, tag="c"):
    """A rated event was taken. Accumulators grow by `charge.accruals`."""

    usage: Usage
    charge: SealedCharge
    postings: tuple[Pair, ...]
    """Taken from money books; they add up to `charge.amount`."""
    units: tuple[Pair, ...]
    """Taken from books of free units."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Take from the books and count."""
        books = funds.shift(funds.shift(account.books, self.postings, -1), self.units, -1)
        return replace(account, books=books, accumulators=accrue(account.accumulators, self.charge.accruals))

    def legs(self) -> tuple[Leg, ...]:
        """Post money against revenue, units against use."""
        revenue = Leg("revenue", self.charge.amount)
        return (*book_legs(self.postings, -1), revenue, *legs_against("use", self.units))

    def billed(self) -> tuple[Billed, ...]:
        """Bill it in the period in which the usage began."""
        usage, charge = self.usage, self.charge
        item = charge.item or usage.service
        return (Billed(usage.start_ms, item, usage.identity, charge.amount, charge.taxed_since),)

    def moved_ms(self, time_ms: int) -> int:
        """Count money of bound books that paid for it where it is billed itself."""
        return self.usage.start_ms

    def words(self) -> str:
        """Say nothing: service, quantity and explanation of the line are of the charge."""
        return ""

    def charges(self) -> tuple[tuple[Usage, SealedCharge], ...]:
        """Give the one."""
        return ((self.usage, self.charge),)


class PostCharge(BaseAction, frozen=True, tag="c"):
    """Take a rated charge. `base_version` is the account version it was rated on.

    Stale when `charge.depends` and version or mark are not the account's, or when `base_version` is older than the
    account's `terms_version`.
    """

    usage: Usage
    charge: SealedCharge
    base_version: int
    """Version of the account that it was rated on; of a charge that depends on nothing, any with the same terms."""
    base_mark: int = 0
    """`Account.mark` of the state it was rated on; 0 = compare the version only."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("charge",),
        predictable=True,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give the price."""
        return self.charge.amount

    def charged(self, account: Account, now_ms: int) -> Charged:
        """Say what it takes from which books. Raises what `charging.ledger.taking.taken` raises."""
        usage, charge = self.usage, self.charge
        postings, units = taking.taken(account, charge, usage, self.base_version, self.base_mark, now_ms)
        return Charged(usage, charge, postings, units)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take it; `charging.ledger.ledger` does the same without an effect between."""
        return Effect((self.charged(account, now_ms),), self.charge.amount)
