"""Add, replace or end the contract of a member."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.asked import Own
from charging.base.contract import Contract
from charging.errors import Invalid, Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.events import ContractSet
from charging.ledger.standing import require_open
from charging.ledger.within import check_contract


class SetContract(BaseAction, frozen=True, tag="contract"):
    """Add or replace the contract of a member."""

    contract: Annotated[Contract, Own()]
    expected_version: Annotated[int, Own()] = 0
    """Of the contract that it replaces; 0 = whatever it is."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_contract",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return (self.contract.identity,)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Add, replace or (status ended) remove a member's contract."""
        require_open(account)
        contract = self.contract
        check_contract(contract)
        if contract.account_id != account.account_id:
            raise Invalid("ACCOUNT_MISMATCH", f"the contract names account {contract.account_id}")
        known = contract.identity in account.members
        if not known and contract.status == "ended":
            raise Refused("MEMBER_UNKNOWN", "the account has no such member whose contract could end")
        return Effect((ContractSet(replace(contract, version=account.version + 1)),))
