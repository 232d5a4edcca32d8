"""Deciding charging sessions (3GPP TS 32.290): create, update or release one.

A step undoes what the session had posted and kept for the units it names, takes the charge of the whole quantity
used so far, and keeps what the new grant may cost. First every charge, then every reservation: usage that has happened
goes before quota that is only asked for. A reservation is never more than what is free, so sessions in parallel can't
spend one micro-unit twice.
"""

import msgspec
from msgspec import Struct

from charging.base.account import MONEY, Account, Hold, Session
from charging.base.bounds import SESSIONS_MAX, UNITS_MAX
from charging.base.fieldtypes import check_units
from charging.base.lateness import refuse_late
from charging.base.unit_key import NOT_APPLICABLE, SUCCESS, is_key
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid, NotFound, Refused
from charging.ledger import session_state
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent, Pair
from charging.ledger.events import Noticed, SessionPosting, SessionStepped
from charging.ledger.funds import book_of
from charging.ledger.outcome import Failed, SessionGrant, SessionOutcome
from charging.ledger.session_state import EXPIRED, RELEASED, Kept, Taken, grant_of_none, without_quota
from charging.ledger.standing import LIMITED, moved_on, require_active, require_here, require_served

STOPPED_BY = ("SPENDING_LIMIT_REACHED", "BUDGET_SPENT")
"""Reasons besides want of money for which the first step of a session is refused."""
FINAL_ACTIONS = ("", "terminate", "restrict", "redirect")

_pack = msgspec.msgpack.Encoder().encode

Holds = dict[str, Hold]
"""Of a session, by the key of the unit."""


class UnitTold(Struct, frozen=True, array_like=True, gc=False):
    """A unit of which the step changes nothing: it can't be rated or may not be had, or needs no quota."""

    numbers: str
    """As in `Hold`."""
    service: str
    """What it is of; "" = nobody knows."""
    code: int
    """As in `SessionGrant`; so is `reason`."""
    reason: str

    @property
    def key(self) -> str:
        """Which unit of the session it is."""
        return self.numbers or self.service


class SessionUnit(Struct, frozen=True, array_like=True, gc=False):
    """One unit of a session step, already rated by the platform (`charging.rating.sessions.plan`)."""

    usage: Usage
    """Start of the service in this session, and the whole quantity used so far."""
    charge: SealedCharge
    """Rating of that whole quantity: what the session must have paid in the end, as if it were one piece."""
    granted: int
    """Base units beyond the whole quantity; 0 = no quota."""
    reservation: SealedCharge | None
    """Rating of whole quantity + grant; what it asks beyond `charge` is kept."""
    final_unit: bool
    """The grant is the last that the account can pay for (Final-Unit-Indication, RFC 8506, 8.34)."""
    final_action: str
    """What the network does when it is used up: terminate, restrict, redirect (8.35); "" without `final_unit`."""
    tariff_switch_ms: int
    """When another price begins within the grant (Tariff-Time-Change, 8.20); 0 = none does."""
    valid_until_ms: int = 0
    """When the quota ends because the piece of the session does, or the catalogue says so; 0 = with the session."""
    stopped: Failed | None = None
    """Why nothing is granted, as the platform found it; None = only money is wanting, or something is granted."""
    numbers: str = ""
    """As in `Hold`."""
    code: int = SUCCESS
    """Of the unit's result, as in `SessionGrant`; so is all below."""
    reason: str = ""
    redirect: str = ""
    filters: tuple[str, ...] = ()
    threshold: int = 0
    holding_s: int = 0

    @property
    def key(self) -> str:
        """Which unit of the session it is."""
        return self.numbers or self.usage.service


