"""Rates journaled charges and discounts of bills again: by the pure engine, on the replayed account, with the
catalogues that are published.

A charge is held against every set of catalogues that was in force at some time since, newest first: which of them the
platform knew in that second no journal says. What can't be rated again is counted, with why.
"""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from audit.bill_rerating import NO_CONTRACT, discounts_again, until_closed
from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.usage import Charge
from charging.errors import Fault
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.post_charge import Charged
from charging.ledger.entry import Entry
from charging.ledger.events import SessionStepped
from charging.ledger.ledger import available_view
from charging.ledger.spreading import spread
from charging.plans.timeline import Timeline
from charging.rating.rating import rate
from charging.wire import CatalogueRef
from domainservers.contracts.contracts import contracts_in

SETS_MAX = 8
"""Of published catalogues, newest first."""
NO_CATALOGUE = "no catalogue is published for its region"
NO_BEGINNING = "what is left of the journal does not show its account or contract before it"
OF_SESSION = "a session's steps are rated on what the session itself has taken"


class RegionCatalogues(Struct, frozen=True):
    """What prices a region."""

    domain: str
    zone: str
    catalogues: tuple[CatalogueRef, ...]
    """National ones and those of the region, in the order in which they were published."""


class Rerater:
    """Follows the entries of one journal."""

    def __init__(self, published: RegionCatalogues) -> None:
        refs = published.catalogues
        self._timelines = [
            Timeline.build(refs[:count], published.domain, published.zone)
            for count in range(len(refs), max(0, len(refs) - SETS_MAX), -1)
        ]
        self._contracts: dict[str, Contract] = {}
        self.rated = 0
        self.left_out: Counter[str] = Counter()
        """Why → how many charges were not rated again."""

    def take(self, entry: Entry, before: Account | None) -> list[str]:
        """Rate an entry's charges on the account as it was before it; gives what differs.

        Entries come in the journal's order: contracts are taken from those before. None as `before` = the account did
        not exist. What can't be rated again is counted in `left_out`, by the reason.
        """
        findings = self._bill(entry, before)
        for event in spread(entry.events):
            if isinstance(event, SessionStepped):
                self.left_out[OF_SESSION] += len(event.postings)
            elif isinstance(event, Charged):
                findings += self._charge(entry.key, event, before)
                # Of a batch of uses, each was rated on what the one before it left.
                before = event.apply(before) if before is not None else None
        for contract in contracts_in(entry.events):
            self._contracts[contract.identity] = contract
        return findings

    def _bill(self, entry: Entry, before: Account | None) -> list[str]:
        """Rate the discounts of a bill again; where no catalogue is published there are none that could be told."""
        closed = next((event for event in entry.events if isinstance(event, PeriodClosed)), None)
        if closed is None or before is None or not self._timelines:
            return []
        found = discounts_again(self._timelines, closed, until_closed(before, entry), self._contracts)
        if found is None:
            self.left_out[NO_CONTRACT] += 1
            return []
        return [f"entry {entry.key}: {sentence}" for sentence in found]

    def _charge(self, key: str, event: Charged, before: Account | None) -> list[str]:
        contract = self._contracts.get(event.usage.identity)
        if not self._timelines:
            self.left_out[NO_CATALOGUE] += 1
            return []
        if before is None or contract is None:
            self.left_out[NO_BEGINNING] += 1
            return []
        self.rated += 1
        found = self._rate_all(event, contract, available_view(before))
        if any(_same(charge, event) for charge in found if isinstance(charge, Charge)):
            return []
        newest = found[0]
        told = f"{newest.amount} {newest.currency}" if isinstance(newest, Charge) else newest.message
        took = f"{event.charge.amount} {event.charge.currency} by catalogue {event.charge.catalogue}"
        return [f"entry {key} took {took}; rated again it gives {told}"]

    def _rate_all(self, event: Charged, contract: Contract, account: Account) -> Sequence[Charge | Fault]:
        found: list[Charge | Fault] = []
        for timeline in self._timelines:
            try:
                plan = timeline.plan_at(event.usage.start_ms)
                found.append(rate(plan, event.usage, contract, account))
            except Fault as fault:
                found.append(fault)
        return found


def _same(charge: Charge, event: Charged) -> bool:
    """Whether a rating gives what was taken: money, units, accumulators, and by the same catalogue."""
    kept = event.charge
    return (
        (charge.amount, charge.currency, charge.catalogue) == (kept.amount, kept.currency, kept.catalogue)
        and dict(charge.takes) == dict(kept.takes)
        and dict(charge.accruals) == dict(kept.accruals)
    )
