"""A unit in use is moved by `onetier unit move`, which takes its journals along, and never by an amendment alone."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from charging.errors import Refused
from directory.changes import Change, Domain, UnitAddress
from directory.state import DirectoryState


def check_units(changes: Sequence[Change], state: DirectoryState) -> None:
    """Let an address change its hosts and options, not its store, file or keyspace; a domain keeps its units.

    Raises `Refused` UNIT_IN_USE: what lives in the unit would be out of reach.
    """
    used = {name for domain in state.named.values() for name in (domain.shared_unit, domain.private_unit)}
    for index, change in enumerate(changes):
        if isinstance(change, UnitAddress) and change.name in used:
            if _place(change.url) != _place(state.units[change.name]):
                raise _in_use(f"changes[{index}].unit.url", change.name)
        elif isinstance(change, Domain) and change.code in state.named:
            known = state.named[change.code]
            for field in ("shared_unit", "private_unit"):
                if getattr(change, field) != getattr(known, field):
                    raise _in_use(f"changes[{index}].domain.{field}", getattr(known, field))


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.path


def _in_use(field: str, name: str) -> Refused:
    wanted = f"unit {name!r} is in use: move a private one with `onetier unit move`, which takes along what is in it"
    return Refused("UNIT_IN_USE", f"{field}: {wanted}", fields={field: wanted})