class StepSession(BaseAction, frozen=True, tag="session"):
    """Create, update or release a charging session."""

    session_id: str
    operation: str
    """create, update, release: the operations of Nchf_ConvergedCharging (TS 32.290)."""
    invocation: int
    """Number of the step; one more than that of the step before (invocationSequenceNumber, TS 32.291)."""
    identity: str
    """Of the member that uses; the session stays its own."""
    units: tuple[SessionUnit, ...]
    """Each unit once; one that is left out goes on with what it has."""
    valid_until_ms: int
    """When the session ends by itself unless another step comes; 0 with a release."""
    base_version: int
    """Version of the account that it was rated on."""
    base_mark: int = 0
    """`Account.mark` of that state, as in `PostCharge`; a step always depends on its account."""
    told: tuple[UnitTold, ...] = ()
    """Units that the step leaves as they are, answered with the others."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("session",),
        predictable=True,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what its units cost so far."""
        return sum(unit.charge.amount for unit in self.units)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Create, update or release a session.

        NotFound SESSION_UNKNOWN; Invalid INVOCATION_AHEAD, SESSION_MALFORMED, USED_SHRINKS, USAGE_TOO_LATE; Refused
        SESSION_EXISTS, SESSION_ID_USED, SESSION_RELEASED (update after release), SESSION_RELEASED_ALREADY,
        SESSION_EXPIRED, INVOCATION_OUT_OF_ORDER, SESSIONS_FULL, ACCOUNT_SUSPENDED, SERVICE_STOPPED, INSUFFICIENT_FUNDS,
        BUDGET_SPENT, SPENDING_LIMIT_REACHED, QUOTA_NOT_COVERED, UNITS_MISSING.
        """
        require_here(account)
        session = session_state.find(account, self.session_id)
        told = _told_before(account, session, self)
        if told is not None:
            return told
        if moved_on(account, self.base_version, self.base_mark):
            raise VersionMoved
        if session is None or any(unit.granted for unit in self.units):
            _require_served(account, self.units)
        holds = {hold.numbers or hold.service: hold for hold in session.holds} if session is not None else {}
        _check(account, session, self, holds)
        for unit in self.units:
            refuse_late(unit.charge, unit.usage.start_ms, now_ms)
        steps = _steps(account, session, self, holds)
        return _stepped(account, self, steps, holds)


def _require_served(account: Account, units: tuple[SessionUnit, ...]) -> None:
    """Refuse a step in which a service is granted, or with which a session begins, that the account may not have."""
    if not units and account.terms.status != LIMITED:
        require_active(account)
    wanted = [unit for unit in units if unit.granted] or units[:1]
    for unit in wanted:
        require_served(account, unit.usage)


class _Step(Struct, frozen=True):
    """One unit of a step while it is decided."""

    unit: SessionUnit
    key: str
    hold: Hold | None
    taken: Taken
    kept: Kept


def _told_before(account: Account, session: Session | None, action: StepSession) -> Effect | None:
    """Answer a repeated invocation with its outcome, and refuse what does not follow; None = go on."""
    if session is not None:
        if action.invocation == session.invocation:
            return Effect((), 0, session.outcome, repeated=True)
        if action.invocation < session.invocation:
            raise Refused(
                "INVOCATION_OUT_OF_ORDER",
                f"invocation {action.invocation} comes after {session.invocation}",
                facts={"newest": str(session.invocation)},
            )
        if action.operation == "create":
            raise Refused("SESSION_EXISTS", f"session {action.session_id!r} is open")
        if action.invocation > session.invocation + 1:
            raise Invalid(
                "INVOCATION_AHEAD",
                f"invocation {session.invocation + 1} is missing; send it first, then repeat this one",
                fields={"invocation": str(session.invocation + 1)},
            )
        return None
    for session_id, invocation, why, outcome in account.open.ended:
        if session_id == action.session_id:
            if why == RELEASED and action.operation == "release" and invocation == action.invocation:
                return Effect((), 0, outcome, repeated=True)
            raise _after_end(action, why)
    if action.operation != "create":
        raise NotFound("SESSION_UNKNOWN", f"there is no session {action.session_id!r}")
    return None


def _after_end(action: StepSession, why: str) -> Refused:
    if action.operation == "create":
        return Refused("SESSION_ID_USED", f"session {action.session_id!r} is over; open a new one")
    if why == EXPIRED:
        return Refused("SESSION_EXPIRED", f"session {action.session_id!r} ended by itself")
    if action.operation == "release":
        return Refused("SESSION_RELEASED_ALREADY", f"session {action.session_id!r} was released before")
    return Refused("SESSION_RELEASED", f"session {action.session_id!r} was released; nothing can be used in it")


def _check(account: Account, session: Session | None, action: StepSession, holds: Holds) -> None:
    """Refuse steps that can't be meant."""
    if action.operation not in ("create", "update", "release"):
        raise _malformed("operation", "create, update or release")
    if not action.session_id or action.invocation < 0:
        raise _malformed("session_id", "a session has an id and an invocation number of zero or more")
    if action.valid_until_ms <= 0 and action.operation != "release":
        raise _malformed("valid_until_ms", "an open session has an end")
    keys = [unit.key for unit in action.units]
    check_units(keys + [each.key for each in action.told] if action.told else keys, "units", "SESSION_MALFORMED")
    if len(holds) + len([key for key in keys if key not in holds]) > UNITS_MAX:
        raise _malformed("units", f"a session has at most {UNITS_MAX} units")
    if session is None and len(account.open.sessions) >= SESSIONS_MAX:
        raise Refused("SESSIONS_FULL", f"an account has at most {SESSIONS_MAX} open sessions")
    if session is not None and session.identity != action.identity:
        raise _malformed("identity", "a session belongs to the identity that opened it")
    for unit, key in zip(action.units, keys, strict=True):
        _check_unit(action, unit, holds.get(key))
    opens = any(map(_opens, action.units)) or any(each.code == NOT_APPLICABLE for each in action.told)
    if session is None and action.units and not opens:
        raise _nothing_granted(action.units)


