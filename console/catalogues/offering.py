"""`onetier catalog offer`: a plan of a folder as a customer would read it, with no server."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from charging.base.tongue import label_of
from charging.catalogue.offer_sheet import OfferSheet, offer_sheet
from console.catalogues.checking import FolderArgument, checked
from console.views import Json, Row, View, print_view

HEADINGS = {
    "fee": "fees",
    "included": "included",
    "price": "prices",
    "roaming": "roaming",
    "discount": "discounts",
}


def offer_command(
    folder: FolderArgument,
    offering: Annotated[str, typer.Argument(help="Id of the plan.")],
    domain: Annotated[str, typer.Option(help="Code of the customer's region.")],
    as_json: Json = False,
) -> None:
    """Print a plan as a customer of a region would read it: fees, what is included, prices, roaming, discounts."""
    sheet = offer_sheet(checked(folder, as_json).catalogues, offering, domain)
    print_view(View(list(_rows(sheet)), _lines(sheet, domain)), as_json)


def _lines(sheet: OfferSheet, domain: str) -> Iterator[str]:
    sold = sheet.offering
    yield f"{label_of(sold.name, sold.id)} ({sold.kind} {sold.id}) in {domain}, in {sheet.currency}"
    if sheet.with_it:
        yield f"  with {', '.join(label_of(each.name, each.id) for each in sheet.with_it)}"
    if sold.validity:
        yield f"  for {sold.validity}"
    if sold.requires:
        yield f"  only beside {' or '.join(sold.requires)}"
    if sold.excludes:
        yield f"  not beside {', '.join(sold.excludes)}"
    for section, heading in HEADINGS.items():
        said = [clause for clause in sheet.clauses if clause.section == section]
        if said:
            yield f"{heading}:"
        for clause in said:
            regional = f"  [{clause.origin}]" if clause.origin else ""
            yield f"  {clause.name}: {clause.text}{regional}"


def _rows(sheet: OfferSheet) -> Iterator[Row]:
    yield {
        "section": "offering",
        "id": sheet.offering.id,
        "currency": sheet.currency,
        "with": [each.id for each in sheet.with_it],
        "entry": sheet.offering,
    }
    for clause in sheet.clauses:
        row = msgspec.structs.asdict(clause)
        del row["figures"]  # The entry has them as they were written.
        yield {"currency": sheet.currency, **row}
