"""Planning one step of a charging session on the platform: what was used costs, and how much more can be granted.

Each step rates the whole quantity of a service since its piece of the session began (`pieces`), on a view of the
account where what this piece posted and the session kept is undone and what other sessions keep counts as taken. So
the number of updates never changes the price. What was used is always charged: the bound of one usage is that of one
report, not of their sum. The grant is rated as "whole quantity plus grant", rounded up; when the account can't cover
it, or a cap that ends the call is reached before, the largest grant below is found (`grants`), and marked as the final
unit with the action that the contract asks for. An account without money is so granted nothing that costs anything,
however little.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account, Hold, Session
from charging.base.bounds import GRANT_MAX, UNITS_MAX
from charging.base.contract import Contract
from charging.base.fieldtypes import check_units
from charging.base.result_codes import unit_code
from charging.base.unit_key import LIMIT_REACHED, NOT_APPLICABLE, SERVICE_DENIED, SUCCESS, QuotaTerms, is_numbered
from charging.base.usage import Charge, Usage, ended
from charging.errors import Fault, Invalid, Refused
from charging.ledger import session_state
from charging.ledger.commands.step_session import SessionUnit, StepSession, UnitTold
from charging.ledger.ledger import available_view, seal
from charging.ledger.outcome import Failed, failed
from charging.ledger.session_state import Kept, Taken
from charging.ledger.standing import FUNDS_ENDED, LIMITED, served
from charging.rating import grants
from charging.rating.bound import has_bound, of_use
from charging.rating.session_asks import P, Pricing, SessionAsk, UnitAsk

FINAL_ACTION = "final_action"
"""Attribute of a contract: terminate (the default), restrict or redirect."""


class _Piece(Struct, frozen=True):
    """What was used of a unit in the piece that runs, or that its report begins."""

    ask: UnitAsk
    key: str
    terms: QuotaTerms
    usage: Usage
    end_ms: int
    begins: bool = False
    """The session has nothing of the unit yet."""

    @property
    def asked(self) -> int:
        """Give the quota that is asked for, base units."""
        return max(self.ask.requested, self.terms.usual if self.ask.usual else 0)


class _Unpriced(Exception):
    """A unit can't be rated; the others can."""

    def __init__(self, unit: UnitAsk, fault: Fault) -> None:
        super().__init__(unit.key)
        self.key = unit.key
        self.service = unit.service
        self.fault = fault


class _Priced(Struct, frozen=True):
    piece: _Piece
    usage: Usage
    charge: Charge
    taken: Taken
    requested: int
    """As far as the service allows, base units."""


def plan(pricing: Pricing[P], account: Account, contract: Contract, ask: SessionAsk) -> StepSession:
    """Rate one step of a session and find what can be granted.

    A step that the owner will refuse or has answered before (unknown, repeated, out of order) is passed on unrated. A
    unit that can't be rated is told so, and nothing of it changes; the others go on. Only when a session would begin
    with nothing but such units the step is refused, for the reason of the first.

    Raises `Invalid` for impossible quantities and whatever `pricing.rate` raises.
    """
    _check(ask)
    session = session_state.find(account, ask.session_id)
    if not _follows(session, ask):
        return _step(account, ask, (), ())
    told: dict[str, UnitTold] = {}
    first: Fault | None = None
    units = ask.units
    while True:
        try:
            rated = _rated(pricing, account, contract, session, ask, units, told)
            break
        except _Unpriced as one:
            first = first or one.fault
            told[one.key] = UnitTold(_numbers(one.key), one.service, unit_code(one.fault), one.fault.reason)
            units = tuple(unit for unit in ask.units if unit.key not in told)
    if session is None and first is not None and not rated and all(each.reason for each in told.values()):
        raise first
    return _step(account, ask, rated, tuple(told.values()))


