"""Planning one step of a charging session on the platform: what was used costs, and how much more can be granted.

Each step rates the whole quantity of a service since its start, on a view of the account where what this session posted
and kept is undone and what other sessions keep counts as taken. So the number of updates never changes the price. The
grant is rated as "whole quantity plus grant"; when the account can't cover it, or a cap that ends the call is reached
before, the largest grant below is found by bisection, and marked as the final unit with the action that the contract
asks for.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from charging import session_state
from charging.account import Account, Session
from charging.commands import SessionUnit, StepSession
from charging.contract import Contract
from charging.errors import Invalid
from charging.ledger import available_view, seal
from charging.session_state import Kept, Taken
from charging.usage import Charge, Usage, ended

FINAL_ACTION = "final_action"
"""Attribute of a contract: terminate (the default), restrict or redirect."""
QUANTITY_MAX = 1 << 50
"""Bound of what one service of a session uses, base units."""
SERVICES_MAX = 16

P = TypeVar("P")


class UnitAsk(Struct, frozen=True):
    """One service of a step, as the front end reports it."""

    service: str
    requested: int
    """Quota asked for now, base units; 0 = none."""
    used: int
    """Used since the last report."""
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
    identity: str
    units: tuple[UnitAsk, ...]
    valid_until_ms: int
    """When quota that is granted now must have been reported."""


class Pricing(Struct, Generic[P], frozen=True):
    """How the platform rates, passed in: `timeline.plan_at`, `rating.rate` and `rating.next_switch`."""

    plan_at: Callable[[int], P]
    rate: Callable[[P, Usage, Contract, Account], Charge]
    next_switch: Callable[[P, Contract, Usage], int]
    """Time of the next change of tariff after what a usage has used so far, milliseconds UTC; 0 = none."""


class _Priced(Struct, frozen=True):
    usage: Usage
    charge: Charge
    taken: Taken
    requested: int


def plan(pricing: Pricing[P], account: Account, contract: Contract, ask: SessionAsk) -> StepSession:
    """Rate one step of a session and find what can be granted.

    A step that the owner will refuse or has answered before (unknown, repeated, out of order) is passed on unrated.
    Raises `Invalid` for impossible quantities and whatever `pricing.rate` raises.
    """
    _check(ask)
    session = session_state.find(account, ask.session_id)
    if not _follows(session, ask):
        return _step(account, ask, ())
    services = frozenset(unit.service for unit in ask.units)
    view = session_state.undone(account, session, services, free_all=ask.operation == "release")
    priced: list[_Priced] = []
    for unit in ask.units:
        usage = _usage(session, ask, unit)
        charge = pricing.rate(pricing.plan_at(usage.start_ms), usage, contract, available_view(view))
        taken = session_state.take(view, charge, usage.start_ms)
        view = session_state.posted(view, taken)
        granted = 0 if ask.operation == "release" or account.status != "active" else unit.requested
        priced.append(_Priced(usage, charge, taken, granted))
    units: list[SessionUnit] = []
    for unit, each in zip(ask.units, priced, strict=True):
        granted, reservation, kept = _grant(pricing, view, contract, each)
        view = session_state.reserved(view, kept)
        asked = 0 if ask.operation == "release" else unit.requested
        units.append(_unit(pricing, contract, each, granted, reservation, final=granted < asked))
    return _step(account, ask, tuple(units))


def _check(ask: SessionAsk) -> None:
    services = [unit.service for unit in ask.units]
    if len(set(services)) != len(services) or len(services) > SERVICES_MAX:
        raise Invalid(
            "SESSION_MALFORMED", f"each service once, at most {SERVICES_MAX}", fields={"units": "each service once"}
        )
    for unit in ask.units:
        if not 0 <= unit.used <= QUANTITY_MAX:
            raise Invalid("USED_OUT_OF_RANGE", f"used is 0 to {QUANTITY_MAX}", fields={"used": "zero or more"})
        if not 0 <= unit.requested <= QUANTITY_MAX:
            raise Invalid("QUOTA_OUT_OF_RANGE", f"quota is 0 to {QUANTITY_MAX}", fields={"requested": "zero or more"})


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


def _usage(session: Session | None, ask: SessionAsk, unit: UnitAsk) -> Usage:
    """Give the whole usage since the service began; where and to whom it goes stays what it was at its beginning."""
    hold = session_state.hold_of(session, unit.service)
    if hold is None:
        return Usage(
            ask.identity, unit.service, unit.time_ms, unit.used, unit.other_party, unit.visited, unit.attributes
        )
    whole = hold.used + unit.used
    if whole > QUANTITY_MAX:
        raise Invalid("USED_OUT_OF_RANGE", f"a session uses at most {QUANTITY_MAX}", fields={"used": "less"})
    return Usage(ask.identity, hold.service, hold.start_ms, whole, hold.other_party, hold.visited, hold.attributes)


def _grant(pricing: Pricing[P], view: Account, contract: Contract, each: _Priced) -> tuple[int, Charge | None, Kept]:
    """Find the largest grant up to what is requested that the account covers."""
    if each.requested == 0 or each.taken.shortfall:
        return 0, None, Kept((), ())
    start_ms, used = each.usage.start_ms, each.usage.quantity
    catalogue = pricing.plan_at(start_ms)
    without = available_view(session_state.posted(view, each.taken, -1))

    def attempt(grant: int) -> tuple[Charge, Kept | None]:
        charge = pricing.rate(catalogue, replace(each.usage, quantity=used + grant), contract, without)
        if ended(charge):
            return charge, None
        return charge, session_state.keep(view, each.charge, charge, start_ms)

    charge, kept = attempt(each.requested)
    if kept is not None:
        return each.requested, charge, kept
    best: tuple[int, Charge | None, Kept] = (0, None, Kept((), ()))
    low, high = 0, each.requested
    while high - low > 1:
        middle = (low + high) // 2
        charge, kept = attempt(middle)
        if kept is None:
            high = middle
        else:
            low, best = middle, (middle, charge, kept)
    return best


def _unit(
    pricing: Pricing[P], contract: Contract, each: _Priced, granted: int, reservation: Charge | None, *, final: bool
) -> SessionUnit:
    switch_ms = 0
    if granted:
        switch_ms = pricing.next_switch(pricing.plan_at(each.usage.start_ms), contract, each.usage)
    return SessionUnit(
        each.usage,
        seal(each.charge),
        granted,
        seal(reservation) if reservation is not None else None,
        final,
        contract.attributes.get(FINAL_ACTION, "terminate") if final else "",
        switch_ms,
    )
