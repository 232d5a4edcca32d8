"""Charges, commands and session steps: rated or planned on the account as predicted, then committed at its owner.

What is cached is used as it is, because the owner checks every commit against the state it was rated on.
"""

from appserver.accounts.cache import AccountCache
from appserver.accounts.chain import ChargeItem, CommandItem, CommitChain, CommitItem
from appserver.accounts.receiver import Receiver, receiver_wanted
from appserver.uplink.outgoing import Outbox
from appserver.work.batch_time import BatchTime
from appserver.work.commands import charge_command, order_command
from appserver.work.library import Library
from appserver.work.outcomes import CommitOutcomes
from appserver.work.pulls import Pulls
from appserver.work.refusals import Refusals
from appserver.work.whole import CLOSING_MEMBERS_MAX, member_wanted
from business.vouchers.codes import VoucherKeys
from charging.errors import Invalid, Refused, Unavailable
from charging.ledger.command import Command
from charging.ledger.commands.post_usage import PostUsage
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.kinds import Revision
from charging.wire import Commit, pack

CONTENDED_RETRY_MS = 20
USES_OF_AN_ITEM = 4
"""Of a batch of usage: as many are rated, and taken by the owner, in the time of one charge."""


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
        keys: VoucherKeys,
    ) -> None:
        """`session_validity_ms` is for how long the units of a step are granted; by `keys` vouchers are read."""
        self._accounts = accounts
        self._pulls = pulls
        self._library = library
        self._refusals = refusals
        self._outcomes = outcomes
        self._outbox = outbox
        self._time = time
        self._session_validity_ms = session_validity_ms
        self._keys = keys

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
        reference = self._library.get(contract.domain, item, self._time.now_s)
        if reference is None:
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
                contracts = prediction.contracts
                wanted = member_wanted(item.order, account, contracts, reference, now_ms)
                if wanted:
                    self._pull_member(item, wanted)
                    return
                other = receiver_wanted(item.order)
                if other and not self._find_receiver(item, other):
                    return
                validity_ms, keys = self._session_validity_ms, self._keys
                command = order_command(item, account, contracts, reference, now_ms, validity_ms, keys)
                if isinstance(item.order, PostUsage):
                    self._outbox.weigh(len(item.order.uses) // USES_OF_AN_ITEM)
        except (Invalid, Refused) as fault:
            revises = isinstance(item, CommandItem) and isinstance(item.order, Revision | SetStatus)
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

    def _pull_member(self, item: CommandItem, identity: str) -> None:
        """Wait for the contract of another member. Raises `Unavailable` ACCOUNT_CONTENDED when that never rests."""
        item.members_pulled += 1
        if item.members_pulled > 2 * CLOSING_MEMBERS_MAX:
            self._accounts.drop(item.request.identity)  # What is known of its members may be old.
            text = "members of the account changed while their contracts were asked for"
            raise Unavailable("ACCOUNT_CONTENDED", text, retry_ms=CONTENDED_RETRY_MS)
        self._pulls.pull(item, identity)

    def _find_receiver(self, item: CommandItem, identity: str) -> bool:
        """Get who is given something; False = the item waits for that. Raises `Unavailable` ACCOUNT_CONTENDED."""
        # Asked for once at least: what is cached may be old, and the owner who decides on it is another one.
        chain = self._accounts.get(identity) if item.members_pulled else None
        account = chain.prediction.current(self._time.now_ms) if chain is not None else None
        contract = chain.prediction.contracts.get(identity) if chain is not None else None
        if account is None or contract is None:
            self._pull_member(item, identity)
            return False
        reference = self._library.get(contract.domain, item, self._time.now_s)
        if reference is None:
            return False
        item.receiver = Receiver(account, contract, reference)
        return True

    def _commit(self, item: CommitItem, chain: CommitChain, command: Command) -> None:
        outbox, identity = self._outbox, item.request.identity
        body = pack(Commit(identity, command))
        place = outbox.add(identity, body, self._outcomes, item, item.batch.deadline)
        # Number first: `place` is of the batch that was filled just now.
        chain.sent(item, place, command, outbox.number, predictable=command.action.traits.predictable)
