"""What became of a command, as the owner tells it, journals it and repeats it: done, with what moved, or failed.

The same structs travel to the platform (`charging.wire`) and stay in the journal (`charging.ledger.entry`).
"""

import msgspec
from msgspec import Raw, Struct

from charging.base.account import Account
from charging.base.buckets import Billed
from charging.base.openbills import Share
from charging.base.unit_key import SUCCESS
from charging.base.usage import Step, unpack_steps
from charging.errors import KINDS, Broken, Fault


class Movement(Struct, frozen=True, array_like=True, gc=False):
    """One book changed."""

    book_id: str
    unit: str
    before: int
    after: int
    """Micro-units of money, base units of anything else; `before` likewise."""


class ChargeTold(Struct, frozen=True, array_like=True, gc=False):
    """What the first reply to a charge said beside its outcome; the owner reads it from the journal for a repeat."""

    currency: str
    domain: str
    catalogue: int = 0
    """Version it was rated by; 0 = the account was ported since, and the entry stayed behind."""
    explanations: tuple[Raw, ...] = ()
    """Packed steps, as the journal has them."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The explanation, unpacked."""
        return tuple(step for packed in self.explanations for step in unpack_steps(packed))


class Done(Struct, frozen=True, array_like=True, tag="d", gc=False):
    """The command is journaled; this is its outcome, also when it is repeated."""

    account_id: str
    version: int
    """Of the account, after it."""
    amount: int
    """Amount charged, refunded, moved; micro-units."""
    movements: tuple[Movement, ...]
    notices: tuple[str, ...] = ()
    detail: bytes | None = None
    """SessionOutcome for sessions; packed Account for MoveOut; the number of a bill for ClosePeriod."""
    revision: int = 0
    """Of the domain's reference data, as the owner knew it: a newer one than the platform holds is fetched."""
    repeated: bool = False
    told: ChargeTold | None = None
    """Of a repeated charge."""


def unchanged(account_id: str, account: Account | None, revision: int) -> Done:
    """Give the outcome of a command that had nothing to do."""
    return Done(account_id, account.version if account is not None else 0, 0, (), revision=revision)


class PaymentFact(Struct, frozen=True, array_like=True, gc=False):
    """What the journal says of a payment that is to be taken back; nothing but defaults = it never came."""

    amount: int = 0
    """Micro-units that came in."""
    kind: str = ""
    """Of the payment or deposit."""
    book_id: str = ""
    """Where it went as far as it settled no bill."""
    shares: tuple[Share, ...] = ()
    """What of it settled bills at once."""
    time_ms: int = 0
    """When it came, by the owner's clock."""
    other: bool = False
    """Something else was done under the key."""
    bonuses: tuple[tuple[str, str, int], ...] = ()
    """That came with a top-up: (rule, book id, micro-units)."""


class ChargedFact(Struct, frozen=True, array_like=True, gc=False):
    """What the journal says of a charge that is to be refunded, or of a payment whose account was ported since."""

    amount: int
    """Micro-units that the charge took."""
    postings: tuple[tuple[str, int], ...]
    """From money books, in the order of taking."""
    accruals: tuple[tuple[str, int], ...]
    """What it counted: (accumulator's key, quantity)."""
    units: tuple[tuple[str, int], ...] = ()
    """From books of free units."""
    time_ms: int = 0
    """When it was charged, by the owner's clock."""
    session_id: str = ""
    """Of the session whose step it was; "" = of none."""
    billed: tuple[Billed, ...] = ()
    """Where it was billed, in the order of taking; amounts above zero. They add up to `amount`, or to more where later
    steps of the session gave some back."""
    paid: PaymentFact | None = None
    """It was no charge: what a reversal of it needs. Only of what a port let be remembered."""


class Failed(Struct, frozen=True, array_like=True, tag="f"):
    """A fault, see `charging.errors`. `repeated` marks a stored refusal."""

    kind: str
    reason: str
    message: str
    fields: dict[str, str] = {}
    facts: dict[str, str] = {}
    retry_ms: int = 0
    """How long to wait before the same key is sent again; 0 = nothing is said of it."""
    repeated: bool = False


