"""What the tests of subjects share: a kind of which a slot may have many, and slots that know it."""

import asyncio

from msgspec import Raw, Struct
from msgspec.msgpack import encode
from msgspec.structs import replace

from business.billing.actions import RunAction
from business.billing.kind import subject_of
from business.kinds import KINDS
from business.subjects import Kinds, Machine
from charging.base.house_keys import digest_of
from charging.base.subject import Instruction
from charging.errors import Refused
from charging.wire import Answer, Instruct
from domainservers.base.limits import Limits
from domainservers.slot.recovery import recover
from domainservers.slot.slot import Slot
from runtime.telemetry import Metrics
from tests.unit.domainservers.room import NOW_MS, Clock, FlakyUnit, ask

RUNS = subject_of("GD/0")
HOUR_MS = 3_600_000


class Write(Struct, frozen=True, array_like=True, tag="write_ticket"):
    text: str


class Shut(Struct, frozen=True, array_like=True, tag="shut_ticket"):
    pass


class Written(Struct, frozen=True, array_like=True, tag="written"):
    text: str


class Was(Struct, frozen=True, array_like=True, tag="shut"):
    at_ms: int


class Ticket(Struct, frozen=True, array_like=True):
    lines: tuple[str, ...] = ()
    shut_ms: int = 0


def decide(state: Ticket | None, action: Write | Shut, now_ms: int) -> tuple[Written | Was, ...]:
    if state is not None and state.shut_ms:
        raise Refused("RUN_COMPLETED", "the ticket is shut")
    return (Written(action.text),) if isinstance(action, Write) else (Was(now_ms),)


def apply(state: Ticket | None, event: Written | Was) -> Ticket:
    ticket = state or Ticket()
    if isinstance(event, Written):
        return replace(ticket, lines=(*ticket.lines, event.text))
    return replace(ticket, shut_ms=event.at_ms)


def say(event: Written | Was) -> str:
    return f"wrote {event.text}" if isinstance(event, Written) else "shut"


TICKETS: Machine[Ticket, Write | Shut, Written | Was] = Machine(
    "ticket", (Ticket, Write | Shut, Written | Was), decide, apply, say
)
OLD_TICKETS: Machine[Ticket, Write, Written] = Machine("ticket", (Ticket, Write, Written), decide, apply, say)
"""An older version of it, which knows of no shutting."""
BOTH: Kinds = {**KINDS, TICKETS.name: TICKETS}
OLDER: Kinds = {**KINDS, OLD_TICKETS.name: OLD_TICKETS}


async def own_with(
    unit: FlakyUnit, kinds: Kinds = BOTH, limits: Limits | None = None, clock: Clock | None = None, name: str = "GD/0"
) -> Slot:
    """Take a slot over that knows these kinds."""
    parts = await recover(
        name,
        f"test#{id(object())}.{unit.swaps}",
        unit,
        unit,
        limits or Limits(),
        clock or Clock(),
        asyncio.Semaphore(4),
        lambda: 7,
        Metrics("test"),
        kinds=kinds,
    )
    return Slot(parts, lambda _: None)


def instruct(key: str, action: RunAction | Write | Shut, subject_id: str = RUNS, principal: str = "local") -> Instruct:
    """Make an instruction; the action is its content."""
    digest = digest_of(subject_id, action)
    return Instruct(Instruction(subject_id, key, digest, "", "", NOW_MS, Raw(encode(action)), principal))


async def tell(slot: Slot, key: str, action: RunAction | Write | Shut, subject_id: str = RUNS) -> Answer:
    """Instruct one subject."""
    (answer,) = await ask(slot, instruct(key, action, subject_id))
    return answer
