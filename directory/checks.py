"""Which changes may enter the log. Pure: run against the state right before the compare-and-set that appends them."""

import re
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from charging.base.house_keys import PREFIX
from charging.base.identity import normalise
from charging.errors import Conflict, Fault, Invalid, NotFound, Refused
from charging.ledger.permission import ALL, NAMES, NO_LIMIT
from directory.changes import (
    AmendmentDecided,
    AmendmentProposed,
    CatalogueVersion,
    Change,
    Channel,
    DirectoryEntry,
    Domain,
    GrantSet,
    NumberPlan,
    Partner,
    PortBegun,
    PortEnded,
    RangeSet,
    UnitAddress,
    unpack_changes,
)
from directory.record_checks import CodeChecks, PlanChecks, Problem, code_problems, unknown_domain
from directory.slots import SLOTS_PER_DOMAIN_MAX
from directory.state import DirectoryState

CHANGES_PER_AMENDMENT_MAX = 250_000
KEY_BYTES_MAX = 200
PROBLEMS_TOLD_MAX = 50
PROPOSALS_MAX = 64
"""Amendments that wait for approval."""
_SUBJECT = re.compile(r"[a-z]{1,32}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?")


def check(state: DirectoryState, changes: Sequence[Change]) -> None:
    """Raise when the changes may not follow the state; later changes see what earlier ones of the same call make.

    Raises `Invalid` with one field for each problem (`changes[3].entry.domain`), or `Conflict` with reason
    CATALOGUE_PUBLISHED, DOMAIN_SLOTS_FIXED or PORT_UNDER_WAY.
    """
    if not 1 <= len(changes) <= CHANGES_PER_AMENDMENT_MAX:
        wanted = f"1 to {CHANGES_PER_AMENDMENT_MAX} changes"
        raise Invalid("CHANGES_MISSING", f"an amendment holds {wanted}", fields={"changes": wanted})
    view = _View(state)
    fields: dict[str, str] = {}
    reason = ""
    for index, change in enumerate(changes):
        for found, field, wanted in view.problems(change):
            reason = reason or found
            fields[f"changes[{index}].{field}"] = wanted
        if len(fields) >= PROBLEMS_TOLD_MAX:
            break
    if fields:
        first = next(iter(fields.items()))
        raise Invalid(reason, f"{first[0]}: {first[1]}", fields=fields)


def check_key(key: str) -> None:
    """Raise `Invalid` with reason REQUEST_KEY_MALFORMED when an amendment's key is none."""
    if not 1 <= len(key.encode()) <= KEY_BYTES_MAX:
        wanted = f"1 to {KEY_BYTES_MAX} bytes, unique for each intent"
        raise Invalid("REQUEST_KEY_MALFORMED", f"request key: expected {wanted}", fields={"request_key": wanted})


def check_callers_key(key: str) -> None:
    """Raise `Invalid` REQUEST_KEY_MALFORMED when it is none, or might meet a key that the house gives by itself."""
    check_key(key)
    if key.startswith(PREFIX):
        wanted = f"a first character other than {PREFIX}"
        raise Invalid("REQUEST_KEY_MALFORMED", f"request key: expected {wanted}", fields={"request_key": wanted})


