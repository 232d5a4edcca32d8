"""The accounts that are remembered, bounded in number and in bytes; who must go is found by second chance."""

from collections import OrderedDict

from appserver.accounts.chain import CommitChain
from charging.wire import BusinessData

CHANCES_MAX = 16
"""Looked at for one that may go; beyond, the oldest goes whatever it does."""


class AccountCache:
    """Accounts by identity, bounded in number and in bytes. Members of one account share its chain.

    Who must go is found by second chance: a look sets a flag, nothing is moved. Whoever has commits under way stays, so
    that an account has one chain.
    """

    def __init__(self, accounts_max: int, bytes_max: int) -> None:
        self.bytes = 0
        """Of all accounts' data, packed as they came."""
        self.hits = 0
        """Requests that found what they needed, since `counted`."""
        self.misses = 0
        """Requests that something was pulled for, since `counted`."""
        self._by_identity: OrderedDict[str, CommitChain] = OrderedDict()
        self._by_account: dict[str, CommitChain] = {}
        self._accounts_max = accounts_max
        self._bytes_max = bytes_max

    def __len__(self) -> int:
        return len(self._by_identity)

    def counted(self) -> tuple[int, int]:
        """Give hits and misses since the last time."""
        hits, misses = self.hits, self.misses
        self.hits = self.misses = 0
        return hits, misses

    def get(self, identity: str) -> CommitChain | None:
        """Give the chain of an identity, which counts as used; None = it is not known here: pull it.

        A chain may be of a state that is forgotten; see `Prediction.current`.
        """
        chain = self._by_identity.get(identity)
        if chain is not None:
            chain.used = True
        return chain

    def put(self, data: BusinessData, size: int) -> CommitChain:
        """Keep business data that came as `size` bytes; gives the chain of the account.

        Others may be let go for it, those that nobody used first.
        """
        identity, account_id = data.contract.identity, data.account.account_id
        chain = self._by_account.get(account_id)
        if chain is None:
            chain = self._by_account[account_id] = CommitChain(account_id)
        chain.renew(data)
        self.bytes += size - chain.size
        chain.size = size
        if self._by_identity.get(identity) is not chain:
            self.drop(identity)
            if len(self._by_identity) >= self._accounts_max:
                self._let_one_go()
            self._by_identity[identity] = chain
            chain.identities += 1
        while self.bytes > self._bytes_max and len(self._by_identity) > 1:
            self._let_one_go()
        return chain

    def refresh(self, data: BusinessData, size: int) -> None:
        """Keep business data of an account that is known here; a read brings in nobody that nothing is committed on."""
        if data.account.account_id in self._by_account:
            self.put(data, size)

    def drop(self, identity: str) -> None:
        """Forget an identity, for example because it is not known any more."""
        chain = self._by_identity.pop(identity, None)
        if chain is not None:
            chain.identities -= 1
            if not chain.identities:
                self.bytes -= chain.size
                self._by_account.pop(chain.account_id, None)

    def _let_one_go(self) -> None:
        chains = self._by_identity
        # The clock algorithm: an account that was looked at since the last time gets another round, and so does one
        # with commits under way. After so many the oldest goes all the same, or making room would take as long as the
        # cache is large; its commits keep their chain by themselves.
        for _ in range(CHANCES_MAX):
            identity = next(iter(chains))
            chain = chains[identity]
            if not (chain.used or chain.flight or chain.waiting):
                break
            chain.used = False
            chains.move_to_end(identity)
        self.drop(next(iter(chains)))