def _nothing_granted(units: tuple[SessionUnit, ...]) -> Refused:
    for unit in units:
        if unit.stopped is not None and unit.stopped.reason in STOPPED_BY:
            return Refused(unit.stopped.reason, unit.stopped.message, facts=unit.stopped.facts)
    return Refused("INSUFFICIENT_FUNDS", "no quota can be granted", facts={"granted": "0"})


def _opens(unit: SessionUnit) -> bool:
    """Say whether a unit is worth a session: it has quota or asks for none, or leads a user without money on."""
    return not unit.final_unit or unit.granted > 0 or unit.final_action in ("redirect", "restrict")


def _check_unit(action: StepSession, unit: SessionUnit, hold: Hold | None) -> None:
    if unit.granted < 0 or unit.usage.quantity < 0 or unit.charge.amount < 0:
        raise _malformed("units", "quantities are zero or more")
    if unit.granted and (unit.reservation is None or action.operation == "release"):
        raise _malformed("units", "a grant comes with its rating, and never with a release")
    if unit.numbers and not is_key(unit.numbers):
        raise _malformed("units", "a unit is keyed by its service or by numbers of the network")
    if unit.final_action not in FINAL_ACTIONS:
        raise _malformed("final_action", "terminate, restrict or redirect")
    if hold is not None and unit.usage.start_ms < hold.start_ms:
        raise _malformed("units", "the pieces of a session follow each other")
    hold_now = session_state.running(hold, unit.usage)
    if hold_now is not None and unit.usage.quantity < hold_now.used:
        least = hold_now.used
        raise Invalid("USED_SHRINKS", f"{least} were reported before", fields={"used": f"at least {least}"})


def _malformed(field: str, wanted: str) -> Invalid:
    return Invalid("SESSION_MALFORMED", f"{field}: {wanted}", fields={field: wanted})


def _steps(account: Account, session: Session | None, action: StepSession, holds: Holds) -> list[_Step]:
    """Take every charge, then keep every grant."""
    starts = {unit.numbers or unit.usage.service: unit.usage.start_ms for unit in action.units}
    view = session_state.undone(account, session, starts, free_all=action.operation == "release")
    takings: list[Taken] = []
    for unit in action.units:
        taken = session_state.take(view, unit.charge, unit.usage.start_ms)
        view = session_state.posted(view, taken)
        takings.append(taken)
    steps: list[_Step] = []
    for unit, key, taken in zip(action.units, starts, takings, strict=True):
        kept = Kept((), ())
        if unit.granted and unit.reservation is not None:
            covered = session_state.keep(view, unit.charge, unit.reservation, unit.usage.start_ms)
            if covered is None or taken.shortfall:
                raise Refused(
                    "QUOTA_NOT_COVERED",
                    f"the account can't cover {unit.granted} of {unit.usage.service}",
                    facts={"service": unit.usage.service, "granted": str(unit.granted)},
                )
            kept = covered
            view = session_state.reserved(view, kept)
        steps.append(_Step(unit, key, holds.get(key), taken, kept))
    return steps


