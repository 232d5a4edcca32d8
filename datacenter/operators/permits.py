"""Who may amend the directory, and which amendments need a second principal.

Amendments of plan, units and grants are never anybody's alone, unless a grant says so (`alone_max` without limit): they
wait in the log until another principal approves them. While a directory has no domain yet, whoever sets it up is alone.
"""

from collections.abc import Sequence

from charging.errors import Conflict, Denied, Invalid, NotFound, Refused
from charging.ledger.permission import NO_LIMIT, Policy, names_another
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
    RangeSet,
    UnitAddress,
    digest_of,
    pack_changes,
    unpack_changes,
)
from directory.state import DirectoryState

_NAMES: dict[type, str] = {
    DirectoryEntry: "amend_plan",
    NumberPlan: "amend_plan",
    RangeSet: "amend_plan",
    Domain: "amend_plan",
    UnitAddress: "amend_units",
    Channel: "amend_channels",
    Partner: "amend_channels",
    CatalogueVersion: "publish",
    GrantSet: "amend_grants",
    AmendmentDecided: "approve_amendment",
}
_TOGETHER = frozenset({"amend_plan", "amend_units", "amend_grants"})
"""What needs a second principal."""


def check_call(policy: Policy, principal: str, name: str, actor: str = "", domain: str = "") -> None:
    """Let a call of the directory's service in. Raises what `Policy.permit` raises."""
    policy.permit(principal, name, domain=domain, actor=names_another(principal, actor))


def admitted(state: DirectoryState, changes: Sequence[Change], principal: str, actor: str) -> tuple[Change, ...]:
    """Give the changes as a principal may append them: as they are, in order, or as one proposal that waits.

    A directory without domains is being founded: nothing waits there. Raises what `Policy.permit` raises, and `Invalid`
    DECISION_NOT_ALONE.
    """
    another = names_another(principal, actor)
    alone = True
    for name, domain in {(_NAMES[type(change)], _region(change)) for change in changes}:
        permission = state.policy.permit(principal, name, domain=domain, actor=another)
        alone = alone and (name not in _TOGETHER or permission.alone_max == NO_LIMIT)
    if any(isinstance(change, AmendmentDecided) for change in changes) and len(changes) > 1:
        wanted = "nothing else beside a decision"
        raise Invalid("DECISION_NOT_ALONE", f"changes: expected {wanted}", fields={"changes": wanted})
    if alone or not state.domains:
        return tuple(changes)
    return (AmendmentProposed(pack_changes(tuple(changes))),)


def check_decision(state: DirectoryState, changes: Sequence[Change], principal: str) -> None:
    """Check that nobody approves an amendment of their own. Raises `Denied` SAME_PRINCIPAL."""
    for change in changes:
        if isinstance(change, AmendmentDecided) and not change.reject:
            proposal = state.proposals.get(change.of_key)
            if proposal is not None and proposal.principal == principal:
                raise Denied("SAME_PRINCIPAL", f"{principal} proposed this: another principal must approve it")


def effective(state: DirectoryState, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Give what changes do in the end, in order: of a proposal what it proposes, of an approval what it approves.

    A rejection does nothing. Raises `NotFound` PROPOSAL_UNKNOWN.
    """
    found: list[Change] = []
    for change in changes:
        if isinstance(change, AmendmentDecided):
            proposal = state.proposals.get(change.of_key)
            if proposal is None:
                text = f"no amendment with the key {change.of_key[:64]!r} waits for approval"
                raise NotFound("PROPOSAL_UNKNOWN", text)
            found += () if change.reject else proposal.changes
        elif isinstance(change, AmendmentProposed):
            found += unpack_changes(change.content)
        else:
            found.append(change)
    return tuple(found)


def repeated(state: DirectoryState, key: str, changes: Sequence[Change]) -> int | None:
    """Give the revision of an amendment whose key is known; None for a new one.

    Raises `Refused` APPROVAL_NEEDED while it waits, PROPOSAL_REJECTED when it was rejected, PROPOSAL_EXPIRED;
    `Conflict` REQUEST_KEY_REUSED.
    """
    known = state.keys.get(key)
    if known is None:
        return None
    if known.digest == digest_of(tuple(changes)):
        return known.revision
    if known.digest != digest_of((AmendmentProposed(pack_changes(tuple(changes))),)):
        raise Conflict(
            "REQUEST_KEY_REUSED", "the request key was used for another amendment", facts={"request_key": key[:200]}
        )
    if key in state.proposals:
        raise approval_needed(key)
    revision = state.decided.get(key)
    if revision is None:
        raise Refused("PROPOSAL_EXPIRED", "nobody approved the amendment in time: send it again under a new key")
    if not revision:
        raise Refused("PROPOSAL_REJECTED", "the amendment was rejected")
    return revision


def approval_needed(key: str) -> Refused:
    """Make the answer to an amendment that waits."""
    text = "a second principal must approve this amendment: nothing is changed yet, approve its request key"
    return Refused("APPROVAL_NEEDED", text, facts={"of_key": key[:200]})


def _region(change: Change) -> str:
    """Name the region that a change is about; "" = the nation."""
    match change:
        case DirectoryEntry(domain=domain) | CatalogueVersion(domain=domain) | RangeSet(domain=domain):
            return domain
        case Domain(code=code):
            return code
    return ""
