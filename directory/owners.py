"""Who owns which slot: records of the directory unit, written by domain servers, read by the data center.

A record is a hint, never a lock: the epoch in the slot's journal decides. Its timestamp is the epoch, so that of two
owners the later one stays, whichever write arrives last.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from directory.room import OWNER
from directory.slots import slot_key
from storage.unit import Record, Stored, Unit

COLLECTION = OWNER.name
PARTITION = "all"


class Owner(Struct, frozen=True, gc=False):
    """The owner of a slot: where it is called, and since which epoch."""

    address: str
    """host:port of its DomainServer service; empty = given up, nobody serves the slot just now."""
    epoch: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Owner).decode


def owner_record(domain: str, slot: int, owner: Owner) -> Record:
    """Make the record that announces an owner. Put it after the takeover, and with address "" when giving up.

    Giving up keeps the epoch, so its timestamp is one above the announcement's: 2·epoch, then 2·epoch + 1.
    """
    timestamp = 2 * owner.epoch + (0 if owner.address else 1)
    return Record(COLLECTION, PARTITION, slot_key(domain, slot), _encode(owner), timestamp)


def read_owners(stored: Iterable[Stored]) -> dict[str, Owner]:
    """Read the owners in records, by slot key (`GD/3`); slots given up are left out."""
    owners = {one.key: _decode(one.value) for one in stored}
    return {key: owner for key, owner in owners.items() if owner.address}


async def load_owners(unit: Unit) -> dict[str, Owner]:
    """Read all owners. Raises `StoreUnavailable`."""
    owners: dict[str, Owner] = {}
    async for page in unit.scan(COLLECTION, PARTITION):
        owners.update(read_owners(page))
    return owners


async def load_owner(unit: Unit, name: str) -> Owner | None:
    """Read the owner of one slot (`GD/3`); None when it is given up. Raises `StoreUnavailable`."""
    return read_owners((await unit.get(COLLECTION, PARTITION, [name])).values()).get(name)


async def recorded_epoch(unit: Unit, domain: str, slot: int) -> int:
    """Read the epoch of a slot's owner record, given up or not; 0 without one. Raises `StoreUnavailable`."""
    key = slot_key(domain, slot)
    found = await unit.get(COLLECTION, PARTITION, [key])
    return _decode(found[key].value).epoch if key in found else 0


async def announce_owner(unit: Unit, domain: str, slot: int, owner: Owner) -> None:
    """Write one owner record. Raises `StoreUnavailable`; repeat until it is written."""
    await unit.put([owner_record(domain, slot, owner)])
