"""Business data of an account, for the platform that rates on it and for whoever reads a balance."""

from charging import wire
from charging.base.account_id import asked_for
from charging.base.contract import Contract
from charging.errors import Broken
from domainservers.accounts.accounts import Cell
from domainservers.accounts.memory import Memory
from domainservers.base.surroundings import Surroundings
from domainservers.contracts.contracts import Contracts
from domainservers.desk.answers import account_moved, pack_fault, unknown_identity
from domainservers.journal.groups import Groups, ReplySink


class Pulling:
    """Answers from memory; what is not applied yet is waited for."""

    def __init__(self, memory: Memory, contracts: Contracts, groups: Groups, around: Surroundings) -> None:
        self._memory = memory
        self._contracts = contracts
        self._groups = groups
        self._around = around

    def pull(
        self,
        sink: ReplySink,
        place: int,
        identity: str,
        cell: Cell,
        *,
        stale: bool = False,
        moved: bool = False,
        located: bool = False,
    ) -> bool:
        """Answer with business data, as `Stale` when a commit was rated on an older state.

        An account that has moved out is shown to those who ask for it (`moved`), and to no one else; who asks where an
        identity belongs (`located`) is told that alone. False = nothing is
        answered, the identity's contract must be read first.
        """
        known = None
        by_id = bool(asked_for(identity))
        if not by_id:
            known = self._contracts.get(identity)
            if known is None:
                return False
        try:
            account = self._memory.state(cell)
        except Broken as fault:
            self._groups.reply(cell.seq, sink, place, pack_fault(fault))
            return True
        contract = known.contract if known is not None else None
        if account is None or (not by_id and (contract is None or contract.status == "ended")):
            body = unknown_identity(identity)
        elif account.terms.status == "moved" and not moved:
            body = account_moved(account.terms.status_reason)
        elif located:
            body = wire.pack(wire.AccountNamed(cell.account_id))
        else:
            # Who asks by the account's id asks for no subscriber: there is no contract of one in the answer.
            shown = contract or Contract(identity, cell.account_id, account.terms.domain)
            data = wire.BusinessData(shown, account, self._around.revision)
            body = wire.pack(wire.Stale(data) if stale else data)
        self._groups.reply(cell.seq, sink, place, body)
        return True
