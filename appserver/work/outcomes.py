"""What comes of commits: replies, predictions that held or didn't, and whose turn it is when an account is free."""

from collections import deque

from appserver.accounts.cache import AccountCache
from appserver.accounts.chain import CommitChain, CommitItem
from appserver.batches.pending import Pending
from appserver.uplink.outgoing import Taker
from appserver.work.answers import answer_done, unexpected
from appserver.work.refusals import UNCERTAIN, Refusals
from charging.errors import Fault, NotFound, Unavailable
from charging.wire import Answer, Done, Failed, Stale
from charging.wire import fault as fault_of

CONTENDED_RETRY_MS = 20


class CommitOutcomes(Taker[CommitItem]):
    """Takes the answers to commits. An account whose last answer has come and that somebody waits for is put to
    `turns`, once."""

    def __init__(
        self,
        turns: deque[CommitChain],
        accounts: AccountCache,
        refusals: Refusals,
        pending: Pending,
        rerate_max: int,
    ) -> None:
        """`rerate_max` is how often a request is rated again because the account had moved on."""
        self._turns = turns
        self._accounts = accounts
        self._refusals = refusals
        self._pending = pending
        self._rerate_max = rerate_max

    def take(self, asked: CommitItem, answer: Answer, size: int) -> None:
        """Settle a commit with its chain, then tell it.

        A stale one is rated again on the data that came with the answer, at most `rerate_max` times.
        """
        if isinstance(answer, Done):
            chain, asked.chain = asked.chain, None
            if chain is not None:
                chain.settle_done(asked, answer)
                self._release(chain)
            answer_done(self._pending, asked, answer)
        elif isinstance(answer, Stale):
            self._take_stale(asked, answer)
        else:
            self.lose(asked, fault_of(answer) if isinstance(answer, Failed) else unexpected(answer))

    def lose(self, asked: CommitItem, fault: Fault) -> None:
        """Settle a commit that was refused, or of which nobody knows."""
        chain, asked.chain = asked.chain, None
        if isinstance(fault, NotFound):
            self._accounts.drop(asked.request.identity)
        if chain is not None:
            # One that moved away has left nothing here that could be rated on.
            moved = fault.reason == "ACCOUNT_MOVED"
            chain.settle_refused(asked, certain=not moved and not isinstance(fault, UNCERTAIN))
            self._release(chain)
        self._refusals.refuse(asked, fault)

    def _take_stale(self, item: CommitItem, stale: Stale) -> None:
        chain, item.chain = item.chain, None
        if chain is None:
            self._refusals.refuse(item, unexpected(stale))
            return
        item.attempts += 1
        again = item.attempts <= self._rerate_max
        chain.settle_stale(item if again else None, stale.data)
        if not again:
            text = f"the account moved on {item.attempts} times while the request was rated"
            self._refusals.refuse(item, Unavailable("ACCOUNT_CONTENDED", text, retry_ms=CONTENDED_RETRY_MS))
        self._release(chain)

    def _release(self, chain: CommitChain) -> None:
        if not chain.flight and chain.release():
            self._turns.append(chain)
