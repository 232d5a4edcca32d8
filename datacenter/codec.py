"""Directory changes: protobuf ↔ core, both ways, only here."""

from collections.abc import Iterable

from onetier.v1 import data_center_pb2 as pb

from charging.errors import Invalid
from directory.changes import (
    CatalogueVersion,
    Change,
    Channel,
    Domain,
    Entry,
    NumberPlan,
    Partner,
    UnitAddress,
)


def changes_of(messages: Iterable[pb.DirectoryChange]) -> list[Change]:
    """Read changes. Raises `Invalid` with reason CHANGE_MALFORMED or PREFIX_TWICE and the field."""
    return [_change(index, message) for index, message in enumerate(messages)]


def _change(index: int, message: pb.DirectoryChange) -> Change:
    match message.WhichOneof("change"):
        case "entry":
            entry = message.entry
            return Entry(entry.identity, entry.domain, entry.slot, entry.remove)
        case "number_plan":
            return NumberPlan(_ranges(index, message.number_plan))
        case "domain":
            one = message.domain
            return Domain(one.code, one.name, one.time_zone, one.slots or 1, one.shared_unit, one.private_unit)
        case "channel":
            channel = message.channel
            return Channel(channel.code, channel.name, channel.open, channel.partners_only)
        case "partner":
            return Partner(message.partner.code, message.partner.name, message.partner.active)
        case "unit":
            return UnitAddress(message.unit.name, message.unit.url)
        case "catalogue":
            version = message.catalogue
            return CatalogueVersion(version.domain, version.version, version.effective_from_ms, version.content)
        case _:
            wanted = "exactly one kind of change"
            raise Invalid(
                "CHANGE_MALFORMED", f"changes[{index}]: expected {wanted}", fields={f"changes[{index}]": wanted}
            )


def _ranges(index: int, plan: pb.NumberPlan) -> dict[str, str]:
    ranges: dict[str, str] = {}
    for number, one in enumerate(plan.ranges):
        before = ranges.setdefault(one.prefix, one.domain)
        if before != one.domain:
            field = f"changes[{index}].number_plan.ranges[{number}].prefix"
            wanted = f"a prefix once; {one.prefix[:20]!r} is {before}'s already"
            raise Invalid("PREFIX_TWICE", f"{field}: expected {wanted}", fields={field: wanted})
    return ranges
