"""Dunning: which steps are due about an account, which hold no longer, and what follows for its service.

A step is taken when a sweep comes by, and undone in the very act that takes its reason away: a payment, a credit, a
dispute, an agreement to pay later, more credit. Neither needs the catalogue any more: the account keeps the steps.
"""

from collections.abc import Iterable, Sequence
from typing import cast

from charging.base.account import MAIN_BOOK, Account
from charging.base.dunning import END, NOTICE, RESTRICT, SUSPEND_ALL, SUSPEND_OUTGOING, Dunned, DunningStep
from charging.base.openbills import DAY_MS, PPM, overdue, overdue_since
from charging.base.receivables import kept_for_bills
from charging.ledger import funds
from charging.ledger.event import BaseEvent
from charging.ledger.events import Noticed, StatusSet
from charging.ledger.standing import DUNNING, FUNDS_ENDED, LIMITED

_STOPS = (RESTRICT, SUSPEND_OUTGOING, SUSPEND_ALL)


class DunningTaken(BaseEvent, frozen=True, tag="dunned"):
    """Steps were taken about what is overdue; what they stop are the other events of the entry."""

    steps: tuple[Dunned, ...]

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Remember them as holding."""
        return account.with_open(dunned=(*account.open.dunned, *self.steps))

    def words(self) -> str:
        """Name them."""
        return "dunning: " + named(self.steps)


class DunningLifted(BaseEvent, frozen=True, tag="undunned"):
    """Steps hold no longer: what they were taken for is paid, held, or agreed for later."""

    steps: tuple[tuple[str, str], ...]
    """(step, service) each."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Forget them."""
        gone = set(self.steps)
        kept = [row for row in account.open.dunned if (row.step.step_id, row.service) not in gone]
        return account.with_open(dunned=tuple(kept))

    def words(self) -> str:
        """Name them."""
        return "no dunning any more: " + ", ".join(":".join(filter(None, step)) for step in self.steps)


def named(steps: Iterable[Dunned]) -> str:
    """Name steps, with their services."""
    return ", ".join(row.step.step_id + (f":{row.service}" if row.service else "") for row in steps)


def arrears(account: Account, now_ms: int, service: str = "") -> tuple[int, int]:
    """Give what is overdue, of a service or in all, micro-units, and since when, UTC; (0, 0) = nothing is."""
    late = [(overdue(bill, now_ms, service), overdue_since(bill, now_ms)) for bill in account.open.bills]
    found = [(amount, since_ms) for amount, since_ms in late if amount > 0]
    if not found:
        return 0, 0
    return sum([amount for amount, _ in found]), min([since_ms for _, since_ms in found])


def credit_used(account: Account) -> int:
    """Give what of the credit limit is used: by what is not billed yet, and by bills that are not paid."""
    main = funds.book_of(account, MAIN_BOOK)
    return kept_for_bills(account) + max(0, -main.amount if main is not None else 0)


def holds(account: Account, step: DunningStep, service: str, now_ms: int) -> bool:
    """Say whether a step has its reason, as the account is now."""
    if step.credit_ppm:
        limit = account.terms.credit_limit
        return limit > 0 and credit_used(account) * PPM >= limit * step.credit_ppm
    amount, since_ms = arrears(account, now_ms, service)
    return amount >= max(1, step.amount) and now_ms - since_ms >= step.days * DAY_MS


def due(account: Account, steps: Sequence[DunningStep], now_ms: int) -> tuple[Dunned, ...]:
    """Say which steps are to be taken that are not taken yet, in the order of the catalogue.

    An account ends only when no session goes on and no transfer is under way.
    """
    taken = {(row.step.step_id, row.service) for row in account.open.dunned}
    services = sorted({row.service for bill in account.open.bills for row in bill.items if row.service})
    found: list[Dunned] = []
    for step in steps:
        if step.action == END and (account.open.sessions or account.open.outgoing):
            continue
        for service in services if step.per_service else ("",):
            if (step.step_id, service) not in taken and holds(account, step, service, now_ms):
                found.append(Dunned(step, service, now_ms))
    return tuple(found)


def entailed(account: Account, now_ms: int) -> tuple[BaseEvent, ...]:
    """Say which steps hold no longer as an account is now, and what service goes on with them."""
    over = [row for row in account.open.dunned if not holds(account, row.step, row.service, now_ms)]
    if not over or account.terms.status in ("closed", "moved"):
        return ()
    lifted = DunningLifted(tuple([(row.step.step_id, row.service) for row in over]))
    status = status_of(lifted.apply(account))
    if all(row.step.action == NOTICE for row in over):
        return (lifted, *status)
    notices = tuple([f"resumed:{row.service}" if row.service else "resumed" for row in over if _stops(row)])
    return (lifted, *status, Noticed(tuple(dict.fromkeys(notices))))


def _stops(row: Dunned) -> bool:
    return row.step.action in _STOPS


def status_of(account: Account) -> tuple[StatusSet, ...]:
    """Give the change of status that the steps of an account ask for; staff's own words are left alone."""
    terms = account.terms
    stops = [row for row in account.open.dunned if _stops(row)]
    whole = any(row.step.action == SUSPEND_ALL and not row.service for row in stops)
    wanted = "suspended" if whole else LIMITED if stops else "active"
    ours = terms.status in ("active", LIMITED) or (terms.status == "suspended" and terms.status_reason == DUNNING)
    ended = terms.status == "suspended" and terms.status_reason == FUNDS_ENDED
    if wanted == terms.status or not (ours or (ended and whole)):
        return ()
    return (StatusSet(wanted, "" if wanted == "active" else DUNNING),)


def consequences(account: Account, now_ms: int) -> tuple[StatusSet | Noticed | DunningLifted, ...]:
    """Do what `entailed` does, where an account is dunned at all."""
    if not account.open.dunned:
        return ()
    return cast(tuple[StatusSet | Noticed | DunningLifted, ...], entailed(account, now_ms))
