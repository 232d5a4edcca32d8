"""What the registry says of the contracts that are in force: each one's identity is held by its account, for good.

A holder's record is made by compare-and-set and has no seal of its own (`domainservers.contracts.registry`), so it
is held against the contract, which has one, and which the journals are held against.
"""

import asyncio
from collections.abc import Mapping

from audit.beside import LATE_PAUSE_S, LATE_TRIES
from domainservers.contracts import contracts as contracts_of
from domainservers.contracts.contracts import unpack_contract
from domainservers.contracts.registry import AT_ONCE_MAX, Registry
from storage.unit import Unit


async def check_holders(registry: Registry, shared: Unit, contracts: Mapping[str, str]) -> list[str]:
    """Say which identities (→ account, by the contracts of a shared unit) the registry has otherwise.

    Records are sealed and freed behind the contracts, so where one does not fit yet both are read again, at most
    `LATE_TRIES` times with `LATE_PAUSE_S` between. Changes nothing. Raises `StoreUnavailable`.
    """
    wrong = await _wrong(registry, contracts)
    for _ in range(LATE_TRIES - 1):
        if not wrong:
            break
        await asyncio.sleep(LATE_PAUSE_S)
        wrong = await _wrong(registry, await _in_force(shared, list(wrong)))
    return list(wrong.values())


async def _wrong(registry: Registry, contracts: Mapping[str, str]) -> dict[str, str]:
    """Give what is wrong by identity."""
    wrong: dict[str, str] = {}
    wanted = list(contracts)
    for start in range(0, len(wanted), AT_ONCE_MAX):
        some = wanted[start : start + AT_ONCE_MAX]
        holders = await asyncio.gather(*(registry.holder_for_good(each) for each in some))
        for identity, holder in zip(some, holders, strict=True):
            if holder != contracts[identity]:
                said = f"account {holder}" if holder else "nobody"
                wrong[identity] = (
                    f"contract of {identity}: it is of account {contracts[identity]}, "
                    f"and the registry says that the identity is held by {said}"
                )
    return wrong


async def _in_force(shared: Unit, identities: list[str]) -> dict[str, str]:
    """Read contracts again; those that have ended since are left out."""
    found: dict[str, str] = {}
    for identity in identities:
        stored = await shared.get(contracts_of.COLLECTION, contracts_of.partition_of(identity), [identity])
        if identity in stored:
            contract = unpack_contract(stored[identity].value)
            if contract.status != "ended":
                found[identity] = contract.account_id
    return found
