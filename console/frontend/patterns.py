"""A month of use as people write it: `20x voice 10 min to 10086 on sat,sun from 20 to 22`, one use an option."""

import re

import typer
from onetier.v1 import service_desk_pb2 as desk

from charging.base.money import exact_quantity

_USE = re.compile(
    r"(?P<count>[0-9]{1,6})x (?P<service>[a-z][a-z0-9_-]{0,31}) (?P<quantity>[0-9.]+ ?[A-Za-z]*)"
    r"(?: to (?P<party>\S+))?(?: in (?P<place>\S+))?(?: on (?P<days>[a-z,]+))?"
    r"(?: from (?P<first>[0-9]{1,2}) to (?P<last>[0-9]{1,2}))?"
)
EXAMPLE = "20x voice 10 min to 10086 on sat,sun from 20 to 22"


def read_uses(texts: list[str]) -> desk.UsagePattern:
    """Read uses. Raises `typer.BadParameter` for one that can't be read."""
    return desk.UsagePattern(uses=[_use(text) for text in texts])


def _use(text: str) -> desk.PatternUse:
    match = _USE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} can't be read: write it as {EXAMPLE!r}", param_hint="'--use'")
    try:
        quantity = exact_quantity(match["quantity"])
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint="'--use'") from error
    if quantity.denominator != 1:
        raise typer.BadParameter(f"{text!r}: a part of a base unit can't be used", param_hint="'--use'")
    return desk.PatternUse(
        service_code=match["service"],
        quantity=int(quantity),
        count=int(match["count"]),
        other_party=match["party"] or "",
        visited_place=match["place"] or "",
        weekdays=match["days"].split(",") if match["days"] else (),
        from_hour=int(match["first"] or 0),
        to_hour=int(match["last"] or 0),
    )
