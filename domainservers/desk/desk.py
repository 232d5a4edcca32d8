"""The heart of a slot: decides commits on the state in memory. Synchronous, so nothing comes between check and change.

Decisions are speculative: they see what was decided before them, journaled or not. Every answer that rests on a group
is released when the group is applied (`Groups.reply`), so no caller ever sees what could still be lost.
"""

from collections.abc import Callable

from msgspec import Raw
from msgspec.structs import force_setattr

from charging import wire
from charging.base.account import Account
from charging.base.account_id import asked_for
from charging.base.contract import Contract
from charging.errors import Broken, Denied, Fault, Invalid, NotFound, Refused
from charging.ledger.action import BaseCreation
from charging.ledger.approvals import outcome_now, pending
from charging.ledger.command import Command
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.propose import Propose
from charging.ledger.commands.remember import Remember
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.decision import Decision
from charging.ledger.effect import VersionMoved
from charging.ledger.entry import Entry
from charging.ledger.kinds import TAGS, Action, Event
from charging.ledger.ledger import decide
from charging.ledger.outcome import ChargedFact
from charging.ledger.permission import Policy
from domainservers.accounts.accounts import Accounts, Cell
from domainservers.accounts.watch import Watch
from domainservers.base.clock import Clock
from domainservers.contracts.contracts import Contracts, changed, contracts_in
from domainservers.contracts.registry import identity_taken
from domainservers.desk.amounts import hold_amount
from domainservers.desk.item import (
    Item,
    Need,
    account_moved,
    identity_elsewhere,
    key_reused,
    pack_fault,
    served_elsewhere,
    stored,
    told_again,
    told_by_account,
    unknown_identity,
)
from domainservers.desk.naming import has_next_name
from domainservers.journal.framing import account_mark
from domainservers.journal.groups import DEFECTS, Groups, Sink
from domainservers.journal.keys import POSITIONS_PER_GROUP, KeyIndex
from domainservers.journal.quarantine import Aside, Quarantine, damaged
from runtime.telemetry import logger

log = logger("domainservers.desk.desk")


