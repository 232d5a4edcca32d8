"""The keys of the evidence: what whoever has only the database can't make anew.

A ring holds 32-byte secrets, oldest first; the newest one chains and seals, the others stay to be read with. A group in
a store begins with the id of its key, so a chain needs no other hint after a rotation; within one chain keys only get
younger, so a retired secret that leaked can't continue it.
"""

import secrets
from collections.abc import Sequence
from hashlib import blake2b

ID_BYTES = 8
SECRET_BYTES = 32
TIP_BYTES = 32
SEAL_BYTES = ID_BYTES + 16
_GROUP, _SEAL, _NAME = b"onetier group", b"onetier seal", b"onetier key id"


class Unproven(Exception):
    """What was read was not written with a key of the ring. The message says why."""


class ChainKey:
    """One secret and what is made with it."""

    __slots__ = ("_group", "_seal", "key_id", "secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"a key has {SECRET_BYTES} bytes, this one {len(secret)}")
        self.secret = secret
        self.key_id = blake2b(secret, digest_size=ID_BYTES, person=_NAME).digest()
        # Prepared once: a group costs one copy of the state, as cheap as no key.
        self._group = blake2b(key=secret, digest_size=TIP_BYTES, person=_GROUP)
        self._seal = blake2b(key=secret, digest_size=SEAL_BYTES - ID_BYTES, person=_SEAL)

    def next_tip(self, tip: bytes, stored: bytes) -> bytes:
        """Give the tip (32 bytes) after a group as it is stored, its key's id included."""
        state = self._group.copy()
        state.update(tip)
        state.update(stored)
        return state.digest()

    def seal(self, text: bytes) -> bytes:
        """Give the seal of a text: the key's id, and 16 bytes that only its secret makes."""
        state = self._seal.copy()
        state.update(text)
        return self.key_id + state.digest()


class KeyRing:
    """Keys, oldest first: the newest chains and seals, the others are read with."""

    def __init__(self, keys: Sequence[ChainKey]) -> None:
        if not keys:
            raise ValueError("a ring has at least one key")
        self.keys = tuple(keys)
        self.current = self.keys[-1]
        self._age = {key.key_id: age for age, key in enumerate(self.keys)}

    def __reduce__(self) -> tuple[object, ...]:
        """Travel to the processes of an audit as secrets."""
        return ring_of, ([key.secret for key in self.keys],)

    def stored(self, payload: bytes) -> bytes:
        """Make of a payload what a store keeps: the current key's id (8 bytes) before it."""
        return self.current.key_id + payload

    def age(self, key_id: bytes) -> int:
        """Give the place of a key in the ring. Raises `Unproven` when it is not there."""
        found = self._age.get(key_id)
        if found is None:
            raise Unproven(f"its key {key_id.hex()} is not in the key file: restore the file, or this is not our data")
        return found

    def seal(self, text: bytes) -> bytes:
        """Seal a text with the current key."""
        return self.current.seal(text)

    def holds(self, text: bytes, seal: bytes) -> bool:
        """Whether a seal is that of this text. Raises `Unproven` when its key is not in the ring."""
        return secrets.compare_digest(self.keys[self.age(seal[:ID_BYTES])].seal(text), seal)

    def follow(self, tip: bytes) -> "Chain":
        """Begin to verify a chain from a tip on."""
        return Chain(self, tip)


class Chain:
    """Follows the groups of a chain: gives each payload, and stands at the tip after it."""

    __slots__ = ("_age", "_ring", "tip")

    def __init__(self, ring: KeyRing, tip: bytes) -> None:
        self._ring = ring
        self._age = 0
        self.tip = tip

    def take(self, stored: bytes) -> bytes:
        """Take the next group as stored, and give its payload. Raises `Unproven`."""
        age = self._ring.age(stored[:ID_BYTES])
        if age < self._age:
            raise Unproven("it was chained with a key that an earlier group had replaced")
        self._age = age
        self.tip = self._ring.keys[age].next_tip(self.tip, stored)
        return stored[ID_BYTES:]


def payload_of(stored: bytes) -> bytes:
    """Give the payload of a stored group without proof: a chain that was verified stands behind it."""
    return stored[ID_BYTES:]


def ring_of(made: Sequence[bytes]) -> KeyRing:
    """Make a ring of secrets, oldest first."""
    return KeyRing([ChainKey(secret) for secret in made])


def fresh_ring() -> KeyRing:
    """Make a ring of one new key, from the system's source of randomness."""
    return ring_of([secrets.token_bytes(SECRET_BYTES)])


PROCESS_RING = fresh_ring()
"""For units that live and die with this process. What it chained nobody can read afterwards, so it is no default that
could be forgotten in the field."""
