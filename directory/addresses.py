"""Where units may be that an amendment names: looked at where the address is written, and again where it is opened."""

from collections.abc import Sequence

from charging.errors import Invalid
from directory.changes import Change, UnitAddress
from storage.allowed import Allowed
from storage.unit import StoreRejected
from storage.url import parse


def check_addresses(changes: Sequence[Change], allowed: Allowed) -> None:
    """Raise `Invalid` with reason UNIT_ADDRESS_MALFORMED or UNIT_ADDRESS_FORBIDDEN for the first that may not be."""
    for index, change in enumerate(changes):
        if not isinstance(change, UnitAddress):
            continue
        reason, problem = _problem(change.url, allowed)
        if problem:
            fields = {f"changes[{index}].unit.url": problem}
            raise Invalid(reason, f"unit {change.name[:40]!r}: {problem}", fields=fields)


def _problem(url: str, allowed: Allowed) -> tuple[str, str]:
    try:
        address = parse(url)
    except StoreRejected as wrong:
        return "UNIT_ADDRESS_MALFORMED", str(wrong)
    if "password" in address.options:
        never = "a password would stand in the directory's log for ever"
        return "UNIT_ADDRESS_MALFORMED", f"{never}: name a variable that has it with password_env="
    return "UNIT_ADDRESS_FORBIDDEN", allowed.problem(url)
