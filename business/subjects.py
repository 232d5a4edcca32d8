"""What a slot needs to know of a kind of subject, and how a kind is made of three pure functions.

A slot holds a subject packed, and asks its kind: `rule` decides an instruction, `replay` repeats what the journal has.
Both go through the kind's one `apply`, so a state decided and a state replayed are equal. No clock, no I/O: the time is
the owner's, and whatever else a decision rests on stands in the action or in the state.

A subject is as large as what must be decided together: nothing else is looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar, get_args

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from charging.base.subject import NOTHING, Instruction, PackedSubject, kind_of
from charging.errors import Broken, Invalid
from charging.ledger.entry import Entry
from charging.ledger.history import line
from charging.ledger.outcome import HistoryLine

SUBJECT_BYTES_MAX = 500_000
"""Of a subject packed, as of an account: a storage unit takes twice that in one record."""

StateT = TypeVar("StateT", bound=Struct)
ActionT = TypeVar("ActionT", bound=Struct)
EventT = TypeVar("EventT", bound=Struct)

DEFECTS = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
"""What reading raises for bytes that are not what they should be."""
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(PackedSubject).decode


class Ruling(Struct, frozen=True, gc=False):
    """An instruction's outcome: what happened, packed, and the subject afterwards."""

    facts: tuple[Raw, ...]
    after: PackedSubject


class SubjectKind(Protocol):
    """What a slot needs to know of a kind of subject."""

    name: str
    """Of `charging.base.subject`: what ids of the kind begin with."""
    doings: frozenset[str]
    """All that `doing` may give: `charging.ledger.permission` has to know them."""

    def doing(self, action: Raw) -> str:
        """Name what an action asks, as grants, journal and history call it. Raises `Invalid` ACTION_MALFORMED."""
        ...

    def stake(self, action: Raw) -> tuple[int, bool]:
        """Give what limits of grants are held against, and whether the action says that its sender needs nobody else.

        Amounts as in `charging.ledger.permission.Grant`; 0 = none.
        """
        ...

    def rule(self, before: PackedSubject, instruction: Instruction, now_ms: int) -> Ruling:
        """Decide on a state.

        Raises `Refused` (kept under the key; nothing changes), `Invalid` and `NotFound` (nothing is kept).
        """
        ...

    def replay(self, before: PackedSubject, facts: Sequence[Raw]) -> PackedSubject:
        """Repeat what happened. Raises `Broken` FACT_UNREADABLE when this version can't read it."""
        ...

    def words(self, facts: Sequence[Raw]) -> str:
        """Tell what happened, for people. Raises as `replay`."""
        ...


