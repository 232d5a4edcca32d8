"""Slots: which hash bucket of a domain an account lives in, and how a slot is written ("GD/3").

The hash is part of the data: changing it would move accounts away from their journals.
"""

from zlib import crc32

from charging.errors import Invalid

SLOTS_PER_DOMAIN_MAX = 4_096


def slot_of(name: str, slots: int) -> int:
    """Give the slot of an identity, or of an account that arrives from another domain, among `slots` (at least 1).

    An account is opened in the slot of the identity it is opened under, so the number plan alone finds it, and its id
    says which (`charging.base.account_id`); an identity whose account is elsewhere has an explicit entry.
    """
    return crc32(name.encode()) % slots if slots > 1 else 0


def slot_key(domain: str, slot: int) -> str:
    """Write a slot the way owner records and the wire name it: `GD/3`."""
    return f"{domain}/{slot}"


def parse_slot(key: str) -> tuple[str, int]:
    """Read `GD/3` into domain and slot.

    Raises `Invalid` with reason SLOT_MALFORMED when it is none.
    """
    domain, slash, digits = key.rpartition("/")
    if not slash or not domain or not (digits.isascii() and digits.isdigit()) or int(digits) >= SLOTS_PER_DOMAIN_MAX:
        wanted = f"domain/number, the number below {SLOTS_PER_DOMAIN_MAX}"
        raise Invalid("SLOT_MALFORMED", f"slot {key[:80]!r} is malformed: expected {wanted}", fields={"slot": wanted})
    return domain, int(digits)