class _View:
    """The state as earlier changes of the same amendment leave it, as far as checks ask."""

    def __init__(self, state: DirectoryState) -> None:
        self._state = state
        self._slots = {code: domain.slots for code, domain in state.named.items()}
        self._units = set(state.units)
        self._channels = CodeChecks("channel", state.channels)
        self._partners = CodeChecks("partner", state.partners)
        self._plan = PlanChecks(state.plan, self._slots)
        self._entered: dict[str, bool] = {}
        self._catalogues: dict[tuple[str, int], tuple[int, bytes]] = {}

    def problems(self, change: Change) -> Iterator[Problem]:
        """Tell what is wrong with one change; raise at once what no other wording would mend."""
        match change:
            case DirectoryEntry():
                yield from self._entry(change)
            case NumberPlan(ranges=ranges):
                yield from self._plan.whole(ranges)
            case Domain():
                yield from self._domain(change)
            case UnitAddress(name=name):
                yield from code_problems("unit.name", name)
                self._units.add(name)
            case Channel():
                yield from self._channels.problems(change, _naming(self._state, change))
            case Partner():
                yield from self._partners.problems(change, _naming(self._state, change))
            case RangeSet():
                yield from self._plan.one(change)
            case CatalogueVersion():
                yield from self._catalogue(change)
            case PortBegun() | PortEnded():
                _check_port(self._state, change)
            case GrantSet():
                yield from self._grant(change)
            case AmendmentProposed(content=content):
                if len(self._state.proposals) >= PROPOSALS_MAX:
                    raise Refused("PROPOSALS_FULL", f"{PROPOSALS_MAX} amendments wait for approval: decide those first")
                check(self._state, unpack_changes(content))
            case AmendmentDecided():
                _check_decision(self._state, change)

    def _entry(self, entry: DirectoryEntry) -> Iterator[Problem]:
        try:
            if normalise(entry.identity) != entry.identity:
                yield "IDENTITY_MALFORMED", "entry.identity", "the normalised spelling, kind:value"
        except Fault as fault:
            yield fault.reason, "entry.identity", fault.fields.get("identity", fault.message)
        there = self._entered.get(entry.identity, entry.identity in self._state.entries)
        self._entered[entry.identity] = not entry.remove
        if entry.remove:
            if not there:
                yield "ENTRY_UNKNOWN", "entry.identity", "an identity that has an entry"
            return
        slots = self._slots.get(entry.domain)
        if slots is None:
            yield unknown_domain("entry.domain", entry.domain)
        elif not 0 <= entry.slot < slots:
            yield "SLOT_UNKNOWN", "entry.slot", f"0 to {slots - 1}"

    def _domain(self, domain: Domain) -> Iterator[Problem]:
        yield from code_problems("domain.code", domain.code)
        if not 1 <= domain.slots <= SLOTS_PER_DOMAIN_MAX:
            yield "SLOTS_OUT_OF_RANGE", "domain.slots", f"1 to {SLOTS_PER_DOMAIN_MAX}"
        before = self._slots.get(domain.code)
        if before is not None and before != domain.slots:
            raise Conflict(
                "DOMAIN_SLOTS_FIXED",
                f"domain {domain.code} has {before} slots for good: accounts hash into them",
                facts={"domain": domain.code, "slots": str(before)},
            )
        for field, name in (("shared_unit", domain.shared_unit), ("private_unit", domain.private_unit)):
            if name not in self._units:
                text = f"the name of a unit that is amended before, not {name!r}"
                yield "STORAGE_UNIT_UNKNOWN", f"domain.{field}", text
        if not _is_time_zone(domain.time_zone):
            yield "TIME_ZONE_UNKNOWN", "domain.time_zone", "an IANA zone such as Asia/Shanghai"
        self._slots[domain.code] = domain.slots

    def _catalogue(self, change: CatalogueVersion) -> Iterator[Problem]:
        if change.domain and change.domain not in self._slots:
            yield unknown_domain("catalogue.domain", change.domain)
        if change.version < 1:
            yield "VERSION_OUT_OF_RANGE", "catalogue.version", "1 or more"
        if not change.content:
            yield "CATALOGUE_UNREADABLE", "catalogue.content", "a packed catalogue"
        where = (change.domain, change.version)
        published = self._state.catalogues.get(where)
        before = (published.effective_from_ms, published.content) if published else self._catalogues.get(where)
        if before is not None and before != (change.effective_from_ms, change.content):
            raise Conflict(
                "CATALOGUE_PUBLISHED",
                f"version {change.version} of {change.domain or 'national'} is published and never changes",
                facts={"domain": change.domain, "version": str(change.version)},
            )
        self._catalogues[where] = (change.effective_from_ms, change.content)

    def _grant(self, change: GrantSet) -> Iterator[Problem]:
        yield from code_problems("grant.grant_id", change.grant_id)
        if change.remove:
            return
        grant = change.grant
        if _SUBJECT.fullmatch(grant.subject) is None:
            yield "SUBJECT_MALFORMED", "grant.subject", "a role, or role/name, of letters, digits and _ . -"
        unknown = [name for name in grant.commands if name not in NAMES and name != ALL]
        if unknown or not grant.commands:
            wanted = f"names of {', '.join(sorted(NAMES))}, or {ALL}"
            yield (
                "COMMAND_UNKNOWN",
                "grant.commands",
                f"{wanted}; {(unknown or ['nothing'])[0][:40]!r} is none",
            )
        for field, amount in (("amount_max", grant.amount_max), ("alone_max", grant.alone_max)):
            if amount < NO_LIMIT:
                yield "AMOUNT_OUT_OF_RANGE", f"grant.{field}", f"micro-units, or {NO_LIMIT} for no limit"
        for code in grant.channels:
            if not self._channels.has(code):
                yield "CHANNEL_UNKNOWN", "grant.channels", f"codes of channels, not {code[:40]!r}"
        for code in grant.partners:
            if not self._partners.has(code):
                yield "PARTNER_UNKNOWN", "grant.partners", f"codes of partners, not {code[:40]!r}"
        for code in grant.domains:
            if code not in self._slots:
                yield unknown_domain("grant.domains", code)


def _check_decision(state: DirectoryState, change: AmendmentDecided) -> None:
    proposal = state.proposals.get(change.of_key)
    if proposal is None:
        raise NotFound("PROPOSAL_UNKNOWN", f"no amendment with the key {change.of_key[:64]!r} waits for approval")
    if not change.reject:
        check(state, proposal.changes)


def _check_port(state: DirectoryState, change: PortBegun | PortEnded) -> None:
    if isinstance(change, PortEnded):
        port = state.ports.get(change.key)
        if port is None or port.ended:
            raise Conflict("PORT_NOT_OPEN", "the port to be ended is not open", facts={"key": change.key})
    elif change.account_id in state.ports.open or change.key in state.ports:
        raise Conflict(
            "PORT_UNDER_WAY",
            "the account is being ported already; repeat that request key, or wait until it is over",
            retry_ms=1_000,
        )


def _naming(state: DirectoryState, change: Channel | Partner) -> str:
    """Give a grant that names a channel or a partner, "" when none does."""
    for name, grant in state.grants.items():
        if change.code in (grant.channels if isinstance(change, Channel) else grant.partners):
            return name
    return ""


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True
