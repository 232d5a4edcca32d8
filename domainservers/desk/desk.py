"""The heart of a slot: decides commits on the state in memory. Synchronous, so nothing comes between check and change.

Decisions are speculative: they see what was decided before them, journaled or not. Every answer that rests on a group
is released when the group is applied (`Groups.reply`), so no caller ever sees what could still be lost.
"""

from functools import partial

from msgspec.structs import force_setattr

from charging import wire
from charging.base.account import Account
from charging.base.account_id import asked_for
from charging.base.subject import kind_of
from charging.errors import Broken, Denied, Fault, Invalid, NotFound, Refused
from charging.ledger.action import BaseCreation
from charging.ledger.answering import answer_of
from charging.ledger.command import Command
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.remember import Remember
from charging.ledger.decision import Decision
from charging.ledger.effect import NothingDue, VersionMoved
from charging.ledger.kinds import TAGS
from charging.ledger.ledger import decide
from charging.ledger.outcome import unchanged
from domainservers.accounts.accounts import Cell
from domainservers.accounts.memory import Memory
from domainservers.base.surroundings import Surroundings
from domainservers.bills.bills import SlotBills
from domainservers.contracts.contracts import Contracts, contracts_in
from domainservers.contracts.customers import CustomerIndex
from domainservers.desk.amounts import hold_amount
from domainservers.desk.answers import account_moved, pack_fault, told_by_account, unknown_identity
from domainservers.desk.checking import Checking
from domainservers.desk.entries import Entries
from domainservers.desk.item import AccountOpening, ContractOf, Item, Joining, Need, Original, OtherLane
from domainservers.desk.naming import has_next_name
from domainservers.desk.pulling import Pulling
from domainservers.desk.repeating import Repeating
from domainservers.journal.groups import Groups
from domainservers.journal.keys import KeyIndex
from runtime.telemetry import logger

log = logger("domainservers.desk.desk")
_FAILED = pack_fault(Broken("COMMAND_FAILED", "the command could not be decided"))


