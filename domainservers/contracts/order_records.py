"""Order instances in the shared unit: a partition for each order, a record for each identity that it touched.

They are made from the same journal entries as contracts, and are written before these, so an order that a contract
names can be found. A record is a function of its entry: replay writes it again, and nothing changes.
"""

import msgspec

from charging.base.contract import Contract, OrderLine
from domainservers.base.collections import ORDER
from storage.unit import Record, Unit

COLLECTION = ORDER.name

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(OrderLine).decode


def order_record(contract: Contract, recorded_ms: int) -> Record | None:
    """Make the record of a contract's order; None when it came without one."""
    if not contract.order_id:
        return None
    line = OrderLine(
        contract.order_id,
        contract.identity,
        contract.account_id,
        contract.domain,
        tuple(each.offering for each in contract.subscriptions),
        contract.status,
        recorded_ms,
        contract.version,
    )
    # The version counts within the account, so the account belongs to the key.
    key = f"{contract.identity}/{contract.account_id}"
    return Record(COLLECTION, contract.order_id, key, _pack(line), contract.version)


async def order_lines(unit: Unit, order_id: str) -> list[OrderLine]:
    """Read what an order did, by identity; empty when the unit knows no such order. Raises `StoreUnavailable`."""
    return [_unpack(stored.value) async for page in unit.scan(COLLECTION, order_id) for stored in page]
