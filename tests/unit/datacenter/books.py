"""What scripted domain servers keep, decided with the real ledger."""

from charging import wire
from charging.base.account import Account
from charging.base.account_id import compose
from charging.base.contract import Contract
from charging.errors import Fault
from charging.ledger.command import Command
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.remember import Remember
from charging.ledger.commands.top_up import TopUp
from charging.ledger.ledger import decide
from testkit.ledger import changed

MOBILE = "msisdn:8613000000001"
ACCOUNT = compose("GD/0", MOBILE)
BROADBAND = "broadband:gd0001@adsl"


class Books:
    """What two scripted domain servers keep: accounts by slot, contracts for the country, outcomes by key."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, str], Account] = {}
        self.contracts: dict[str, Contract] = {}
        self.outcomes: dict[tuple[str, str], bytes] = {}
        self.calls: list[str] = []
        self.hold: set[str] = set()
        """Kinds of action that are left without an answer."""

    def open(self, slot: str, *members: str) -> None:
        account_id = compose(slot, members[0])
        contract = Contract(members[0], account_id, slot.partition("/")[0])
        action = OpenAccount(account_id, "c1", "prepaid", "CNY", 0, 1, contract, (), {}, {}, ())
        account = decide(None, self._command(account_id, "open", action), 1).account
        account = decide(
            account, self._command(account_id, "top", TopUp("", "money", 50, 0, 100, "", "deposit")), 1
        ).account
        self.accounts[slot, account_id] = changed(account, members=members)
        for member in members:
            self.contracts[member] = Contract(member, account_id, slot.partition("/")[0])

    @staticmethod
    def _command(account_id: str, key: str, action: OpenAccount | TopUp) -> Command:
        return Command(account_id, key, b"0" * 16, "tests", "front", 1, action)

    def __call__(self, slot: str, body: bytes) -> bytes | None:
        ask = wire.unpack_ask(body)
        if isinstance(ask, wire.Pull):
            return self._pull(slot, ask)
        if isinstance(ask, wire.FetchOutcomes):
            kept = [
                wire.KeptOutcome(key, b"", packed) for (where, key), packed in self.outcomes.items() if where == slot
            ]
            return wire.pack(wire.Outcomes(tuple(reversed(kept))))
        assert isinstance(ask, wire.Commit)
        kind = type(ask.command.action).__name__
        self.calls.append(f"{kind} {slot}")
        if kind in self.hold:
            return None
        return self._commit(slot, ask.command)

    def _pull(self, slot: str, ask: wire.Pull) -> bytes:
        contract = self.contracts.get(ask.identity)
        account = self.accounts.get((slot, contract.account_id)) if contract is not None else None
        if contract is None or account is None:
            return wire.pack(wire.Failed("not_found", "IDENTITY_UNKNOWN", "no contract"))
        if account.terms.status == "moved" and not ask.moved:
            return wire.pack(wire.Failed("unavailable", "ACCOUNT_MOVED", "moved", retry_ms=50))
        return wire.pack(wire.BusinessData(contract, account, 0))

    def _commit(self, slot: str, command: Command) -> bytes:
        where = (slot, command.account_id)
        stored = self.outcomes.get((slot, command.key))
        if stored is not None:
            return stored
        if isinstance(command.action, Remember):
            self.outcomes[slot, command.key] = command.action.outcome
            return command.action.outcome
        try:
            decision = decide(self.accounts.get(where), command, 1)
        except Fault as fault:
            return wire.pack(wire.failed(fault))
        self.accounts[where] = decision.account
        for event in decision.events:
            if isinstance(event, MovedIn):
                self.contracts |= {contract.identity: contract for contract in event.contracts}
        packed = self.outcomes[slot, command.key] = wire.pack(decision.done)
        return packed
