"""The control log: one journal segment of the directory unit that any process may append to.

There is no owner. A writer reads up to the head, checks its amendment against the state there, and swaps the head; of
two writers at the same head one wins, the other reads on and checks again. The tip chains every group with a key that
the unit does not hold, so a reader notices a group that is missing or was touched.
"""

import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec

from charging.errors import Broken, Invalid
from directory.changes import (
    Amendment,
    Part,
    digest_of,
    pack_amendment,
    pack_parts,
    unpack_amendment,
    unpack_parts,
)
from evidence.keys import PROCESS_RING, KeyRing, Unproven
from runtime.inflate import Inflated, unzlib
from storage.unit import Group, Head, Unit

JOURNAL = "directory"
SEGMENT = 0
PART_BYTES_MAX = 500_000
"""Well below `PAYLOAD_BYTES_MAX`, and below what a Cassandra batch takes with its default limits raised tenfold."""
GROUP_BYTES_MAX = 600_000
AMENDMENT_BYTES_MAX = 1 << 28
"""Packed; the content of all catalogues of a nation is a tenth of it."""
OPEN_AMENDMENTS_MAX = 32
"""Amendments of several parts whose writer has not come to the end, kept; the oldest is forgotten first."""
GOING_ON = "restore the directory's unit, or accept the loss: onetier accept-loss directory"
_EPOCH = 1
_OWNER = "directory"
EMPTY = Head(epoch=_EPOCH, owner=_OWNER, seq=0, tip=b"", sealed=False)


class Landed:
    """An amendment of which the last part has arrived, at its revision."""

    __slots__ = ("amendment", "digest", "key", "revision")

    def __init__(self, key: str, digest: bytes, amendment: Amendment, revision: int) -> None:
        self.key = key
        self.digest = digest
        self.amendment = amendment
        self.revision = revision


class Assembler:
    """Puts parts together again. Deterministic, so that every process gives an amendment the same revision."""

    def __init__(self) -> None:
        self.open: OrderedDict[tuple[str, bytes], dict[int, Part]] = OrderedDict()

    def take(self, group: Group) -> Iterator[Landed]:
        """Take one group and give the amendments that are complete with it, in the order of their last parts.

        Raises `Broken` with reason DIRECTORY_DAMAGED for parts that can't be read.
        """
        for part in unpack_parts(group.payload):
            if part.count == 1:
                yield _land((part,), group.seq)
                continue
            arrived = self.open.setdefault((part.key, part.whole), {})
            arrived[part.index] = part
            if len(arrived) == part.count:
                del self.open[part.key, part.whole]
                yield _land(tuple(arrived[index] for index in range(part.count)), group.seq)
            while len(self.open) > OPEN_AMENDMENTS_MAX:
                self.open.popitem(last=False)

    def missing(self, parts: Sequence[Part]) -> list[Part]:
        """Give the parts of an amendment that the log does not hold yet."""
        arrived = self.open.get((parts[0].key, parts[0].whole), {})
        return [part for part in parts if part.index not in arrived]


def split(key: str, amendment: Amendment) -> tuple[Part, ...]:
    """Pack, compress and cut an amendment into parts. Raises `Invalid` for one that would not be read again."""
    plain = pack_amendment(amendment)
    if len(plain) > AMENDMENT_BYTES_MAX:
        text = f"at most {AMENDMENT_BYTES_MAX} bytes; write it in several"
        raise Invalid("AMENDMENT_TOO_LARGE", f"the amendment has {len(plain)} bytes: {text}", fields={"changes": text})
    content = zlib.compress(plain, 1)
    digest = digest_of(amendment.changes)
    whole = blake2b(content, digest_size=8).digest()
    pieces = [content[at : at + PART_BYTES_MAX] for at in range(0, len(content), PART_BYTES_MAX)]
    return tuple(Part(key, digest, whole, index, len(pieces), piece) for index, piece in enumerate(pieces))


