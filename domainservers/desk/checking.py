"""Identities that a command lets join an account: whether they can be had, as far as it is known here."""

from charging.base.account import Account
from charging.errors import Fault
from charging.ledger.action import BaseAction
from charging.ledger.admitting import not_kept
from charging.ledger.command import Command, waiting
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.join import Join
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.release_number import ReleaseNumber
from charging.ledger.commands.reopen_account import Reopen
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.effect import NothingDue, VersionMoved
from charging.ledger.giving import check_given
from charging.ledger.kinds import Revision
from charging.ledger.ledger import decide
from charging.ledger.revising import check_basis
from domainservers.base.surroundings import Surroundings
from domainservers.contracts.contracts import Contracts, changed
from domainservers.contracts.registry import identity_taken
from domainservers.desk.answers import identity_elsewhere, served_elsewhere
from domainservers.desk.item import ContractOf, Holders, Joining, Need


class Checking:
    """Holds commands that write contracts against what is known of their identities."""

    def __init__(self, contracts: Contracts, around: Surroundings) -> None:
        self._contracts = contracts
        self._around = around

    def check(self, item: Joining, account: Account | None) -> Need | Fault | None:
        """Say what must be read before the item is decided, or what stands against it.

        The registry is asked last, when nothing else stands against the command: what it gives stays taken. Raises
        `VersionMoved` for a change that was decided on another contract than the newest.
        """
        action, domain = item.command.action, self._around.domain
        if item.refusal is not None:
            return item.refusal
        if isinstance(action, ReceiveTransfer):
            return self._gift(action)
        if isinstance(action, OpenAccount) and action.contract.domain != domain:
            return served_elsewhere(action.contract.domain, domain)
        written = _approved(item.command, account).identities_written(account)
        members = account.members if account is not None and account.terms.status != "moved" else ()
        joining = tuple([identity for identity in written if identity not in members])
        if not item.fresh:
            item.fresh = True
            for identity in joining:
                self._contracts.forget(identity)
        for identity in written:
            if self._contracts.get(identity) is None:
                return ContractOf(identity)  # The new record must be newer than whatever there is.
        if isinstance(action, Revision):
            known = self._contracts.get(action.before.identity) if action.before is not None else None
            check_basis(action, known.contract if known is not None else None)
        if written and account is not None and needs_rest(action, account):
            holder = self._contracts.get(written[0])
            contract = holder.contract if holder is not None else None
            fault = not_kept(contract, account.account_id, self._around.newest_ms)
            if fault is not None:
                return fault
        if isinstance(action, SetContract | Join) and action.expected_version:
            fault = changed(self._contracts.get(written[0]), action.expected_version)
            if fault is not None:
                return fault
        against = self._against(item.command, joining)
        if against is not None or not joining or item.taken:
            return against
        return self._holders(item, account, joining)

    def _gift(self, action: ReceiveTransfer) -> Need | None:
        """Hold the offering that comes with a gift against the contract of its receiver; nobody joins by it."""
        given = action.given()
        if given is None:
            return None
        known = self._contracts.get(given.before.identity)
        if known is None:
            return ContractOf(given.before.identity)
        check_given(given, known.contract)
        return None

    def _against(self, command: Command, joining: tuple[str, ...]) -> Fault | None:
        """Say why an account can't have identities."""
        for identity in joining:
            known = self._contracts.get(identity)
            holder = known.contract if known is not None else None
            if holder is not None and holder.status != "ended" and holder.account_id != command.account_id:
                return identity_taken(holder.account_id)
            domain = self._around.domain_of(identity)
            if domain not in ("", self._around.domain) and not isinstance(command.action, MoveIn):
                return identity_elsewhere(domain, self._around.domain)
        return None

    def _holders(self, item: Joining, account: Account | None, joining: tuple[str, ...]) -> Need | None:
        try:
            decision = decide(account, item.command, self._around.newest_ms)
        except (Fault, VersionMoved, NothingDue):
            return None  # Decided again by the caller, who says why.
        return Holders(joining, decision.account.version)


def _approved(command: Command, account: Account | None) -> BaseAction:
    """Give what a command asks for: of an approval, what it approves."""
    action = command.action
    if isinstance(action, Approve) and not action.reject and account is not None:
        return waiting(account, action.of_key) or action
    return action


def needs_rest(action: BaseAction, account: Account) -> bool:
    """Say whether the identity that an action writes must be one that rests for the account."""
    if isinstance(action, Reopen):
        return account.terms.status == "closed"  # Else something else stands against it.
    return isinstance(action, ReleaseNumber) and action.number not in account.members
