"""An account arrives from another domain, packed, with the contracts of its members."""

import msgspec
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.contract import Contract
from charging.errors import Invalid, Refused
from charging.ledger.action import DATA_CENTER, BaseCreation, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseArrival
from charging.ledger.within import check_contract

PLACES_MAX = 64
"""Of the slots that an account lived in before."""
_unpack_account = msgspec.msgpack.Decoder(Account).decode


class MovedIn(BaseArrival, frozen=True, tag="in"):
    """The account arrived from another domain, in this state, with the contracts of its members."""

    contracts: tuple[Contract, ...]

    rerates = True

    def words(self) -> str:
        """Say where it is."""
        return f"moved in to {self.account.terms.domain}"


class MoveIn(BaseCreation, frozen=True, tag="in"):
    """The account arrives from another domain, packed, with the contracts of its members."""

    account: bytes
    contracts: tuple[Contract, ...]
    domain: str = ""
    """Where it arrives; "" = as its contracts say."""
    came_from: str = ""
    """The slot that it left; "" = it is back where it was."""

    sees_stages = True
    traits = Traits(
        sender=DATA_CENTER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=True,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the members that it brings."""
        return tuple([contract.identity for contract in self.contracts])

    def decide(self, account: Account | None, command: Envelope, now_ms: int) -> Effect:
        """Take in an account; its contracts belong to the new domain from here on."""
        try:
            parcel = _unpack_account(self.account)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise Invalid("PARCEL_MALFORMED", "the account that arrives can't be read") from error
        domain = self.domain or next((contract.domain for contract in self.contracts), "")
        if parcel.account_id != command.account_id or not domain:
            raise Invalid("ACCOUNT_MISMATCH", f"account {parcel.account_id} arrives as {command.account_id}")
        if account is not None and (account.terms.status != "moved" or account.version > parcel.version):
            raise Refused("ACCOUNT_EXISTS", f"account {parcel.account_id} is here")
        for contract in self.contracts:
            check_contract(contract)
        version = max(parcel.version, 0 if account is None else account.version) + 1
        contracts: tuple[Contract, ...] = tuple(
            replace(contract, version=version, domain=domain) for contract in self.contracts
        )
        arrived = parcel.with_terms(domain=domain)
        if self.came_from and self.came_from not in parcel.open.places:
            arrived = arrived.with_open(places=(*parcel.open.places, self.came_from)[-PLACES_MAX:])
        return Effect((MovedIn(arrived, contracts),))