class SessionGrant(Struct, frozen=True, array_like=True):
    """What one unit of a session got."""

    service: str
    granted: int
    """Base units, beyond what was used."""
    valid_until_ms: int
    """When what was granted must have been reported, UTC (Validity-Time, RFC 8506, 8.33); 0 = nothing was."""
    final_unit: bool
    """The grant is the last that the account can pay for (Final-Unit-Indication, RFC 8506, 8.34)."""
    final_action: str
    charged: int
    """Micro-units that the service has cost in this session so far."""
    tariff_switch_ms: int
    """When another price begins within the grant, UTC (Tariff-Time-Change, RFC 8506, 8.20); 0 = none does."""
    numbers: str = ""
    """Its key, as in `Hold`."""
    code: int = SUCCESS
    """Result code of the unit (RFC 8506, 9)."""
    reason: str = ""
    """Why it got nothing, or less than was asked; "" = it got what it asked for."""
    redirect: str = ""
    """Of a final action: as in `QuotaTerms`, and so are the next three."""
    filters: tuple[str, ...] = ()
    threshold: int = 0
    holding_s: int = 0


class SessionOutcome(Struct, frozen=True, array_like=True):
    """Reply to a session step."""

    session_id: str
    invocation: int
    grants: tuple[SessionGrant, ...]


class HistoryLine(Struct, frozen=True, array_like=True):
    """One mutation of an account, from the journal."""

    key: str
    kind: str
    time_ms: int
    """UTC, by the owner's clock."""
    identity: str
    service: str
    quantity: int
    """Base units of the service; 0 where nothing was used."""
    amount: int
    """Micro-units charged, refunded, moved."""
    actor: str
    channel: str
    reason: str
    movements: tuple[Movement, ...]
    explanations: tuple[Raw, ...]
    """The packed steps of each charge, as the journal has them."""
    version: int
    """Of the account, after it."""
    notices: tuple[str, ...] = ()
    """What the change raised: marks crossed, suspension, resumption."""
    principal: str = ""
    """Who sent the command, as authenticated."""
    event_time_ms: int = 0
    """When what was charged began, UTC; 0 = nothing was."""
    other_party: str = ""
    visited: str = ""
    """Where the subscriber was; "" = at home."""
    changes: tuple[tuple[str, str, str], ...] = ()
    """Terms that changed: (term, before, after), "" where there was none."""
    settled: tuple[tuple[str, str, int], ...] = ()
    """Of bills: (number, how, micro-units), see `charging.ledger.event.Settlement`."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The explanation of all charges, unpacked."""
        return tuple(step for packed in self.explanations for step in told_steps(packed))


def told_steps(packed: Raw) -> tuple[Step, ...]:
    """Unpack an explanation; one that can't be read must not take the other lines with it."""
    try:
        return unpack_steps(packed)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return (Step("unreadable", "", "", 0, "", 0, 1, "the explanation of this charge can't be read"),)


def failed(fault: Fault, *, repeated: bool = False) -> Failed:
    """Turn a fault into what travels."""
    return Failed(fault.kind, fault.reason, fault.message, fault.fields, fault.facts, fault.retry_ms, repeated)


def fault(answer: Failed) -> Fault:
    """Turn what travelled back into the fault."""
    cls = KINDS.get(answer.kind, Broken)
    return cls.told(answer.reason, answer.message, fields=answer.fields, facts=answer.facts, retry_ms=answer.retry_ms)


Outcome = Done | Failed

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Outcome).decode


def pack_outcome(outcome: Outcome) -> bytes:
    """Pack an outcome for the journal."""
    return _pack(outcome)


def unpack_outcome(packed: bytes | Raw) -> Outcome:
    """Read an outcome of the journal. Raises `msgspec.MsgspecError` when it is none."""
    outcome: Outcome = _unpack(packed)
    return outcome
