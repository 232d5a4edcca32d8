"""The uses of `post_usage`, given one by one or by columns, and what any use of a service may say of itself.

Both ways give the same uses, so a request may be repeated in either. By columns, what stands once is read once: uses
that have a text or a set of attributes in common share it.
"""

from collections.abc import Callable
from itertools import repeat
from typing import TypeVar

from onetier.v1 import service_desk_pb2 as desk

from charging.base.asked import Asked
from charging.base.bounds import QUANTITY_DEFAULT
from charging.base.fieldtypes import ATTRIBUTES, refusal
from charging.base.names import is_place, is_service
from charging.base.party import party
from charging.base.usage import Usage
from charging.errors import Invalid
from charging.ledger.commands.post_usage import USES_MAX

T = TypeVar("T")
USES_READ_MAX = USES_MAX + 1
"""One more than is taken, so that too many are seen as such and no more of them are read."""
_BEGAN = "when the use began, not after the request, UTC"


def uses_of(command: desk.PostUsage, asked: Asked) -> tuple[Usage, ...]:
    """Read all uses; none = neither way was used. Raises `Invalid`."""
    if not command.HasField("columns"):
        given = command.uses[:USES_READ_MAX]
        return tuple([_use(each, f"post_usage.uses[{index}]", asked) for index, each in enumerate(given)])
    if command.uses:
        raise _uneven("columns", "in place of uses, not beside them")
    return _by_columns(command.columns, asked)


def service_of(given: str, path: str) -> str:
    """Give the code of a service. Raises `Invalid` SERVICE_UNKNOWN."""
    if is_service(given) is None:
        raise refusal("SERVICE_UNKNOWN", path, "a service code of the catalogue, such as voice, sms, data")
    return given


def place_of(given: str, path: str) -> str:
    """Give the code of a place, "" = at home. Raises `Invalid` REGION_UNKNOWN."""
    if given and is_place(given) is None:
        raise refusal("REGION_UNKNOWN", path, "the code of a region or of a network abroad")
    return given


def check_quantity(quantity: int, path: str) -> None:
    """Raise `Invalid` QUANTITY_NEGATIVE or QUANTITY_ABSURD."""
    if quantity < 0:
        raise refusal("QUANTITY_NEGATIVE", path, "0 or more")
    if quantity > QUANTITY_DEFAULT:
        raise refusal("QUANTITY_ABSURD", path, f"at most {QUANTITY_DEFAULT}")


def _use(given: desk.UsageUse, path: str, asked: Asked) -> Usage:
    check_quantity(given.quantity, f"{path}.quantity")
    if not 0 < given.event_time_ms <= asked.time_ms:
        raise refusal("EVENT_TIME_INVALID", f"{path}.event_time_ms", _BEGAN)
    return Usage(
        asked.identity,
        service_of(given.service_code, f"{path}.service_code"),
        given.event_time_ms,
        given.quantity,
        party(given.other_party, asked.country) if given.other_party else "",
        place_of(given.visited_place, f"{path}.visited_place"),
        ATTRIBUTES.read(given.attributes, f"{path}.attributes"),
    )


def _by_columns(given: desk.UseColumns, asked: Asked) -> tuple[Usage, ...]:
    count = len(given.event_times_ms)
    if count > USES_MAX:
        raise refusal("LIST_TOO_LONG", "post_usage.columns", f"at most {USES_MAX} uses")
    if len(given.quantities) != count:
        raise _uneven("columns.quantities", "one for each use")
    if not count:
        return ()
    starts, quantities = list(given.event_times_ms), list(given.quantities)
    if min(starts) <= 0 or max(starts) > asked.time_ms:
        place = next(at for at, start_ms in enumerate(starts) if not 0 < start_ms <= asked.time_ms)
        raise refusal("EVENT_TIME_INVALID", f"post_usage.columns.event_times_ms[{place}]", _BEGAN)
    if min(quantities) < 0 or max(quantities) > QUANTITY_DEFAULT:
        for place, quantity in enumerate(quantities):
            check_quantity(quantity, f"post_usage.columns.quantities[{place}]")
    services = _texts(given.service_codes, count, "columns.service_codes", service_of)
    places = _texts(given.visited_places, count, "columns.visited_places", place_of)
    country = asked.country
    others = _texts(
        given.other_parties, count, "columns.other_parties", lambda text, _: party(text, country) if text else ""
    )
    path = "columns.attributes"
    if len(given.attributes) > count:
        raise _uneven(path, "each once")
    sets = [ATTRIBUTES.read(each.values, f"post_usage.{path}[{at}]") for at, each in enumerate(given.attributes)]
    if not sets:
        sets.append({})
    attributes = _spread(sets, list(given.attributes_of), count, f"{path}_of")
    return tuple(map(Usage, repeat(asked.identity), services, starts, quantities, others, places, attributes))


def _texts(column: desk.TextColumn, count: int, path: str, read: Callable[[str, str], str]) -> list[str]:
    """Read each text of a column once, and give that of each use."""
    if len(column.texts) > count:
        raise _uneven(f"{path}.texts", "each once")
    texts = [read(text, f"post_usage.{path}.texts[{at}]") for at, text in enumerate(column.texts or ("",))]
    return _spread(texts, list(column.text_of), count, f"{path}.text_of")


def _spread(values: list[T], places: list[int], count: int, path: str) -> list[T]:
    """Give the value of each use by its place; no places = all have the first, and there is no other."""
    if not places and len(values) == 1:
        return values * count
    if len(places) != count or min(places) < 0 or max(places) >= len(values):
        raise _uneven(path, "a place for each use, from 0 on; none where all have the first")
    return [values[place] for place in places]


def _uneven(path: str, wanted: str) -> Invalid:
    return refusal("USE_COLUMNS_WRONG", f"post_usage.{path}", wanted)
