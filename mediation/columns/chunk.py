"""Uses as columns of integers: whose each is, when, how much; and which accounts the row engine is to take instead."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import MONEY, Account
from charging.base.contract import Contract
from mediation.columns.ruler import Flags, Ints

USES = {
    "account": pl.String(),
    "identity": pl.String(),
    "service": pl.String(),
    "start_ms": pl.Int64(),
    "quantity": pl.Int64(),
    "other_party": pl.String(),
    "visited": pl.String(),
    "attributes": pl.String(),
}
"""Columns of uses: those of an account stand together, in the order in which it is rated. Attributes are JSON or ""."""
ROWS_MAX = 1 << 20
"""Rows of one chunk: sums of so many quantities stay within a word."""
CYCLE_DAYS_END = 32
"""Behind the last of them."""
BOOKS = "books of units, or of money with a scope"
LIMITS = "spending limits"
MEMBER = "used by somebody who is no member now"
CLOCK = "billed by another clock than the catalogue's"
MAGNITUDE = "numbers too large for columns"


class AccountState(Struct, frozen=True):
    """An account and its members' contracts, as rating sees them: accumulators as they were before the first use."""

    account: Account
    contracts: Mapping[str, Contract]


@dataclass(slots=True, eq=False)
class Escapes:
    """Accounts that columns can't rate, each with the first reason."""

    out: Flags
    reasons: dict[int, str] = field(default_factory=dict)

    def add(self, accounts: Ints | Sequence[int], reason: str) -> None:
        """Let the row engine take accounts."""
        for account in set(np.asarray(accounts).tolist()):
            if not self.out[account]:
                self.out[account] = True
                self.reasons[account] = reason


@dataclass(slots=True, eq=False)
class Chunk:
    """Uses of some accounts. All arrays but `of_account` have an entry for each row."""

    frame: pl.DataFrame
    names: list[str]
    accounts: list[Account]
    """With accumulators of their own, which run on."""
    contracts: list[Contract]
    of_account: Ints
    """By contract."""
    account: Ints
    holder: Ints
    """The contract, its place in `contracts`."""
    start_ms: Ints
    quantity: Ints
    escapes: Escapes
    places: dict[str, int]
    """Accounts by name: their places in `accounts`."""
    _cycle_days: Ints = field(init=False)

    def __post_init__(self) -> None:
        """Ask the accounts for their cycle days."""
        self._cycle_days = np.array([account.terms.cycle_day for account in self.accounts], dtype=np.int64)

    def of_days(self, accounts: Ints, days: Ints, asked: Callable[[int, int], int]) -> Ints:
        """Give what is asked of the day and the cycle day of each of some rows, once for each that there may be."""
        each = range(int(days.min()), int(days.max()) + 1)
        known = np.zeros((CYCLE_DAYS_END, len(each)), dtype=np.int64)
        for cycle_day in set(self._cycle_days.tolist()):
            known[cycle_day] = [asked(day, cycle_day) for day in each]
        return np.asarray(known[self._cycle_days[accounts], days - each.start], dtype=np.int64)

    def rows_of(self, account: int) -> slice:
        """Give the rows of an account."""
        first, last = np.searchsorted(self.account, [account, account + 1])
        return slice(int(first), int(last))


def chunk_of(frame: pl.DataFrame, states: Mapping[str, AccountState]) -> Chunk:
    """Put uses into integers. Raises `ValueError` for more than `ROWS_MAX` rows, `KeyError` for an unknown account."""
    if len(frame) > ROWS_MAX:
        raise ValueError(f"{len(frame)} rows at once; {ROWS_MAX} are possible")
    frame = frame.select(list(USES))
    begins = frame["account"].ne_missing(frame["account"].shift()).to_numpy()
    names = frame["account"].filter(pl.Series(begins)).to_list()
    account = np.cumsum(begins, dtype=np.int64) - 1
    accounts: list[Account] = []
    contracts: list[Contract] = []
    of_account: list[int] = []
    places: dict[str, int] = {}
    for number, name in enumerate(names):
        state = states[name]
        accounts.append(replace(state.account, accumulators=dict(state.account.accumulators)))
        for identity, contract in state.contracts.items():
            places.setdefault(identity, len(contracts))
            contracts.append(contract)
            of_account.append(number if identity in state.account.members else -1)
    escapes = Escapes(np.zeros(len(names), dtype=np.bool_))
    holder = _by_runs(frame["identity"], places)
    owners = np.array(of_account or [-1], dtype=np.int64)
    escapes.add(account[(holder < 0) | (owners[holder] != account)], MEMBER)
    quantity = frame["quantity"].to_numpy()
    moments = frame["start_ms"].to_numpy()
    numbers = {name: number for number, name in enumerate(names)}
    found = Chunk(frame, names, accounts, contracts, owners, account, holder, moments, quantity, escapes, numbers)
    _state_escapes(found)
    escapes.add(account[(quantity < 0) | (found.start_ms < 0)], MAGNITUDE)
    return found


def codes(texts: pl.Series, known: Mapping[str, int], missing: int) -> Ints:
    """Give the number of each text, `missing` where it has none."""
    if not known:
        return np.full(len(texts), missing, dtype=np.int64)
    found = texts.replace_strict(list(known), list(known.values()), default=missing, return_dtype=pl.Int64)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _by_runs(texts: pl.Series, known: Mapping[str, int]) -> Ints:
    """Do as `codes`, looking up once what follows itself."""
    begins = np.flatnonzero(texts.ne_missing(texts.shift()).to_numpy())
    found = codes(texts.gather(begins), known, -1)
    return np.repeat(found, np.diff(begins, append=len(texts)))


def numbered(texts: pl.Series, known: dict[str, int]) -> Ints:
    """Give the number of each text; new ones get the next."""
    if (texts == texts[0]).all():
        return np.full(len(texts), known.setdefault(texts[0], len(known)), dtype=np.int64)
    different = texts.unique().to_list()
    for text in different:
        known.setdefault(text, len(known))
    return codes(texts, {text: known[text] for text in different}, -1)


def _state_escapes(chunk: Chunk) -> None:
    for number, account in enumerate(chunk.accounts):
        if any(book.allowance or book.unit != MONEY for book in account.books):
            chunk.escapes.add([number], BOOKS)
        elif account.terms.limits:
            chunk.escapes.add([number], LIMITS)
