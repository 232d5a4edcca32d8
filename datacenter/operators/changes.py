"""Directory changes: protobuf ↔ core, both ways, only here."""

from collections.abc import Iterable, Mapping

from onetier.v1 import data_center_pb2 as pb

from charging.errors import Invalid
from charging.ledger.permission import BUILT_IN, Grant
from directory.changes import (
    AmendmentDecided,
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
)


def changes_of(messages: Iterable[pb.DirectoryChange]) -> list[Change]:
    """Read changes, in order. Raises `Invalid` with reason CHANGE_MALFORMED or PREFIX_TWICE and the field."""
    return [_change(index, message) for index, message in enumerate(messages)]


def _change(index: int, message: pb.DirectoryChange) -> Change:
    match message.WhichOneof("change"):
        case "entry":
            entry = message.entry
            return DirectoryEntry(entry.identity, entry.domain, entry.slot, entry.remove)
        case "number_plan":
            return NumberPlan(_ranges(index, message.number_plan))
        case "domain":
            one = message.domain
            return Domain(one.code, one.name, one.time_zone, one.slots or 1, one.shared_unit, one.private_unit)
        case "channel":
            channel = message.channel
            return Channel(channel.code, channel.name, channel.open, channel.partners_only, channel.remove)
        case "partner":
            partner = message.partner
            return Partner(partner.code, partner.name, partner.active, partner.remove)
        case "range":
            return RangeSet(message.range.prefix, message.range.domain, message.range.remove)
        case "unit":
            return UnitAddress(message.unit.name, message.unit.url)
        case "catalogue":
            version = message.catalogue
            return CatalogueVersion(version.domain, version.version, version.effective_from_ms, version.content)
        case "grant":
            return _grant(message.grant)
        case "decision":
            return AmendmentDecided(message.decision.of_key, message.decision.reject)
        case _:
            wanted = "exactly one kind of change"
            raise Invalid(
                "CHANGE_MALFORMED", f"changes[{index}]: expected {wanted}", fields={f"changes[{index}]": wanted}
            )


def _ranges(index: int, plan: pb.NumberPlan) -> dict[str, str]:
    ranges: dict[str, str] = {}
    for number, one in enumerate(plan.ranges):
        if one.remove:
            field = f"changes[{index}].number_plan.ranges[{number}].remove"
            wanted = "a plan without the ranges that are to go, or a change of its own for each"
            raise Invalid("FIELD_WITHOUT_EFFECT", f"{field}: expected {wanted}", fields={field: wanted})
        before = ranges.setdefault(one.prefix, one.domain)
        if before != one.domain:
            field = f"changes[{index}].number_plan.ranges[{number}].prefix"
            wanted = f"a prefix once; {one.prefix[:20]!r} is {before}'s already"
            raise Invalid("PREFIX_TWICE", f"{field}: expected {wanted}", fields={field: wanted})
    return ranges


def _grant(given: pb.Grant) -> GrantSet:
    grant = Grant(
        given.subject,
        tuple(given.commands),
        given.amount_max,
        given.alone_max,
        tuple(given.channels),
        tuple(given.partners),
        tuple(given.domains),
        given.actors,
    )
    return GrantSet(given.grant_id, grant, given.remove)


def grant_messages(written: Mapping[str, Grant]) -> list[pb.Grant]:
    """Tell the grants in force: what is written, and the built-in ones of the roles that nothing is written for.

    The built-in ones come last and have no id.
    """
    subjects = {grant.subject for grant in written.values()}
    in_force = [*written.items(), *(("", grant) for grant in BUILT_IN if grant.subject not in subjects)]
    return [
        pb.Grant(
            grant_id=grant_id,
            subject=grant.subject,
            commands=grant.commands,
            amount_max=grant.amount_max,
            alone_max=grant.alone_max,
            channels=grant.channels,
            partners=grant.partners,
            domains=grant.domains,
            actors=grant.actors,
        )
        for grant_id, grant in in_force
    ]
