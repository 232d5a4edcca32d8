"""Offerings → protobuf replies."""

from fractions import Fraction

from onetier.v1 import service_desk_pb2 as desk

from charging.base.money import micro
from charging.base.tongue import Tongue
from charging.catalogue.offer_figures import Figure
from charging.catalogue.offer_sheet import OfferSheet
from charging.errors import Fault
from runtime.languages.telling import to_status_in


def fill_offering(view: desk.OfferingView, sheet: OfferSheet, origin: str, say: Tongue) -> None:
    """Write what an offering says to everybody."""
    sold = sheet.offering
    view.offering = sold.id
    view.name = say.label(sold.name, sold.id)
    view.kind = sold.kind
    view.origin = origin
    view.includes.extend(each.id for each in sheet.with_it)
    view.requires.extend(sold.requires)
    view.excludes.extend(sold.excludes)
    view.validity = sold.validity
    view.may_be_given = sold.may_be_given
    view.gift_fee = int(micro(sold.gift_fee))
    for clause in sheet.clauses:
        told = view.clauses.add(
            section=clause.section, id=clause.id, name=clause.name, text=clause.text, origin=clause.origin
        )
        for figure in clause.figures:
            _figure(told.prices.add(), figure)


def fill_eligibility(view: desk.OfferingView, refusal: Fault | None, say: Tongue, *, subscribed: bool) -> None:
    """Write whether the subscriber holds it, and may take it."""
    view.subscribed = subscribed
    view.may_subscribe = refusal is None
    if refusal is not None:
        view.refusal.CopyFrom(to_status_in(refusal, say))


def _figure(into: desk.OfferPrice, figure: Figure) -> None:
    into.kind = figure.kind
    into.exact = _fraction(figure.exact)
    into.per = _fraction(figure.per) if figure.per is not None else ""
    into.unit = figure.unit
    into.start = _fraction(figure.start) if figure.start else ""
    into.bands.extend(figure.bands)


def _fraction(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"
