"""Planning one step of a charging session on the platform: what was used costs, and how much more can be granted.

Each step rates the whole quantity of a service since its piece of the session began (`pieces`), on a view of the
account where what this piece posted and the session kept is undone and what other sessions keep counts as taken. So
the number of updates never changes the price. What was used is always charged: the bound of one usage is that of one
report, not of their sum. The grant is rated as "whole quantity plus grant", rounded up; when the account can't cover
it, or a cap that ends the call is reached before, the largest grant below is found (`grants`), and marked as the final
unit with the action that the contract asks for. An account without money is so granted nothing that costs anything,
however little.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account, Session
from charging.base.bounds import GRANT_MAX
from charging.base.contract import Contract
from charging.base.fieldtypes import check_services
from charging.base.usage import Charge, Usage, ended
from charging.errors import Invalid, Refused
from charging.ledger import session_state
from charging.ledger.commands.step_session import SessionUnit, StepSession
from charging.ledger.ledger import available_view, seal
from charging.ledger.outcome import Failed, failed
from charging.ledger.session_state import Kept, Taken
from charging.rating import grants
from charging.rating.bound import has_bound, of_use

FINAL_ACTION = "final_action"
"""Attribute of a contract: terminate (the default), restrict or redirect."""

P = TypeVar("P")


class UnitAsk(Struct, frozen=True):
    """One service of a step, as the front end reports it."""

    service: str
    requested: int
    """Quota asked for now, base units; 0 = none."""
    used: int
    """Used since the last report, base units."""
    time_ms: int
    """When the service began in this session; only its first report counts."""
    other_party: str = ""
    visited: str = ""
    attributes: dict[str, str] = {}


class SessionAsk(Struct, frozen=True):
    """One step of a session, as the front end asks it."""

    session_id: str
    operation: str
    """create, update, release"""
    invocation: int
    """Number of the step, one more than that of the step before (invocationSequenceNumber of TS 32.291)."""
    identity: str
    units: tuple[UnitAsk, ...]
    valid_until_ms: int
    """When quota that is granted now must have been reported."""
    time_ms: int = 0
    """When it is reported; 0 = all counts for when the services began."""


class Pricing(Struct, Generic[P], frozen=True):
    """How the platform rates, passed in: `timeline.plan_at`, functions of `rating` and `pieces` beside."""

    plan_at: Callable[[int], P]
    """Catalogue in force at a moment, milliseconds UTC."""
    rate: Callable[[P, Usage, Contract, Account], Charge]
    """Of what was used: `rate_sum`."""
    quota: Callable[[P, Usage, Contract, Account], Charge]
    """Of what was used and would be: `rate_quota`."""
    quantity_max: Callable[[P, str], int]
    """Largest quota of a service, base units; 0 = there is no such service."""
    next_switch: Callable[[P, Contract, Account, Usage], int]
    """Time of the next change of tariff after what a usage has used so far, milliseconds UTC; 0 = none."""
    piece_end: Callable[[P, Contract, Account, Usage], int]
    """When the piece that begins as a usage does must end, milliseconds UTC."""


class _Priced(Struct, frozen=True):
    usage: Usage
    charge: Charge
    taken: Taken
    requested: int
    """As far as the service allows, base units."""
    end_ms: int
    """Of the piece."""


def plan(pricing: Pricing[P], account: Account, contract: Contract, ask: SessionAsk) -> StepSession:
    """Rate one step of a session and find what can be granted.

    A step that the owner will refuse or has answered before (unknown, repeated, out of order) is passed on unrated.
    Raises `Invalid` for impossible quantities and whatever `pricing.rate` raises.
    """
    _check(ask)
    session = session_state.find(account, ask.session_id)
    if not _follows(session, ask):
        return _step(account, ask, ())
    pieces = [_piece(pricing, account, contract, session, ask, unit) for unit in ask.units]
    starts = {usage.service: usage.start_ms for usage, _ in pieces}
    view = session_state.undone(account, session, starts, free_all=ask.operation == "release")
    priced: list[_Priced] = []
    for unit, (usage, end_ms) in zip(ask.units, pieces, strict=True):
        if unit.used > pricing.quantity_max(pricing.plan_at(usage.start_ms), usage.service) > 0:
            text = "at most what the service allows in one report"
            raise Invalid("QUANTITY_INVALID", f"used is {text}", fields={"used": text})
        charge = of_use(view, pricing.rate(pricing.plan_at(usage.start_ms), usage, contract, available_view(view)))
        taken = session_state.take(view, charge, usage.start_ms)
        view = session_state.posted(view, taken)
        closed = ask.operation == "release" or account.terms.status != "active"
        most = pricing.quantity_max(pricing.plan_at(usage.start_ms), usage.service)
        priced.append(_Priced(usage, charge, taken, 0 if closed else min(unit.requested, most), end_ms))
    units: list[SessionUnit] = []
    for unit, each in zip(ask.units, priced, strict=True):
        granted, reservation, kept = _grant(pricing, view, contract, each)
        view = session_state.reserved(view, kept)
        asked = each.requested if account.terms.status == "active" else unit.requested
        asked = 0 if ask.operation == "release" else asked
        sealed = _unit(pricing, contract, account, each, granted, reservation, final=granted < asked)
        if not granted and asked and (account.terms.limits or has_bound(account)):
            sealed = replace(sealed, stopped=_stopped(pricing, view, contract, each))
        ahead = granted and each.end_ms > ask.time_ms > 0
        units.append(replace(sealed, valid_until_ms=each.end_ms) if ahead else sealed)
    return _step(account, ask, tuple(units))


def _check(ask: SessionAsk) -> None:
    check_services([unit.service for unit in ask.units], "units", "SESSION_MALFORMED")
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


def _step(account: Account, ask: SessionAsk, units: tuple[SessionUnit, ...]) -> StepSession:
    return StepSession(
        ask.session_id,
        ask.operation,
        ask.invocation,
        ask.identity,
        units,
        ask.valid_until_ms,
        account.version,
        account.mark,
    )


def _piece(
    pricing: Pricing[P], account: Account, contract: Contract, session: Session | None, ask: SessionAsk, unit: UnitAsk
) -> tuple[Usage, int]:
    """Give what was used in the piece that runs, or in the one that this report begins, and when that piece ends.

    Where and to whom the use goes stays what it was when the service began.
    """
    hold = session_state.hold_of(session, unit.service)
    if hold is None:
        usage = Usage(
            ask.identity, unit.service, unit.time_ms, unit.used, unit.other_party, unit.visited, unit.attributes
        )
        return usage, pricing.piece_end(pricing.plan_at(usage.start_ms), contract, account, usage)
    usage = Usage(
        ask.identity,
        hold.service,
        hold.start_ms,
        hold.used + unit.used,
        hold.other_party,
        hold.visited,
        hold.attributes,
    )
    end_ms = pricing.piece_end(pricing.plan_at(usage.start_ms), contract, account, usage)
    over = ask.time_ms >= end_ms and (unit.used > 0 or unit.requested > 0)
    # A piece that would use more than one quota may ever be is over as well: what follows begins the next.
    if not over and usage.quantity <= GRANT_MAX:
        return usage, end_ms
    usage = replace(usage, start_ms=max(ask.time_ms, hold.start_ms + 1), quantity=unit.used)
    return usage, pricing.piece_end(pricing.plan_at(usage.start_ms), contract, account, usage)


def _grant(pricing: Pricing[P], view: Account, contract: Contract, each: _Priced) -> tuple[int, Charge | None, Kept]:
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

    granted, found = grants.largest(each.requested, attempt_of)
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
    each: _Priced,
    granted: int,
    reservation: Charge | None,
    *,
    final: bool,
) -> SessionUnit:
    switch_ms = 0
    if granted:
        switch_ms = pricing.next_switch(pricing.plan_at(each.usage.start_ms), contract, account, each.usage)
    return SessionUnit(
        each.usage,
        seal(each.charge),
        granted,
        seal(reservation) if reservation is not None else None,
        final,
        contract.attributes.get(FINAL_ACTION, "terminate") if final else "",
        switch_ms,
    )
