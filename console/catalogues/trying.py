"""`onetier catalog try`: what given usage would cost on a plan of a folder, with no server."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from msgspec.structs import asdict

from authoring.offline import ATTRIBUTES
from authoring.publication import zone_of
from authoring.trying import Tried, try_uses
from charging.base.money import show
from charging.rating.explain import lines
from console.catalogues.checking import FolderArgument, checked
from console.views import Json, Row, View, print_view

NUMBER = "+8613900000000"
"""Whose usage is tried, when nobody is named: a number that no one has."""


def try_command(
    folder: FolderArgument,
    offering: Annotated[str, typer.Argument(help="Id of the plan; several with ';' between them.")],
    uses: Annotated[
        list[str], typer.Argument(help="Each as 'voice 61 s', 'data 2 GB at 2026-01-31T23:50', 'voice 3 min to 10086'.")
    ],
    domain: Annotated[str, typer.Option(help="Code of the subscriber's region.")],
    to: Annotated[str, typer.Option("--to", help="The called party, of uses that name none.")] = "",
    time: Annotated[
        str, typer.Option("--time", help="When uses begin that don't say, 2026-01-05T10:00; else now.")
    ] = "",
    family: Annotated[str, typer.Option(help="Numbers of the family, ';' between them.")] = "",
    attributes: Annotated[
        list[str] | None, typer.Option("--set", help="usage.direction=…, subscriber.grade=…, account.…, customer.…")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what usage would cost on a plan, step by step; allowances and caps run on from use to use."""
    catalogues = checked(folder, as_json).catalogues
    now = datetime.now(ZoneInfo(zone_of(catalogues))).isoformat(timespec="seconds")
    facts = {
        "identity": NUMBER,
        "domain": domain,
        "offerings": offering,
        "start": time or now,
        "other_party": to,
        "family": family,
        **dict(_attribute(text) for text in attributes or ()),
    }
    found = list(try_uses(catalogues, facts, uses))
    priced = [one.charge for one in found if one.charge is not None]
    text = [line for one in found for line in _told(one)]
    if priced:
        text.append(f"in all: {show(sum(charge.amount for charge in priced))} {priced[0].currency}")
    print_view(View([_data(one) for one in found], text), as_json)
    if len(priced) < len(found):
        raise typer.Exit(1)


def _told(one: Tried) -> Iterator[str]:
    yield one.use
    if one.charge is not None:
        yield from (f"  {line}" for line in lines(one.charge))
    elif one.refused is not None:
        facts = "".join(f"; {name}: {value}" for name, value in one.refused.facts.items())
        yield f"  {one.refused.reason}: {one.refused.message}{facts}"


def _data(one: Tried) -> Row:
    row: dict[str, object] = {"use": one.use}
    if one.charge is not None:
        charge = one.charge
        steps = [asdict(step) for step in charge.steps]
        row |= {"amount": charge.amount, "currency": charge.currency, "catalogue": charge.catalogue, "steps": steps}
    elif one.refused is not None:
        fault = one.refused
        row["refused"] = {"reason": fault.reason, "message": fault.message, "facts": fault.facts}
    return row


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name.partition(".")[0] not in ATTRIBUTES or not name.partition(".")[2]:
        raise typer.BadParameter(f"{text!r}: write usage.NAME=VALUE, or subscriber, account, customer instead of usage")
    return name, value
