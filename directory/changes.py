"""What the control log says: amendments made of changes, as msgpack structs. They are kept for ever, so they only grow.

An amendment takes effect as a whole or not at all. Its key makes it happen once.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec
from msgspec import Struct

from charging.ledger.permission import Grant


class NumberPlan(Struct, frozen=True, array_like=True, tag="plan"):
    """Replaces the whole national number plan: prefix of E.164 digits (without +) → domain code.

    All or nothing: a range that is left out is served by nobody from this revision on. The longest prefix decides.
    """

    ranges: dict[str, str]


class RangeSet(Struct, frozen=True, array_like=True, tag="range", gc=False):
    """One range of the number plan: put in, led to another domain, or taken out; the others stay as they are."""

    prefix: str
    domain: str = ""
    remove: bool = False


class DirectoryEntry(Struct, frozen=True, array_like=True, tag="entry", gc=False):
    """Where one identity is served, whatever the number plan says; `remove` gives it back to the plan.

    Written for numbers that were ported, and for accounts whose members are at home in several domains.
    """

    identity: str
    domain: str = ""
    slot: int = 0
    """Slot of the account that the identity belongs to."""
    remove: bool = False


class Domain(Struct, frozen=True, array_like=True, tag="domain", gc=False):
    """A region. Its number of slots never changes, since accounts hash into them."""

    code: str
    name: str
    time_zone: str
    """IANA zone for time bands."""
    slots: int
    shared_unit: str
    """Name of a `UnitAddress`."""
    private_unit: str


class UnitAddress(Struct, frozen=True, array_like=True, tag="unit", gc=False):
    """A named storage unit. A new address for a known name changes hosts and options only.

    Store, file and keyspace of a unit in use are moved by `onetier unit move`, which takes along what is in it.
    """

    name: str
    url: str


class Channel(Struct, frozen=True, array_like=True, tag="channel", gc=False):
    """An access channel of the shared unit."""

    code: str
    name: str
    is_open: bool = True
    partners_only: bool = False
    """Requests must name a known, active partner."""
    remove: bool = False
    """It is no more."""


class Partner(Struct, frozen=True, array_like=True, tag="partner", gc=False):
    """A partner who may send requests through channels of partners."""

    code: str
    name: str
    active: bool = True
    remove: bool = False
    """It is no more."""


class CatalogueVersion(Struct, frozen=True, array_like=True, tag="catalogue", gc=False):
    """Publishes a catalogue: national (domain "") or a region's overrides. A published version never changes."""

    domain: str
    version: int
    effective_from_ms: int
    content: bytes
    """`charging.catalogue.document` packed; checked by whoever publishes."""


class PortBegun(Struct, frozen=True, array_like=True, tag="port", gc=False):
    """An account is on its way to another domain; written before the first step, so that anyone can finish it."""

    key: str
    """Request key of the port."""
    identity: str
    account_id: str
    from_domain: str
    from_slot: int
    to_domain: str
    actor: str
    principal: str = ""
    """Who ordered it, as authenticated."""


class PortEnded(Struct, frozen=True, array_like=True, tag="ported", gc=False):
    """The port is over: the entries of the same amendment point to the new domain, or it failed and nothing moved."""

    key: str
    failure: bytes = b""
    """`wire.Failed` packed when the old or new owner refused for good; a repeat of the key is answered with it."""


class GrantSet(Struct, frozen=True, array_like=True, tag="grant"):
    """What a role or a principal may do, under a name of its own; see `charging.ledger.permission`."""

    grant_id: str
    grant: Grant
    remove: bool = False


class AmendmentProposed(Struct, frozen=True, array_like=True, tag="proposed"):
    """Changes that wait for a second principal; the key is that of the amendment that holds this."""

    content: bytes
    """The changes, packed by `pack_changes`."""


class AmendmentDecided(Struct, frozen=True, array_like=True, tag="decided", gc=False):
    """Another principal has approved what waited under a key, which takes effect here, or has rejected it.

    Checked again at the state that it follows: what was proposed may have become wrong meanwhile.
    """

    of_key: str
    reject: bool = False


Change = (
    NumberPlan
    | DirectoryEntry
    | Domain
    | UnitAddress
    | Channel
    | Partner
    | CatalogueVersion
    | PortBegun
    | PortEnded
    | GrantSet
    | AmendmentProposed
    | AmendmentDecided
    | RangeSet
)


class Amendment(Struct, frozen=True, array_like=True):
    """Changes that take effect together, in their order: later ones see what earlier ones made."""

    actor: str
    time_ms: int
    changes: tuple[Change, ...]
    principal: str = ""
    """Who asked for it, as authenticated, whatever `actor` claims; empty = the tier itself."""


class Part(Struct, frozen=True, array_like=True, gc=False):
    """A piece of a packed amendment, as a group of the log holds it; most amendments are one piece.

    The amendment takes effect at the revision of the group with its last missing piece, in whatever order they came.
    """

    key: str
    digest: bytes
    """16 bytes over the changes: the same key with another digest is an error."""
    whole: bytes
    """8 bytes over the whole content: pieces of two tries of one key never mix."""
    index: int
    count: int
    content: bytes
    """Piece of the zlib-compressed packed amendment."""


_encode = msgspec.msgpack.Encoder().encode
_decode_amendment = msgspec.msgpack.Decoder(Amendment).decode
_decode_changes = msgspec.msgpack.Decoder(tuple[Change, ...]).decode
_decode_parts = msgspec.msgpack.Decoder(tuple[Part, ...]).decode


def digest_of(changes: tuple[Change, ...]) -> bytes:
    """Give the 16 bytes that tell whether a repeated key asks for the same."""
    return blake2b(_encode(changes), digest_size=16).digest()


def pack_changes(changes: tuple[Change, ...]) -> bytes:
    """Pack changes that wait for approval, as they will be checked and applied when they are approved."""
    return _encode(changes)


def unpack_changes(content: bytes) -> tuple[Change, ...]:
    """Read changes that wait for approval. Raises `msgspec.DecodeError`."""
    return _decode_changes(content)


def with_proposed(changes: Iterable[Change]) -> Iterator[Change]:
    """Give changes, and instead of a proposal what it proposes."""
    for change in changes:
        if isinstance(change, AmendmentProposed):
            yield from unpack_changes(change.content)
        else:
            yield change


def pack_amendment(amendment: Amendment) -> bytes:
    """Pack an amendment, not compressed."""
    return _encode(amendment)


def unpack_amendment(content: bytes) -> Amendment:
    """Read a packed amendment. Raises `msgspec.DecodeError`."""
    return _decode_amendment(content)


def pack_parts(parts: tuple[Part, ...]) -> bytes:
    """Pack the payload of a group."""
    return _encode(parts)


def unpack_parts(payload: bytes) -> tuple[Part, ...]:
    """Read the payload of a group. Raises `msgspec.DecodeError`."""
    return _decode_parts(payload)