class Machine(Generic[StateT, ActionT, EventT]):
    """A `SubjectKind` made of pure functions over the structs of its room."""

    def __init__(
        self,
        name: str,
        shapes: tuple[type[StateT], object, object],
        decide: Callable[[StateT | None, ActionT, int], tuple[EventT, ...]],
        apply: Callable[[StateT | None, EventT], StateT],
        say: Callable[[EventT], str],
    ) -> None:
        """`shapes` are the types of states, actions and events, the latter two unions of tagged structs.

        `decide` gets state, action and the owner's time (ms, UTC), and gives at least one event or raises.
        """
        self.name = name
        actions: tuple[type[Struct], ...] = get_args(shapes[1]) or (shapes[1],)
        self.doings = frozenset(str(action.__struct_config__.tag) for action in actions)
        self._read_state: Callable[[Raw], StateT] = msgspec.msgpack.Decoder(shapes[0]).decode
        self._read_action: Callable[[Raw], ActionT] = msgspec.msgpack.Decoder(shapes[1]).decode
        self._read_event: Callable[[Raw], EventT] = msgspec.msgpack.Decoder(shapes[2]).decode
        self._decide = decide
        self._apply = apply
        self._say = say

    def state(self, subject: PackedSubject) -> StateT | None:
        """Unpack a state; None = nothing was ever done. Raises `Broken` SUBJECT_UNREADABLE."""
        if not subject.version:
            return None
        try:
            return self._read_state(subject.state)
        except DEFECTS as error:
            raise Broken("SUBJECT_UNREADABLE", f"{subject.subject_id} can't be read: {error}") from error

    def action(self, packed: Raw) -> ActionT:
        """Unpack an action. Raises `Invalid` ACTION_MALFORMED."""
        try:
            return self._read_action(packed)
        except DEFECTS as error:
            text = f"what is to be done to a subject of kind {self.name} can't be read: {str(error)[:200]}"
            raise Invalid("ACTION_MALFORMED", text) from error

    def doing(self, action: Raw) -> str:
        """See `SubjectKind`."""
        return str(type(self.action(action)).__struct_config__.tag)

    def stake(self, action: Raw) -> tuple[int, bool]:
        """See `SubjectKind`: here is none."""
        return 0, False

    def rule(self, before: PackedSubject, instruction: Instruction, now_ms: int) -> Ruling:
        """See `SubjectKind`. What happened is read again before it counts: a journal takes what can be replayed.

        Raises what its `decide` raises; `Broken` FACT_UNREADABLE, `Invalid` SUBJECT_TOO_LARGE. Nothing has happened
        then.
        """
        events = self._decide(self.state(before), self.action(instruction.action), now_ms)
        facts = tuple(Raw(_pack(event)) for event in events)
        after = self.replay(before, facts)
        if not facts or self.events(facts) != events:
            raise Broken("FACT_UNREADABLE", f"what would be kept of {before.subject_id} reads as something else")
        if len(bytes(after.state)) > SUBJECT_BYTES_MAX:
            raise Invalid("SUBJECT_TOO_LARGE", f"{before.subject_id} would have more than {SUBJECT_BYTES_MAX} bytes")
        return Ruling(facts, after)

    def replay(self, before: PackedSubject, facts: Sequence[Raw]) -> PackedSubject:
        """See `SubjectKind`."""
        state = self.state(before)
        for event in self.events(facts):
            state = self._apply(state, event)
        return PackedSubject(before.subject_id, before.version + 1, Raw(_pack(state)))

    def words(self, facts: Sequence[Raw]) -> str:
        """See `SubjectKind`."""
        events = self.events(facts)
        try:
            return "; ".join(self._say(event) for event in events)
        except DEFECTS as error:
            raise Broken("FACT_UNREADABLE", f"what happened to a {self.name} can't be told: {error}") from error

    def events(self, facts: Sequence[Raw]) -> tuple[EventT, ...]:
        """Read what happened. Raises `Broken` FACT_UNREADABLE when this version can't."""
        try:
            return tuple(self._read_event(fact) for fact in facts)
        except DEFECTS as error:
            raise Broken("FACT_UNREADABLE", f"what happened to a {self.name} can't be read: {error}") from error


Kinds = Mapping[str, SubjectKind]
"""By name."""


def words(entry: Entry, kinds: Kinds) -> str:
    """Say what a subject's entry tells that happened, also when this version can't read it; "" for a refusal."""
    if not entry.facts:
        return ""
    kind = kinds.get(kind_of(entry.account_id))
    if kind is None:
        return "of a kind that this version doesn't know"
    try:
        return kind.words(entry.facts)
    except Broken as fault:
        return f"{fault.reason}: it can't be told by this version"


def tell(entry: Entry, kinds: Kinds) -> HistoryLine:
    """Tell an entry of the journal, whosever: of a subject, what happened stands among the notices."""
    told = line(entry)
    return replace(told, notices=(words(entry, kinds),)) if entry.facts else told


def unborn(subject_id: str) -> PackedSubject:
    """Give a subject to which nothing was ever done."""
    return PackedSubject(subject_id, 0, NOTHING)


def pack_subject(subject: PackedSubject) -> bytes:
    """Pack a subject for memory, snapshots and replies."""
    return _pack(subject)


def unpack_subject(packed: bytes) -> PackedSubject:
    """Read a packed subject. Raises `msgspec.MsgspecError` for what is none."""
    return _unpack(packed)