def _rated(
    pricing: Pricing[P],
    account: Account,
    contract: Contract,
    session: Session | None,
    ask: SessionAsk,
    units: Sequence[UnitAsk],
    told: dict[str, UnitTold],
) -> tuple[SessionUnit, ...]:
    """Rate units on what all of them leave: every charge, then every grant. Those without control go to `told`.

    Raises `_Unpriced` for the first that can't be rated.
    """
    pieces: list[_Piece] = []
    for piece in _pieces(pricing, account, contract, session, ask, units):
        if piece.terms.controlled:
            pieces.append(piece)
        else:
            told[piece.key] = UnitTold(_numbers(piece.key), piece.usage.service, NOT_APPLICABLE, "")
    starts = {piece.key: piece.usage.start_ms for piece in pieces}
    view = session_state.undone(account, session, starts, free_all=ask.operation == "release")
    priced: list[_Priced] = []
    for piece in pieces:
        try:
            charge = _charge(pricing, contract, view, piece)
        except (Invalid, Refused) as fault:
            raise _Unpriced(piece.ask, fault) from fault
        taken = session_state.take(view, charge, piece.usage.start_ms)
        view = session_state.posted(view, taken)
        closed = ask.operation == "release" or not served(account, piece.usage) or not ask.serves
        most = pricing.quantity_max(pricing.plan_at(piece.usage.start_ms), piece.usage.service)
        requested = 0 if closed else min(piece.asked, most, GRANT_MAX)
        priced.append(_Priced(piece, piece.usage, charge, taken, requested))
    ratings_max = min(grants.GRANT_RATINGS_MAX, grants.STEP_RATINGS_MAX // max(1, len(priced)))
    rated: list[SessionUnit] = []
    for each in priced:
        granted, reservation, kept = _grant(pricing, view, contract, each, ratings_max)
        view = session_state.reserved(view, kept)
        stopped = None
        if not granted and each.requested and (account.terms.limits or has_bound(account)):
            stopped = _stopped(pricing, view, contract, each)
        rated.append(_unit(pricing, contract, account, ask, each, granted, reservation, stopped))
    return tuple(rated)


def _pieces(
    pricing: Pricing[P],
    account: Account,
    contract: Contract,
    session: Session | None,
    ask: SessionAsk,
    units: Sequence[UnitAsk],
) -> Iterator[_Piece]:
    """Give the piece of each unit, as far as the session has room. Raises `_Unpriced`."""
    room = UNITS_MAX - (len(session.holds) if session is not None else 0)
    for unit in units:
        try:
            piece = _piece(pricing, account, contract, session, ask, unit)
        except (Invalid, Refused) as fault:
            raise _Unpriced(unit, fault) from fault
        room -= piece.begins and piece.terms.controlled
        if room < 0:
            raise _Unpriced(unit, Refused("SESSION_UNITS_FULL", f"a session has at most {UNITS_MAX} units"))
        yield piece


def _charge(pricing: Pricing[P], contract: Contract, view: Account, piece: _Piece) -> Charge:
    catalogue = pricing.plan_at(piece.usage.start_ms)
    if piece.ask.used > pricing.quantity_max(catalogue, piece.usage.service) > 0:
        text = "at most what the service allows in one report"
        raise Invalid("QUANTITY_INVALID", f"used is {text}", fields={"used": text})
    return of_use(view, pricing.rate(catalogue, piece.usage, contract, available_view(view)))


def _check(ask: SessionAsk) -> None:
    check_units([unit.key for unit in ask.units], "units", "SESSION_MALFORMED")
    for unit in ask.units:
        if not 0 <= unit.used <= GRANT_MAX:
            raise Invalid("USED_OUT_OF_RANGE", f"used is 0 to {GRANT_MAX}", fields={"used": "zero or more"})
        if not 0 <= unit.requested <= GRANT_MAX:
            raise Invalid("QUOTA_OUT_OF_RANGE", f"quota is 0 to {GRANT_MAX}", fields={"requested": "zero or more"})


def _follows(session: Session | None, ask: SessionAsk) -> bool:
    """Say whether the step goes on from the state we know; else only the owner can answer it."""
    if session is None:
        return ask.operation == "create"
    return ask.operation != "create" and ask.invocation == session.invocation + 1


def _step(account: Account, ask: SessionAsk, units: tuple[SessionUnit, ...], told: tuple[UnitTold, ...]) -> StepSession:
    return StepSession(
        ask.session_id,
        ask.operation,
        ask.invocation,
        ask.identity,
        units,
        ask.valid_until_ms,
        account.version,
        account.mark,
        told,
    )


def _piece(
    pricing: Pricing[P], account: Account, contract: Contract, session: Session | None, ask: SessionAsk, unit: UnitAsk
) -> _Piece:
    """Give what was used in the piece that runs, or in the one that this report begins, and when that piece ends.

    What it is of, where and to whom the use goes stays what it was when the service began.
    """
    key = unit.key
    hold = session_state.hold_of(session, key)
    if hold is None:
        terms = pricing.terms(pricing.plan_at(unit.time_ms), unit.service, unit.group, unit.identifier)
        attributes = {**unit.attributes, **terms.attributes} if terms.attributes else unit.attributes
        usage = Usage(ask.identity, terms.service, unit.time_ms, unit.used, unit.other_party, unit.visited, attributes)
        return _Piece(unit, key, terms, usage, _end_ms(pricing, contract, account, usage), begins=True)
    terms = _terms_of(pricing, unit, hold)
    usage = Usage(
        ask.identity,
        hold.service,
        hold.start_ms,
        hold.used + unit.used,
        hold.other_party,
        hold.visited,
        hold.attributes,
    )
    end_ms = _end_ms(pricing, contract, account, usage)
    over = ask.time_ms >= end_ms and (unit.used > 0 or unit.requested > 0 or unit.usual)
    # A piece that would use more than one quota may ever be is over as well: what follows begins the next.
    if not over and usage.quantity <= GRANT_MAX:
        return _Piece(unit, key, terms, usage, end_ms)
    usage = replace(usage, start_ms=max(ask.time_ms, hold.start_ms + 1), quantity=unit.used)
    return _Piece(unit, key, terms, usage, _end_ms(pricing, contract, account, usage))


def _end_ms(pricing: Pricing[P], contract: Contract, account: Account, usage: Usage) -> int:
    return pricing.piece_end(pricing.plan_at(usage.start_ms), contract, account, usage)


def _terms_of(pricing: Pricing[P], unit: UnitAsk, hold: Hold) -> QuotaTerms:
    """Give the terms of a unit that runs; it goes on as what it is, whatever the catalogue calls so now."""
    try:
        terms = pricing.terms(pricing.plan_at(hold.start_ms), unit.service, unit.group, unit.identifier)
    except Invalid:
        return QuotaTerms(hold.service)
    return terms if terms.service == hold.service and terms.controlled else QuotaTerms(hold.service)


def _grant(
    pricing: Pricing[P], view: Account, contract: Contract, each: _Priced, ratings_max: int
) -> tuple[int, Charge | None, Kept]:
    """Find the largest grant up to what is requested that the account covers."""
    nothing = Kept((), ())
    if each.requested == 0 or each.taken.shortfall:
        return 0, None, nothing
    start_ms, used = each.usage.start_ms, each.usage.quantity
    catalogue = pricing.plan_at(start_ms)
    without = available_view(session_state.posted(view, each.taken, -1))

    def attempt_of(grant: int) -> grants.Attempt:
        usage = replace(each.usage, quantity=used + grant)
        return grants.attempt(
            lambda: pricing.quota(catalogue, usage, contract, without),
            lambda charge: None if ended(charge) else session_state.keep(view, each.charge, charge, start_ms),
        )

    granted, found = grants.largest(each.requested, attempt_of, ratings_max)
    return granted, found.charge, found.kept or nothing


def _stopped(pricing: Pricing[P], view: Account, contract: Contract, each: _Priced) -> Failed | None:
    """Say why not even one unit is granted, where it is not plainly for want of money."""
    start_ms = each.usage.start_ms
    usage = replace(each.usage, quantity=each.usage.quantity + 1)
    without = available_view(session_state.posted(view, each.taken, -1))
    try:
        least = pricing.quota(pricing.plan_at(start_ms), usage, contract, without)
        session_state.covered(view, each.charge, least, start_ms)
    except Refused as refusal:
        return failed(refusal)
    except Invalid:
        pass
    return None


def _unit(
    pricing: Pricing[P],
    contract: Contract,
    account: Account,
    ask: SessionAsk,
    each: _Priced,
    granted: int,
    reservation: Charge | None,
    stopped: Failed | None,
) -> SessionUnit:
    piece, terms, usage = each.piece, each.piece.terms, each.usage
    active = served(account, usage) and ask.serves
    asked = 0 if ask.operation == "release" else each.requested if active else piece.asked
    final = granted < asked
    action = contract.attributes.get(FINAL_ACTION) or terms.final_action or "terminate"
    code, reason = SUCCESS, ""
    if final:
        short = ask.serves and (active or account.terms.status_reason == FUNDS_ENDED)
        denied = "SERVICE_STOPPED" if account.terms.status == LIMITED else "ACCOUNT_SUSPENDED"
        denied = denied if ask.serves else "CONTRACT_SUSPENDED"
        reason = stopped.reason if stopped is not None else "INSUFFICIENT_FUNDS" if short else denied
        code = SUCCESS if granted else LIMIT_REACHED if short else SERVICE_DENIED
    switch_ms = pricing.next_switch(pricing.plan_at(usage.start_ms), contract, account, usage) if granted else 0
    return SessionUnit(
        usage,
        seal(each.charge),
        granted,
        seal(reservation) if reservation is not None else None,
        final,
        action if final else "",
        switch_ms,
        _valid_until_ms(ask, piece) if granted else 0,
        stopped,
        _numbers(piece.key),
        code,
        reason,
        terms.redirect if action == "redirect" else "",
        terms.filters if action == "restrict" else (),
        terms.threshold,
        terms.holding_s,
    )


def _numbers(key: str) -> str:
    """Give a key as holds have it: "" where the service stands for it."""
    return key if is_numbered(key) else ""


def _valid_until_ms(ask: SessionAsk, piece: _Piece) -> int:
    """Say when quota ends before its session would: with its piece, or after the time that the catalogue gives it."""
    ends = [piece.end_ms] if piece.end_ms > ask.time_ms > 0 else []
    if piece.terms.validity_ms and ask.now_ms:
        ends.append(ask.now_ms + piece.terms.validity_ms)
    return min(ends, default=0)