def _stepped(account: Account, action: StepSession, steps: list[_Step], holds: Holds) -> Effect:
    ended = RELEASED if action.operation == "release" else ""
    told = [_told(each, holds.get(each.key)) for each in action.told]
    aside = {each.key for each in action.told} if told else ()
    for each in steps:
        holds[each.key] = _hold(each)
    if ended:
        holds = {key: without_quota(hold) for key, hold in holds.items()}
    named = {each.key: each.unit for each in steps}
    grants = [
        _grant(hold, named.get(key), action.valid_until_ms)
        for key, hold in holds.items()
        if (ended or key in named) and key not in aside
    ]
    rows = tuple(holds.values())
    outcome = _pack(SessionOutcome(action.session_id, action.invocation, tuple(grants + told)))
    state = Session(action.session_id, action.identity, action.invocation, action.valid_until_ms, rows, outcome)
    postings = tuple(_posting(account, each) for each in steps)
    events: list[BaseEvent] = [SessionStepped(state, ended, postings)]
    short = dict.fromkeys(f"shortfall:{each.unit.usage.service}" for each in steps if each.taken.shortfall)
    if short:
        events.append(Noticed(tuple(short)))
    return Effect(tuple(events), sum(posting.amount for posting in postings), outcome)


def _hold(each: _Step) -> Hold:
    usage, before = each.unit.usage, 0
    if each.hold is not None:
        ended = session_state.running(each.hold, usage) is None
        before = each.hold.charged_before + (each.hold.charged if ended else 0)
    return Hold(
        usage.service,
        usage.other_party,
        usage.visited,
        usage.start_ms,
        usage.quantity,
        each.taken.amount,
        (*each.taken.postings, *each.taken.units),
        each.taken.accruals,
        each.unit.granted,
        each.kept.reserved,
        each.kept.accruals,
        usage.attributes,
        before,
        each.unit.numbers,
        each.unit.final_unit,
    )


def _grant(hold: Hold, unit: SessionUnit | None, valid_until_ms: int) -> SessionGrant:
    if unit is None or not (unit.granted or unit.final_unit):
        return grant_of_none(hold)
    return SessionGrant(
        hold.service,
        unit.granted,
        min(valid_until_ms, unit.valid_until_ms or valid_until_ms) if unit.granted else 0,
        unit.final_unit,
        unit.final_action if unit.final_unit else "",
        hold.charged_before + hold.charged,
        unit.tariff_switch_ms,
        hold.numbers,
        unit.code,
        unit.reason,
        unit.redirect if unit.final_unit else "",
        unit.filters if unit.final_unit else (),
        unit.threshold if unit.threshold < unit.granted else 0,
        unit.holding_s if unit.granted else 0,
    )


def _told(each: UnitTold, hold: Hold | None) -> SessionGrant:
    charged = hold.charged_before + hold.charged if hold is not None else 0
    service = hold.service if hold is not None else each.service
    return SessionGrant(service, 0, 0, False, "", charged, 0, each.numbers, each.code, each.reason)


def _posting(account: Account, each: _Step) -> SessionPosting:
    hold, taken = session_state.running(each.hold, each.unit.usage), each.taken
    money: list[Pair] = []
    units: list[Pair] = []
    for pair in hold.postings if hold is not None else ():
        book = book_of(account, pair[0])
        (units if book is not None and book.unit != MONEY else money).append(pair)
    return SessionPosting(
        each.unit.usage,
        each.unit.charge,
        taken.amount - (hold.charged if hold is not None else 0),
        session_state.signed_difference(taken.postings, tuple(money)),
        session_state.signed_difference(taken.units, tuple(units)),
        session_state.signed_difference(taken.accruals, hold.accruals if hold is not None else ()),
        taken.shortfall,
        hold.used if hold is not None else 0,
    )
