"""The fields of many records → those of usage records, by the rules of a format.

It is what `mediation.decoding.mapping` does record by record; what that would refuse, or has to look at, is null here.
"""

from collections.abc import Callable

import msgspec
import polars as pl

from charging.base.bounds import QUANTITY_DEFAULT
from mediation.decoding.mapping import (
    START_MS_MAX,
    check_attributes,
    check_party,
    check_plain_party,
    check_service,
    check_visited,
)
from mediation.decoding.valuecolumns import ValueColumn, mobiles, vetted
from mediation.duplicates.keys import CONTENTS
from mediation.formats.format import FieldRule, Format
from mediation.formats.values import NumberValue

_NUMERIC = frozenset(("start", "quantity"))
_PLAIN = "^[ -~]{0,128}$"
_TEXT, _TO = ".text", ".to"


class FieldColumns:
    """Of one format. `country` is where other parties were dialled that stand as they were; "" = nobody asks."""

    def __init__(self, form: Format, country: str) -> None:
        self._rules = dict(form.rules())
        self._attributes = sorted(name for name in self._rules if name.startswith("attributes."))
        self._readers = {name: ValueColumn(rule.read) for name, rule in self._rules.items()}
        self._country = country

    def read(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Give the columns that decide what a use costs; `cells` have no spaces around them, and are never null."""
        texts = [each for name, rule in self._rules.items() for each in self._everyday(name, rule)]
        found = cells.select(texts) if texts else cells.clear()
        columns = {name: self._field(name, rule, found, len(cells)) for name, rule in self._rules.items()}
        for name in ("other_party", "visited", "partner"):
            columns.setdefault(name, _same("", len(cells)))
        start, quantity = columns.pop("start"), columns["quantity"]
        columns["start_ms"] = start.set(~start.is_between(1, START_MS_MAX), None)
        columns["quantity"] = quantity.set(quantity > QUANTITY_DEFAULT, None)
        columns["service"] = vetted(columns["service"], check_service)
        columns["visited"] = vetted(columns["visited"], check_visited)
        columns["other_party"] = self._party(columns["other_party"])
        columns["attributes"] = self._json([columns.pop(name) for name in self._attributes], len(cells))
        return pl.DataFrame([columns[name].alias(name) for name in CONTENTS])

    def _everyday(self, name: str, rule: FieldRule) -> list[pl.Expr]:
        """Give the text of a field, null where it is empty, and its value as texts stand every day."""
        if rule.value:
            return []
        text = pl.coalesce([_given(column) for column in (rule.column, *rule.others)])
        reader = self._readers[name]
        made = [text.alias(name + _TEXT), reader.everyday(text).alias(name)]
        if rule.to:
            made += [_given(rule.to).alias(name + _TO + _TEXT), reader.everyday(_given(rule.to)).alias(name + _TO)]
        return made

    def _field(self, name: str, rule: FieldRule, found: pl.DataFrame, rows: int) -> pl.Series:
        numeric = name in _NUMERIC
        if rule.value:
            return _same(int(rule.value) if numeric else rule.value, rows)
        reader, texts = self._readers[name], found[name + _TEXT]
        values = reader.read(texts, found[name])
        if rule.to:
            length_ms = reader.read(found[name + _TO + _TEXT], found[name + _TO]) - values
            values = (length_ms.set(length_ms < 0, None) + 999) // 1_000
        values = values if numeric else values.cast(pl.String)
        if rule.empty is None:
            return values
        return values.set(texts.is_null(), int(rule.empty) if numeric else rule.empty)

    def _party(self, values: pl.Series) -> pl.Series:
        rule = self._rules.get("other_party")
        if rule is None or (isinstance(rule.read, NumberValue) and not rule.empty):
            return values  # An identity in its one spelling.
        country = self._country
        usual = values.str.contains(_PLAIN) & (
            (values == "") | pl.select(mobiles(pl.lit(values), country).is_not_null()).to_series()
            if country
            else values.is_not_null()
        )

        def check(other_party: str) -> None:
            check_plain_party(other_party)
            check_party(other_party, country)

        seldom = vetted(values.filter(~usual), check)
        return values.scatter(usual.not_().arg_true(), seldom) if len(seldom) else values

    def _json(self, columns: list[pl.Series], rows: int) -> pl.Series:
        """Give attributes as they stand in a column, null where one of them can't be."""
        if not columns:
            return _same("{}", rows)
        names = [name.removeprefix("attributes.") for name in self._attributes]

        pairs = zip(names, columns, strict=True)
        made = pl.DataFrame([vetted(each, _attribute_check(name)).alias(name) for name, each in pairs])
        each = made.unique()
        told = [msgspec.json.encode(row).decode() for row in each.iter_rows(named=True)]
        whole = each.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
        each = each.with_columns(pl.Series("", told).set(~whole, None))
        return made.join(each, on=names, how="left", maintain_order="left", nulls_equal=True)[""]


def _attribute_check(name: str) -> Callable[[str], None]:
    return lambda value: check_attributes({name: value})


def _given(column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(pl.col(column))


def _same(value: str | int, rows: int) -> pl.Series:
    return pl.Series([value]).new_from_index(0, rows)