class SlotDesk:
    """What may be done to the state of a slot."""

    def __init__(
        self,
        memory: Memory,
        contracts: Contracts,
        keys: KeyIndex,
        groups: Groups,
        around: Surroundings,
        entries: Entries,
        repeating: Repeating,
        checking: Checking,
        pulling: Pulling,
        bills: SlotBills,
        customers: CustomerIndex,
    ) -> None:
        self._memory = memory
        self._contracts = contracts
        self._keys = keys
        self._groups = groups
        self._around = around
        self._entries = entries
        self._repeating = repeating
        self._checking = checking
        self._pulling = pulling
        self._bills = bills
        self._customers = customers

    def commit(self, item: Item, cell: Cell) -> Need | None:
        """Decide a commit, or repeat its outcome. Gives what must be read first, None when it is done."""
        try:
            account = self._memory.state(cell)
        except Broken as fault:
            item.sink.answer(item.place, pack_fault(fault))
            return None
        keys = self._keys
        position = keys.recent.get(item.mark, -1)
        if position < 0:
            position = item.old_position if item.generation == keys.generation else keys.find(item.mark)
        if position >= 0 and position != item.cleared:
            need = self._repeating.repeat(item, cell, account, position)
            if need is not None or position != item.cleared:
                return need
        if (
            account is not None
            and item.identity in account.members
            and account.terms.status != "moved"
            and type(item.command.action) is PostCharge
        ):
            return self._decide(item, cell, account, item.command)  # Nothing else of it is to be looked after.
        if isinstance(item, AccountOpening) and account is not None and has_next_name(item, account):
            return OtherLane()
        body = self._not_for(item, account)
        if body is None:
            return self._commit_other(item, cell, account)
        self._entries.reply(item, cell, body)
        return None

    def _not_for(self, item: Item, account: Account | None) -> bytes | None:
        """Give the answer to a command that is not for this account; None when it is."""
        action = item.command.action
        if account is None:
            creates = isinstance(action, BaseCreation) and not kind_of(item.command.account_id)
            return None if creates else unknown_identity(item.identity)
        if account.terms.status == "moved" and not action.traits.ports:
            return account_moved(account.terms.status_reason)
        if item.identity in account.members or item.internal or isinstance(action, BaseCreation):
            return None
        by_id = asked_for(item.identity) == account.account_id and not action.traits.of_subscribers
        return None if by_id else unknown_identity(item.identity)

    def _commit_other(self, item: Item, cell: Cell, account: Account | None) -> Need | None:
        """Look after what not every command needs, then decide."""
        command = item.command
        action = command.action
        if isinstance(action, Remember):
            self._entries.note(item, cell, account, action.outcome, action.charged)
            return None
        told = told_by_account(account, command.key, command.digest)
        if told is not None:
            self._entries.reply(item, cell, told)
            return None
        if original_key := action.original_key():
            return Original(original_key)
        try:
            found = self._checking.check(item, account) if isinstance(item, Joining) else None
        except VersionMoved:
            return self._tell_stale(item, cell)
        except Refused as fault:
            found = fault
        if isinstance(found, Need):
            return found
        if found is None and item.permission is not None:
            found = hold_amount(item, account, item.permission)
        if found is not None:
            self._deny(item, cell, account, found)
            return None
        return self._decide(item, cell, account, self._bills.prepared(item.command, account, self._around.newest_ms))

    def _decide(self, item: Item, cell: Cell, account: Account | None, command: Command) -> Need | None:
        try:
            decision = decide(account, command, self._around.newest_ms)
        except VersionMoved:
            return self._tell_stale(item, cell)
        except NothingDue:
            self._entries.reply(item, cell, wire.pack(unchanged(command.account_id, account, self._around.revision)))
        except (Refused, Invalid, NotFound, Denied, Broken) as fault:
            self._deny(item, cell, account, fault)
        except Exception:
            log.exception("a command could not be decided", kind=TAGS[type(command.action)])
            self._entries.reply(item, cell, _FAILED)
        else:
            self._accept(item, cell, account, decision)
        return None

    def _tell_stale(self, item: Item, cell: Cell) -> Need | None:
        told = self._pulling.pull(item.sink, item.place, item.identity, cell, stale=True)
        return None if told else ContractOf(item.identity)

    def _accept(self, item: Item, cell: Cell, before: Account | None, decision: Decision) -> None:
        """Journal what was decided and set the state: both or neither."""
        done = decision.done
        force_setattr(done, "revision", self._around.revision)
        try:
            outcome = wire.pack(done if type(item.command.action) is PostCharge else answer_of(item.command, done))
            seq = self._entries.keep(item, cell, decision.account.version, decision.events, outcome)
        except Invalid as refused:
            self._entries.not_kept(item, cell, refused)
            return
        except OverflowError:
            self._entries.not_kept(item, cell, Broken("COMMAND_FAILED", "the outcome has numbers that can't be told"))
            return
        if not decision.events:
            self._memory.touch(cell, seq)
            return
        self._memory.change(cell, before, decision.account, seq)
        if type(item.command.action) is not PostCharge:
            now_ms = self._around.newest_ms
            if known := [self._contracts.set(each, now_ms) for each in contracts_in(decision.events)]:
                self._groups.when_applied(partial(self._contracts.applied, known))
            self._bills.decided(decision.events, now_ms, self._groups.when_applied)
            self._customers.decided(decision.events, decision.account.version, now_ms, self._groups.when_applied)

    def _deny(self, item: Item, cell: Cell, account: Account | None, fault: Fault) -> None:
        """Answer with a fault; what the business says is kept under the key, a mistake is not."""
        if isinstance(fault, Refused):
            self._entries.note(item, cell, account, pack_fault(fault))
        else:
            self._entries.reply(item, cell, pack_fault(fault))
