"""Which fields of a request have an effect, by what is asked. What is written in vain is refused: whoever wrote it
meant something, and would believe that it was done.

The fields of the commands themselves are read in `appserver.reading.orders`; a test holds that each changes what is
ordered, or is refused.
"""

from collections.abc import Mapping

from onetier.v1 import service_desk_pb2 as desk

from charging.errors import Invalid

COMMANDS = tuple(field.name for field in desk.ServiceRequest.DESCRIPTOR.oneofs_by_name["command"].fields)
EVENTS = frozenset({"charge", "quote"})
EXECUTE = frozenset({"execute"})
PREVIEW = frozenset({"preview"})
"""The dry run of a command: a quote with a command in it."""
PAGED = frozenset({"account", "accounts", "offerings", "detail"})
PRICED = frozenset({"month", "compare"})
VIEWS = frozenset({"balance", "usage", "contract", "history", "outcome", "arrears", "fees", "frozen"}) | PAGED | PRICED
ALL = EVENTS | EXECUTE | PREVIEW | VIEWS

EFFECTS: Mapping[str, frozenset[str]] = {
    "identity": ALL,
    "request_type": ALL,
    "service_code": EVENTS | VIEWS,
    "request_key": frozenset({"charge", "execute", "outcome"}),
    "event_time_ms": EVENTS | EXECUTE | PREVIEW,
    "quantity": EVENTS | PAGED | {"usage", "history"},
    "channel": ALL,
    "other_party": EVENTS,
    "visited_place": EVENTS,
    "partner": ALL,
    "explain": EVENTS | {"usage", "history", "outcome", "detail"},
    "attributes": EVENTS,
    "unit_key": EVENTS,
    "actor": ALL,
    "history_cursor": frozenset({"history"}),
    "language": ALL,
    "page_cursor": PAGED,
    "kinds": frozenset({"history", "detail"}),
    "services": frozenset({"detail", "compare"}),
    "from_ms": frozenset({"detail"}) | PRICED,
    "to_ms": frozenset({"detail", "compare", "fees"}),
    "offerings": frozenset({"offerings"}) | PRICED,
    "pattern": frozenset({"month"}),
    **dict.fromkeys(COMMANDS, EXECUTE | PREVIEW),
}
"""Field → what is asked when it has an effect. A field that is not named has none."""
_NUMBERS = {field.name: field.number for field in desk.ServiceRequest.DESCRIPTOR.fields}
_EFFECTIVE = {asked: frozenset(_NUMBERS[name] for name in EFFECTS if asked in EFFECTS[name]) for asked in ALL}
"""The same by what is asked, in numbers of fields: they cost less than names, and every query is asked."""


def in_vain(request: desk.ServiceRequest, asked: str) -> list[Invalid]:
    """Say which fields of a request are set and mean nothing for what it asks: FIELD_WITHOUT_EFFECT for each.

    They are refused, not passed over: who sets one means something by it.
    """
    effective = _EFFECTIVE[asked]
    return [
        Invalid(
            "FIELD_WITHOUT_EFFECT",
            f"{field.name} has no effect on {asked}: leave it out",
            fields={field.name: f"nothing, for {asked}"},
        )
        for field, _ in request.ListFields()
        if field.number not in effective
    ]