class Desk:
    """State of a slot and what may be done to it."""

    def __init__(
        self,
        accounts: Accounts,
        contracts: Contracts,
        keys: KeyIndex,
        groups: Groups,
        watch: Watch,
        quarantine: Quarantine,
        clock: Clock,
        revision: Callable[[], int],
        domain: str,
        policy: Callable[[], Policy],
        domain_of: Callable[[str], str],
    ) -> None:
        """`domain_of` says to which domain the directory routes an identity, "" = to none that it knows."""
        self.accounts = accounts
        self.contracts = contracts
        self.keys = keys
        self.groups = groups
        self.watch = watch
        self.quarantine = quarantine
        self.newest_ms = 0
        """Time of the newest entry; time never runs backwards in a journal, whatever the owners' clocks say."""
        self._clock = clock
        self._ask_revision = revision
        self._revision = 0
        """Reference revision of the domain."""
        self.domain = domain
        self.policy = policy()
        """Grants of the directory, as this owner knows it."""
        self._ask_policy = policy
        self._domain_of = domain_of

    def look_around(self) -> None:
        """Look at the clock and at the reference revision, once before all that is decided in one go."""
        now_ms = self._clock.now_ms()
        if now_ms > self.newest_ms:
            self.newest_ms = now_ms
        self._revision = self._ask_revision()
        self.policy = self._ask_policy()

    def commit(self, item: Item, cell: Cell) -> Need | None:
        """Decide a commit, or repeat its outcome. Gives what must be read first, None when it is done."""
        if self.quarantine.rows and self.quarantine.holds(item.command.account_id):
            item.sink.answer(item.place, pack_fault(damaged(item.command.account_id)))
            return None
        keys = self.keys
        position = keys.recent.get(item.mark, -1)
        if position < 0:
            position = item.old_position if item.generation == keys.generation else keys.find(item.mark)
        if position >= 0 and position != item.cleared:
            return self._repeat(item, cell, position)
        command = item.command
        kind = type(command.action)
        try:
            account = self.state(cell)
        except Broken as fault:
            item.sink.answer(item.place, pack_fault(fault))
            return None
        if kind is OpenAccount and account is not None and has_next_name(item, account):
            return Need.NAME
        if account is None:
            if not issubclass(kind, BaseCreation):
                item.sink.answer(item.place, unknown_identity(item.identity))
                return None
        elif account.status == "moved" and not kind.traits.ports:
            self.reply(item, cell, account_moved(account.status_reason))
            return None
        elif (
            item.identity not in account.members
            and not item.internal
            and not issubclass(kind, BaseCreation)
            and (kind.traits.of_subscribers or asked_for(item.identity) != account.account_id)
        ):
            self.reply(item, cell, unknown_identity(item.identity))
            return None
        if isinstance(command.action, Remember):
            self._note(item, cell, account, command.action.outcome, command.action.charged)
            return None
        if kind is not PostCharge:
            told = told_by_account(account, command.key, command.digest)
            if told is not None:
                self.reply(item, cell, told)
                return None
            need = self._check_slow(item, account, command.action)
            if need is not None:
                return need
            if item.fault is None and item.permission is not None:
                hold_amount(item, account, item.permission)
                command = item.command
            if item.fault is not None:
                self._deny(item, cell, account, item.fault)
                return None
        return self._decide(item, cell, account, command)

    def _decide(self, item: Item, cell: Cell, account: Account | None, command: Command) -> Need | None:
        try:
            decision = decide(account, command, self.newest_ms)
        except VersionMoved:
            return self.pull(item.sink, item.place, item.identity, cell, stale=item)
        except (Refused, Invalid, NotFound, Denied, Broken) as fault:
            self._deny(item, cell, account, fault)
        except Exception:
            log.exception("a command could not be decided", kind=TAGS[type(command.action)])
            self.reply(item, cell, pack_fault(Broken("COMMAND_FAILED", "the command could not be decided")))
        else:
            self._accept(item, cell, account, decision)
        return None

    def _check_slow(self, item: Item, account: Account | None, action: Action) -> Need | None:
        """Look after what only some commands need: the charge to refund, and who has the identity now."""
        item.fault = item.refusal
        if action.original_key():
            return Need.ORIGINAL
        if item.fault is not None:
            return None
        if isinstance(action, OpenAccount) and action.contract.domain != self.domain:
            item.fault = served_elsewhere(action.contract.domain, self.domain)
            return None
        written = action.identities_written(account)
        for identity in written:
            if self.contracts.get(identity) is None:
                item.missing = identity  # The new record must be newer than whatever there is.
                return Need.CONTRACT
        if isinstance(action, SetContract) and action.expected_version:
            item.fault = changed(self.contracts.get(action.contract.identity), action.expected_version)
            if item.fault is not None:
                return None
        members = account.members if account is not None and account.status != "moved" else ()
        joining = tuple([identity for identity in written if identity not in members])
        item.fault = self._not_to_be_had(item.command, joining)
        return self._take(item, account, joining) if joining and not item.taken and item.fault is None else None

    def _not_to_be_had(self, command: Command, joining: tuple[str, ...]) -> Fault | None:
        """Say why an account can't have identities, as far as it is known here."""
        for identity in joining:
            known = self.contracts.get(identity)
            holder = known.contract if known is not None else None
            if holder is not None and holder.status != "ended" and holder.account_id != command.account_id:
                return identity_taken(holder.account_id)
            domain = self._domain_of(identity)
            if domain not in ("", self.domain) and not isinstance(command.action, MoveIn):
                return identity_elsewhere(domain, self.domain)
        return None

    def _take(self, item: Item, account: Account | None, joining: tuple[str, ...]) -> Need | None:
        """Let identities be taken in the registry, when nothing else stands against the command."""
        try:
            decision = decide(account, item.command, self.newest_ms)
        except (Fault, VersionMoved):
            return None  # Decided again by the caller, who says why.
        item.taking = joining, decision.account.version
        return Need.HOLDER

    def _accept(self, item: Item, cell: Cell, before: Account | None, decision: Decision) -> None:
        done = decision.done
        force_setattr(done, "revision", self._revision)
        try:
            outcome = wire.pack(pending(item.command.key) if type(item.command.action) is Propose else done)
            seq = self._keep(item, cell, decision.account.version, decision.events, outcome)
        except Invalid as refused:
            self._not_kept(item, cell, refused)
            return
        except OverflowError:
            self._not_kept(item, cell, Broken("COMMAND_FAILED", "the outcome has numbers that can't be told"))
            return
        after = decision.account
        if decision.events:
            self.accounts.change(cell, after, seq)
        else:
            self.accounts.touch(cell, seq)
        if after.sessions or after.outgoing or (before is not None and (before.sessions or before.outgoing)):
            self.watch.look(after, before)
        if type(item.command.action) is not PostCharge:
            for contract in contracts_in(decision.events):
                self.groups.open.changed.append(self.contracts.set(contract, self.newest_ms))

    def _deny(self, item: Item, cell: Cell, account: Account | None, fault: Fault) -> None:
        """Answer with a fault; what the business says is kept under the key, a mistake is not."""
        if isinstance(fault, Refused):
            self._note(item, cell, account, pack_fault(fault))
        else:
            self.reply(item, cell, pack_fault(fault))

    def _note(
        self, item: Item, cell: Cell, account: Account | None, outcome: bytes, charged: ChargedFact | None = None
    ) -> None:
        """Keep an outcome under its key that leaves the account as it is."""
        version = account.version if account is not None else 0
        try:
            self.accounts.touch(cell, self._keep(item, cell, version, (), outcome, charged))
        except Invalid as refused:
            self._not_kept(item, cell, refused)

    def _not_kept(self, item: Item, cell: Cell, fault: Fault) -> None:
        """Answer what the journal can't take: nothing was done."""
        log.error("nothing is kept of a command", kind=TAGS[type(item.command.action)], reason=fault.reason)
        self.reply(item, cell, pack_fault(fault))

    def _keep(
        self,
        item: Item,
        cell: Cell,
        version: int,
        events: tuple[Event, ...],
        outcome: bytes,
        charged: ChargedFact | None = None,
    ) -> int:
        """Put the entry into the open group, its answer waiting with it."""
        command = item.command
        groups = self.groups
        entry = Entry(
            command.account_id,
            command.key,
            command.digest,
            version,
            cell.seq,
            self.newest_ms,
            TAGS[type(command.action)],
            item.identity,
            command.actor,
            command.channel,
            events,
            Raw(outcome),
            charged,
            command.principal,
        )
        self.keys.add(item.mark, groups.add(entry))
        group = groups.open
        group.waiters.append((item.sink, item.place, outcome))
        return group.seq

    def _repeat(self, item: Item, cell: Cell, position: int) -> Need | None:
        entry = item.found or self.groups.entry_at(position)
        item.found = None
        if entry is None:
            item.old_position = position
            return Need.OUTCOME
        command = item.command
        if entry.account_id != command.account_id or entry.key != command.key:
            item.cleared = position
            return self.commit(item, cell)
        if entry.digest != command.digest:
            item.sink.answer(item.place, pack_fault(key_reused()))
            return None
        decided = outcome_now(self.accounts.state(cell), command.key)
        if decided is not None:
            self.groups.reply(cell.seq, item.sink, item.place, told_again(decided))
            return None
        body = stored(entry, self.domain, self.accounts.state(cell))
        self.groups.reply(position // POSITIONS_PER_GROUP, item.sink, item.place, body)
        return None

    def pull(
        self, sink: Sink, place: int, identity: str, cell: Cell, stale: Item | None = None, *, moved: bool = False
    ) -> Need | None:
        """Answer with business data; as `Stale` when a commit was rated on an older state.

        An account that has moved out is shown to those who ask for it (`moved`), and to no one else.
        """
        if asked_for(identity):
            self._pull_by_id(sink, place, identity, cell, moved=moved)
            return None
        known = self.contracts.get(identity)
        if known is None:
            if stale is not None:
                stale.missing = identity
            return Need.CONTRACT
        contract = known.contract
        try:
            account = self.state(cell)
        except Broken as fault:
            self.groups.reply(cell.seq, sink, place, pack_fault(fault))
            return None
        if account is None or contract is None or contract.status == "ended":
            body = unknown_identity(identity)
        elif account.status == "moved" and not moved:
            body = account_moved(account.status_reason)
        else:
            data = wire.BusinessData(contract, account, self._revision)
            body = wire.pack(data if stale is None else wire.Stale(data))
        self.groups.reply(cell.seq, sink, place, body)
        return None

    def state(self, cell: Cell) -> Account | None:
        """Give the newest state of an account. Raises `Broken` ACCOUNT_DAMAGED when it is kept back, or unreadable."""
        account_id = cell.account_id
        if self.quarantine.rows and self.quarantine.holds(account_id):
            raise damaged(account_id)
        try:
            return self.accounts.state(cell)
        except DEFECTS as error:
            mark, position = account_mark(account_id), max(cell.seq, 0) * POSITIONS_PER_GROUP
            self.quarantine.add(Aside(position, mark, account_id, f"its snapshot can't be read: {error}", True))
            raise damaged(account_id) from error

    def _pull_by_id(self, sink: Sink, place: int, identity: str, cell: Cell, *, moved: bool) -> None:
        """Answer with the business data of an account that is asked for by its id: there is no subscriber in it."""
        try:
            account = self.state(cell)
        except Broken as fault:
            self.groups.reply(cell.seq, sink, place, pack_fault(fault))
            return
        if account is None:
            body = unknown_identity(identity)
        elif account.status == "moved" and not moved:
            body = account_moved(account.status_reason)
        else:
            body = wire.pack(
                wire.BusinessData(Contract(identity, cell.account_id, account.domain), account, self._revision)
            )
        self.groups.reply(cell.seq, sink, place, body)

    def reply(self, item: Item, cell: Cell, body: bytes) -> None:
        """Answer with something that rests on the account's newest state."""
        self.groups.reply(cell.seq, item.sink, item.place, body)
