"""What the platform remembers: accounts with their contracts, bounded. Nothing here is the truth, the owner is.

An entry is a prediction. Each commit names the state it was rated on, and the owner answers `Stale` when that is not
the account's; so a wrong entry costs a round trip, never money.
"""

from collections import OrderedDict, deque

from appserver.work.items import PREDICTED_REFUSAL, Item
from charging.base.account import Account
from charging.base.contract import Contract
from charging.errors import Fault
from charging.ledger.command import Command
from charging.ledger.effect import VersionMoved
from charging.ledger.ledger import decide, follow
from charging.wire import BusinessData, Done

CHAIN_MAX = 400
"""Commits of one account in one batch; below the size of a batch, so that a hot account leaves room for others."""
CHAIN_CONTENDED = 16
"""The same, after another instance was first."""
CHANCES_MAX = 16
"""Looked at for one that may go; beyond, the oldest goes whatever it does."""


class Entry:
    """One account as the platform knows it, and the commits it has under way.

    Commits of an account chain within one outgoing batch, each rated on the predicted state after the one before. Once
    the batch is sent, further requests wait until all its answers are there. When another instance charges the same
    account, whoever rates the shorter chain gets in first: so a chain that came too late starts again short, and grows
    with success.
    """

    __slots__ = (
        "_last",
        "_last_done",
        "_last_item",
        "account_id",
        "batch",
        "broken",
        "chain_max",
        "confirmed",
        "contracts",
        "flight",
        "fresh",
        "identities",
        "retry",
        "size",
        "state",
        "used",
        "waiting",
    )

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.identities = 0
        """Under how many identities the cache knows it."""
        self.size = 0
        """Bytes of the business data, as it came last."""
        self.used = True
        """Looked at since the cache last wanted to let it go."""
        self.contracts: dict[str, Contract] = {}
        """By identity; valid at version `confirmed`."""
        self.state: Account | None = None
        """After all that was sent, except the newest command: that one is applied when somebody needs it."""
        self.confirmed = 0
        """Version at which the owner agreed with us last: contracts and terms are those of this version."""
        self.flight = 0
        """Commits without an answer."""
        self.batch = 0
        """Number of the outgoing batch the chain belongs to."""
        self.chain_max = CHAIN_MAX
        """How many commits may go out at once."""
        self.broken = False
        """An answer was not as predicted: the state is worth nothing."""
        self.fresh: BusinessData | None = None
        self.retry: list[Item] = []
        self.waiting: deque[Item] = deque()
        self._last: Command | None = None
        self._last_item: Item | None = None
        self._last_done: Done | None = None

    def current(self, now_ms: int) -> Account | None:
        """Give the predicted state after everything that was sent; None when it can't be said."""
        command = self._last
        if command is None:
            return self.state
        item, done = self._last_item, self._last_done
        self._last = self._last_item = self._last_done = None
        if done is not None and self.state is not None:
            after = follow(self.state, command, done)
            if after is not None:
                self.state = after
                return after
        try:
            decision = decide(self.state, command, now_ms)
        except (Fault, VersionMoved):
            expected = PREDICTED_REFUSAL
        else:
            expected = decision.done
            self.state = decision.account
        if done is not None:
            if done.version != expected.version or done.movements != expected.movements:
                self.forget()
        elif item is not None:
            item.expected = expected
        return self.state

    def is_closed(self, batch: int) -> bool:
        """Say whether a further commit must wait for the answers to those under way."""
        return self.flight > 0 and (self.batch != batch or self.flight >= self.chain_max)

    def sent(self, item: Item, command: Command, batch: int, *, predictable: bool) -> None:
        """Note a command that goes out with a batch. After one that can't be predicted the chain ends."""
        self.flight += 1
        item.expected = None
        if predictable:
            self.batch = batch
            self._last, self._last_item, self._last_done = command, item, None
        else:
            self.batch = 0
            self.broken = True

    def settle_done(self, item: Item, done: Done) -> None:
        """Take the outcome of a commit."""
        self.flight -= 1
        if item is self._last_item:
            # Nothing was rated on top of it: it may be applied later, if ever.
            self._last_item = None
            if done.repeated:
                self._last = None
            elif self.state is None or done.version != self.state.version + 1:
                self.broken = True
            else:
                self._last_done = done
                self.confirmed = done.version
        elif (
            item.expected is None
            or done.repeated
            or done.version != item.expected.version
            or done.movements != item.expected.movements
        ):
            self.broken = True
        else:
            self.confirmed = done.version

    def settle_refused(self, item: Item, *, certain: bool) -> None:
        """Take a fault as the outcome of a commit; `certain` when the owner decided it and nothing moved."""
        self.flight -= 1
        if item is self._last_item:
            self._last = self._last_item = None
            self.broken = self.broken or not certain
        elif not certain or item.expected is not PREDICTED_REFUSAL:
            self.broken = True

    def settle_stale(self, item: Item | None, data: BusinessData) -> None:
        """Take fresh business data as the answer to a commit: the item is to be rated again (None = not again)."""
        self.flight -= 1
        self.broken = True
        if self.fresh is None or self.fresh.account.version <= data.account.version:
            self.fresh = data
        if item is not None:
            self.retry.append(item)

    def close(self) -> None:
        """Let nothing more join the commits under way."""
        self.batch = 0

    def release(self) -> bool:
        """All answers are there: renew or drop the state. Says whether somebody waits for their turn, in order."""
        self.batch = 0
        contended = self.fresh is not None
        self.chain_max = CHAIN_CONTENDED if contended else min(CHAIN_MAX, self.chain_max * 2)
        fresh, self.fresh = self.fresh, None
        if self.broken:
            self.forget()
            if fresh is not None:
                self.renew(fresh)
        self.broken = False
        if self.retry:
            self.waiting.extendleft(sorted(self.retry, key=_place, reverse=True))
            self.retry.clear()
        return bool(self.waiting)

    def renew(self, data: BusinessData) -> None:
        """Take business data from the owner. While commits are under way only the contract is of use."""
        account, contract = data.account, data.contract
        if self.flight:
            if contract.version <= self.confirmed <= account.version:
                self.contracts[contract.identity] = contract
            return
        if not self.confirmed or not account.terms_version <= self.confirmed <= account.version:
            self.contracts = {}
        self.contracts[contract.identity] = contract
        self.state = account
        self.confirmed = account.version
        self._last = self._last_item = self._last_done = None

    def forget(self) -> None:
        """The state is unknown; the next request pulls it."""
        self.state = None
        self.contracts = {}
        self.confirmed = 0
        self._last = self._last_item = self._last_done = None


