"""Charges, commands and session steps: rated or planned on the account as predicted, then committed at its owner.

What is cached is used as it is, because the owner checks every commit against the state it was rated on.
"""

from appserver.accounts.cache import AccountCache
from appserver.accounts.chain import ChargeItem, CommandItem, CommitChain, CommitItem
from appserver.uplink.outgoing import Outbox
from appserver.work.batch_time import BatchTime
from appserver.work.commands import charge_command, order_command
from appserver.work.library import Library
from appserver.work.outcomes import CommitOutcomes
from appserver.work.pulls import Pulls
from appserver.work.refusals import Refusals
from charging.errors import Invalid, Refused
from charging.ledger.command import Command
from charging.ledger.kinds import Revision
from charging.wire import Commit, pack


class Commits:
    """Brings items that change a known account to its owner; `outcomes` hear what came of it."""

    def __init__(
        self,
        accounts: AccountCache,
        pulls: Pulls,
        library: Library,
        refusals: Refusals,
        outcomes: CommitOutcomes,
        outbox: Outbox,
        time: BatchTime,
        session_validity_ms: int,
    ) -> None:
        """`session_validity_ms` is for how long the units of a step are granted."""
        self._accounts = accounts
        self._pulls = pulls
        self._library = library
        self._refusals = refusals
        self._outcomes = outcomes
        self._outbox = outbox
        self._time = time
        self._session_validity_ms = session_validity_ms

    def step(self, item: CommitItem, turn: bool) -> None:
        """Do the next thing: pull, wait for the account, see whether it may, rate and commit.

        `turn` says that it has waited for its account; whoever comes new stands behind those who wait. Raises what
        rating and planning raise.
        """
        request = item.request
        chain = self._accounts.get(request.identity)
        if chain is None:
            self._pulls.pull(item)
            return
        if chain.is_closed(self._outbox.number) or (chain.waiting and not turn):
            chain.waiting.append(item)
            return
        prediction = chain.prediction
        account = prediction.current(self._time.now_ms)
        contract = prediction.contracts.get(request.identity)
        if account is None or contract is None:
            self._renew(item, chain)
            return
        reference = self._library.get(contract.domain, self._time.now_s)
        if reference is None:
            self._library.want(contract.domain, 0, [item])
            return
        item.reference = reference
        refusal = reference.admit(request, item.batch.principal)
        if refusal is not None:
            self._refusals.fail(item, refusal)
            return
        self._accounts.hits += 1
        now_ms = self._time.now_ms
        try:
            if isinstance(item, ChargeItem):
                command = charge_command(item, account, prediction.confirmed, contract, reference, now_ms)
            else:
                assert isinstance(item, CommandItem)
                command = order_command(item, account, contract, reference, now_ms, self._session_validity_ms)
        except (Invalid, Refused) as fault:
            revises = isinstance(item, CommandItem) and isinstance(item.order, Revision)
            if item.attempts or not (revises or fault.reason == "CONTRACT_SUSPENDED"):
                raise
            item.attempts = 1
            self._renew(item, chain)  # What is said against a contract holds for the newest one only.
            return
        self._commit(item, chain, command)

    def _renew(self, item: CommitItem, chain: CommitChain) -> None:
        """The state can't be said: pull it, though not while commits are under way, whose answers tell it."""
        if chain.flight:
            chain.close()
            chain.waiting.appendleft(item)
        else:
            self._pulls.pull(item)

    def _commit(self, item: CommitItem, chain: CommitChain, command: Command) -> None:
        outbox, identity = self._outbox, item.request.identity
        body = pack(Commit(identity, command))
        place = outbox.add(identity, body, self._outcomes, item, item.batch.deadline)
        # Number first: `place` is of the batch that was filled just now.
        chain.sent(item, place, command, outbox.number, predictable=command.action.traits.predictable)
