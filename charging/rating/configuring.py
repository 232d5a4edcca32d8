"""Which characteristics of a contract a channel may change, and to what, by the catalogue."""

from collections.abc import Mapping
from typing import Literal

from charging.catalogue.characteristics import Characteristic
from charging.errors import Invalid
from charging.ledger.commands.change_characteristics import ChangeCharacteristics

NAMES_SHOWN_MAX = 12
_PATH = "change_characteristics"

Kind = Literal["attribute", "group", "agreement"]
Known = Mapping[str, Characteristic]


def check_characteristics(known: Known, order: ChangeCharacteristics, channel: str) -> None:
    """Hold a change against the characteristics of the catalogue in force.

    Raises `Invalid` CHARACTERISTIC_UNKNOWN, CHARACTERISTIC_NOT_CHANGEABLE for another channel or what may not be taken
    away, CHARACTERISTIC_VALUE_UNKNOWN, GROUP_TOO_LARGE.
    """
    for name, value in order.set_attributes.items():
        path = f"{_PATH}.set_attributes[{name}]"
        found = _changeable(known, name, "attribute", channel, path)
        if not value:
            _require_removable(found, path)
        elif found.values and value not in found.values:
            text = f"one of {', '.join(found.values[:NAMES_SHOWN_MAX])}"
            raise _invalid("CHARACTERISTIC_VALUE_UNKNOWN", f"{name} can't be {value[:64]!r}: give {text}", path, text)
    if order.group:
        path = f"{_PATH}.group"
        found = _changeable(known, order.group, "group", channel, path)
        if not order.group_members:
            _require_removable(found, path)
        if found.most and len(order.group_members) > found.most:
            text = f"at most {found.most}"
            message = f"group {order.group} would have {len(order.group_members)} numbers: {text}"
            raise _invalid("GROUP_TOO_LARGE", message, f"{_PATH}.group_members", text)
    for name in order.add_agreements:
        _changeable(known, name, "agreement", channel, f"{_PATH}.add_agreements")
    for name in order.remove_agreements:
        path = f"{_PATH}.remove_agreements"
        _require_removable(_changeable(known, name, "agreement", channel, path), path)


def _changeable(known: Known, name: str, kind: Kind, channel: str, path: str) -> Characteristic:
    found = known.get(name)
    if found is None or found.kind != kind:
        names = sorted(each.id for each in known.values() if each.kind == kind)[:NAMES_SHOWN_MAX]
        text = f"one of {', '.join(names) or 'none: the catalogue has none'}"
        raise _invalid("CHARACTERISTIC_UNKNOWN", f"no {kind} {name[:64]!r} may be changed: give {text}", path, text)
    if found.channels and channel not in found.channels:
        text = f"changed through {', '.join(found.channels[:NAMES_SHOWN_MAX])}"
        raise _invalid("CHARACTERISTIC_NOT_CHANGEABLE", f"{kind} {name} is {text}, not {channel[:64]!r}", path, text)
    return found


def _require_removable(found: Characteristic, path: str) -> None:
    if not found.removable:
        text = "changed, not taken away"
        raise _invalid("CHARACTERISTIC_NOT_CHANGEABLE", f"{found.kind} {found.id} may be {text}", path, text)


def _invalid(reason: str, message: str, path: str, text: str) -> Invalid:
    return Invalid(reason, message, fields={path: text})