def _land(parts: tuple[Part, ...], revision: int) -> Landed:
    try:
        amendment = unpack_amendment(unzlib(b"".join(part.content for part in parts), AMENDMENT_BYTES_MAX))
    except (Inflated, msgspec.MsgspecError, ValueError) as error:
        raise _damaged(revision, str(error)) from error
    return Landed(parts[0].key, parts[0].digest, amendment, revision)


class Log:
    """Reads on from a position, and appends there; whoever appends has read up to the head before."""

    def __init__(self, unit: Unit, seq: int = 0, tip: bytes = b"", ring: KeyRing = PROCESS_RING) -> None:
        self.known: tuple[int, bytes, str] | None = None
        """What somebody else knows of the log: sequence, the tip there, and who; forgotten once it was found true."""
        self._unit = unit
        self._ring = ring
        self.seq = seq
        """Of the last group read."""
        self.tip = tip

    async def peek(self) -> bool:
        """Say whether there may be something new, with a plain read: cheap enough for many times a second.

        Only `read_on`, which asks for the head linearizably, decides what is there.
        """
        async for page in self._unit.read(JOURNAL, SEGMENT, self.seq + 1, self.seq + 1):
            if page:
                return True
        return False

    async def read_on(self) -> list[Group]:
        """Read the groups since the last one, up to the head, and check the chain.

        Raises `StoreUnavailable`; `errors.Broken` with reason DIRECTORY_DAMAGED when the chain does not hold.
        """
        head = await self._unit.head(JOURNAL, SEGMENT)
        end = head.seq if head is not None else 0
        if self.known is not None and end < self.known[0]:
            raise _damaged(end, f"it ends there, and {self.known[2]} knows sequence {self.known[0]}; {GOING_ON}")
        if head is None or head.seq == self.seq:
            return []
        groups: list[Group] = []
        chain, seq = self._ring.follow(self.tip), self.seq
        async for page in self._unit.read(JOURNAL, SEGMENT, seq + 1, head.seq):
            for group in page:
                if group.seq != seq + 1:
                    raise _damaged(seq + 1, "a group is missing")
                seq = group.seq
                try:
                    groups.append(Group(seq, chain.take(group.payload)))
                except Unproven as error:
                    raise _damaged(seq, str(error)) from error
                self._compare(seq, chain.tip)
        if seq != head.seq or chain.tip != head.tip:
            raise _damaged(seq, "what was read does not add up to its tip")
        self.seq, self.tip = seq, chain.tip
        return groups

    def _compare(self, seq: int, tip: bytes) -> None:
        if self.known is not None and seq == self.known[0]:
            if tip != self.known[1]:
                raise _damaged(seq, f"it is not what {self.known[2]} knows")
            self.known = None

    async def append(self, parts: tuple[Part, ...]) -> Group | None:
        """Append one group at the position. None when another writer was there first: read on and try again.

        Raises `StoreUnavailable` with an unknown outcome; reading on tells.
        """
        payload = pack_parts(parts)
        stored = self._ring.stored(payload)
        expect = Head(_EPOCH, _OWNER, self.seq, self.tip, sealed=False)
        if self.seq == 0:
            await self._unit.swap(JOURNAL, SEGMENT, None, EMPTY, None)
        tip = self._ring.current.next_tip(self.tip, stored)
        head = Head(_EPOCH, _OWNER, self.seq + 1, tip, sealed=False)
        in_force = await self._unit.swap(JOURNAL, SEGMENT, expect, head, Group(head.seq, stored))
        if in_force != head:
            return None
        self.seq, self.tip = head.seq, head.tip
        return Group(head.seq, payload)


def _damaged(seq: int, why: str) -> Broken:
    text = f"the control log is damaged near sequence {seq}: {why}"
    return Broken("DIRECTORY_DAMAGED", text, facts={"seq": str(seq)})