def _place(item: Item) -> int:
    return item.place


class AccountCache:
    """Entries by identity, bounded in number and in bytes. Members of one account share its entry.

    Who must go is found by second chance: a look sets a flag, nothing is moved. Whoever has commits under way stays, so
    that an account has one chain.
    """

    def __init__(self, entries_max: int, bytes_max: int) -> None:
        self.bytes = 0
        """Of all entries, packed as they came."""
        self._by_identity: OrderedDict[str, Entry] = OrderedDict()
        self._by_account: dict[str, Entry] = {}
        self._entries_max = entries_max
        self._bytes_max = bytes_max

    def __len__(self) -> int:
        return len(self._by_identity)

    def get(self, identity: str) -> Entry | None:
        """Give the entry of an identity."""
        entry = self._by_identity.get(identity)
        if entry is not None:
            entry.used = True
        return entry

    def put(self, data: BusinessData, size: int) -> Entry:
        """Keep business data that came as `size` bytes; gives the entry of the account."""
        identity, account_id = data.contract.identity, data.account.account_id
        entry = self._by_account.get(account_id)
        if entry is None:
            entry = self._by_account[account_id] = Entry(account_id)
        entry.renew(data)
        self.bytes += size - entry.size
        entry.size = size
        if self._by_identity.get(identity) is not entry:
            self.drop(identity)
            if len(self._by_identity) >= self._entries_max:
                self._let_one_go()
            self._by_identity[identity] = entry
            entry.identities += 1
        while self.bytes > self._bytes_max and len(self._by_identity) > 1:
            self._let_one_go()
        return entry

    def drop(self, identity: str) -> None:
        """Forget an identity, for example because it is not known any more."""
        entry = self._by_identity.pop(identity, None)
        if entry is not None:
            entry.identities -= 1
            if not entry.identities:
                self.bytes -= entry.size
                self._by_account.pop(entry.account_id, None)

    def _let_one_go(self) -> None:
        entries = self._by_identity
        for _ in range(CHANCES_MAX):
            identity = next(iter(entries))
            entry = entries[identity]
            if not (entry.used or entry.flight or entry.waiting):
                break
            entry.used = False
            entries.move_to_end(identity)
        self.drop(next(iter(entries)))
