"""What the control log adds up to: a pure fold of amendments, no I/O, no clock, the same in every process."""

from collections import OrderedDict
from collections.abc import Iterable
from sys import intern

from msgspec import Struct

from charging import wire
from charging.ledger.permission import Grant, Policy
from directory.changes import (
    Amendment,
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
from directory.entries import EntryTable
from directory.number_plan import DomainPrefixes
from directory.ports import PortBook

KEYS_KEPT_MAX = 100_000
PROPOSAL_KEEP_MS = 7 * 86_400_000
"""An amendment that nobody decided for so long is over."""


class DomainInfo(Struct, frozen=True, gc=False):
    """A region as the tiers need it: units are addresses, not names."""

    code: str
    name: str
    time_zone: str
    slots: int
    shared_unit: str
    """URL."""
    private_unit: str


class Applied(Struct, frozen=True, array_like=True, gc=False):
    """What became of an amendment's key. The newest `KEYS_KEPT_MAX` are known; an older key would take effect again."""

    digest: bytes
    revision: int


class AmendmentProposal(Struct, frozen=True, gc=False):
    """Changes that wait for a second principal."""

    changes: tuple[Change, ...]
    principal: str
    actor: str
    time_ms: int


class Touched(Struct):
    """What an amendment changed, for caches of routes: these identities, or all of them."""

    identities: list[str]
    all_routes: bool = False


class DirectoryState:
    """The directory at one revision. Only `apply` changes it, in the order of the log: all processes have the same."""

    def __init__(self) -> None:
        self.revision = 0
        self.named: dict[str, Domain] = {}
        self.domains: dict[str, DomainInfo] = {}
        self.units: dict[str, str] = {}
        self.channels: dict[str, wire.ChannelRef] = {}
        self.partners: dict[str, wire.PartnerRef] = {}
        self.catalogues: dict[tuple[str, int], wire.CatalogueRef] = {}
        self.plan = DomainPrefixes({})
        self.entries = EntryTable()
        self.keys: OrderedDict[str, Applied] = OrderedDict()
        self.ports = PortBook(KEYS_KEPT_MAX)
        self.grants: dict[str, Grant] = {}
        self.policy = Policy()
        """Of the grants; another object whenever they change."""
        self.proposals: OrderedDict[str, AmendmentProposal] = OrderedDict()
        """What waits for approval, by the key of its amendment, oldest first."""
        self.decided: OrderedDict[str, int] = OrderedDict()
        """Proposals that are over: key → revision of the approval, 0 = rejected."""
        self._reference: dict[str, int] = {"": 0}

    def apply(self, key: str, digest: bytes, amendment: Amendment, revision: int) -> Touched:
        """Take one amendment at a revision; the changes were checked before they were written, and are not again.

        Proposals older than `PROPOSAL_KEEP_MS` by the amendment's own time end first: no process's clock decides.
        """
        touched = Touched([])
        while self.proposals and next(iter(self.proposals.values())).time_ms + PROPOSAL_KEEP_MS <= amendment.time_ms:
            self.proposals.popitem(last=False)
        for change in amendment.changes:
            if isinstance(change, AmendmentProposed):
                self.proposals[key] = AmendmentProposal(
                    unpack_changes(change.content), amendment.principal, amendment.actor, amendment.time_ms
                )
            elif isinstance(change, AmendmentDecided):
                self._decide(change, revision, touched)
            elif not isinstance(change, RangeSet):
                self._apply(change, revision, touched)
        self._lead(amendment.changes, touched)
        self.keys[key] = Applied(digest, revision)
        while len(self.keys) > KEYS_KEPT_MAX:
            self.keys.popitem(last=False)
        return touched

    def _lead(self, changes: Iterable[Change], touched: Touched) -> None:
        """Take single ranges in, all of an amendment at once: a plan is made anew for them.

        They come last: no other change looks at the plan, and one that replaces it is not beside them (`checks`).
        """
        ranges = {one.prefix: "" if one.remove else one.domain for one in changes if isinstance(one, RangeSet)}
        if ranges:
            self.plan = self.plan.changed(ranges)
            touched.all_routes = True

    def _apply(self, change: Change, revision: int, touched: Touched) -> None:
        match change:
            case DirectoryEntry():
                self.entries.enter(change)
                touched.identities.append(change.identity)
            case NumberPlan(ranges=ranges):
                self.plan = DomainPrefixes(ranges)
                touched.all_routes = True
            case Domain():
                if change.code not in self.named:
                    self._reference[""] = revision  # Every reference names all domains.
                self.named[change.code] = change
                self._resolve_units()
                self._reference[change.code] = revision
                touched.all_routes = True
            case UnitAddress(name=name, url=url):
                self.units[name] = url
                self._resolve_units()
            case Channel(code, name, is_open, partners_only, remove):
                if remove:
                    self.channels.pop(code, None)
                else:
                    self.channels[code] = wire.ChannelRef(code, name, is_open, partners_only)
                self._reference[""] = revision
            case Partner(code, name, active, remove):
                if remove:
                    self.partners.pop(code, None)
                else:
                    self.partners[code] = wire.PartnerRef(code, name, active)
                self._reference[""] = revision
            case CatalogueVersion(domain, version, effective_from_ms, content):
                if (domain, version) not in self.catalogues:
                    self.catalogues[domain, version] = wire.CatalogueRef(domain, version, effective_from_ms, content)
                    self._reference[domain] = revision
            case PortBegun():
                self.ports.begin(change, revision)
            case PortEnded():
                self.ports.end(change, revision)
            case GrantSet():
                self._grant(change, revision)

    def _decide(self, decision: AmendmentDecided, revision: int, touched: Touched) -> None:
        proposal = self.proposals.pop(decision.of_key)
        if not decision.reject:
            for change in proposal.changes:
                if not isinstance(change, RangeSet):
                    self._apply(change, revision, touched)
            self._lead(proposal.changes, touched)
        self.decided[decision.of_key] = 0 if decision.reject else revision
        while len(self.decided) > KEYS_KEPT_MAX:
            self.decided.popitem(last=False)

    def _grant(self, change: GrantSet, revision: int) -> None:
        if change.remove:
            self.grants.pop(change.grant_id, None)
        else:
            self.grants[change.grant_id] = change.grant
        self.policy = Policy(self.grants.values())
        self._reference[""] = revision

    def _resolve_units(self) -> None:
        self.domains = {
            code: DomainInfo(
                intern(code),
                domain.name,
                domain.time_zone,
                domain.slots,
                self.units.get(domain.shared_unit, ""),
                self.units.get(domain.private_unit, ""),
            )
            for code, domain in self.named.items()
        }

    def reference_revision(self, domain: str) -> int:
        """Give the revision that last changed what `wire.Reference` of a domain says."""
        return max(self._reference[""], self._reference.get(domain, 0))

    def catalogues_of(self, domain: str) -> tuple[wire.CatalogueRef, ...]:
        """Give the national catalogues and those of a domain, oldest first."""
        return tuple(sorted(self._seen_by(domain), key=lambda ref: (ref.effective_from_ms, ref.version, ref.domain)))

    def _seen_by(self, domain: str) -> Iterable[wire.CatalogueRef]:
        return (ref for ref in self.catalogues.values() if ref.domain in ("", domain))
