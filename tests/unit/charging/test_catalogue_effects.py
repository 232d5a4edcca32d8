"""What is written has an effect: each key of a catalogue changes what is compiled, or it is refused, or listed here."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import FunctionType

import msgspec
from msgspec import Struct

from charging.base.localtime import LocalTime
from charging.catalogue.document import Catalogue, from_plain
from charging.catalogue.dunning import DunningRule
from charging.catalogue.merge import merge
from charging.catalogue.offers import Accumulator, Agreement, Discount, ExclusiveGroup, Fee, Offering
from charging.catalogue.tariffs import Price, Tariff
from charging.catalogue.taxes import Tax
from charging.catalogue.words import Band, Calendar, Destination, PartyGroup, RatingGroup, Service, Zone
from charging.checks.check import check
from charging.checks.walk import shown, structs
from charging.plans.compile import compile_plan

LOCAL = LocalTime("Asia/Shanghai")
MOMENTS = ("2025-06-01", "2026-01-15", "2026-03-02", "2026-08-01", "2028-01-01")
"""Before, while and after the dated entries are in force."""
DATES = {"effective_from": "2026-01-01", "effective_to": "2027-01-01"}
RATES = [{"price": "0.1", "per": "60"}, {"from": "60", "price": "0.2", "per": "1.5 min", "increment": "30"}]
NATION = {
    "catalogue": "all that can be said",
    "version": "3",
    "effective_from": "2025-01-01",
    "currency": "USD", "country": "US", "time_zone": "America/New_York", "quarantine_days": "90", "reopen_days": "30",
    "past_days": "30", "past_closed": "refuse",
    "rounding": {"mode": "up", "places": "3"},
    "services": [{"id": "voice", "unit": "second", "name": "v", "item": "calls", "quantity_max": "9 h",
                  "session_time": "report",
                  "quota": {"usual": "9 min", "threshold": "2 min", "holding": "30", "validity": "1 h",
                            "final": {"action": "redirect", "redirect": "http://pay", "filters": ["few"]}}},
                 {"id": "sms", "unit": "event", "item": "texts"}],
    "calendars": [{"id": "feast", "days": ["2026-10-01"], "name": "f"}, {"id": "fast", "days": ["2026-10-02"]}],
    "bands": [{"id": "night", "from": "22:00", "to": "23:00", "name": "n", "weekdays": ["mon"], "calendars": ["feast"],
               "except_calendars": ["fast"]}, {"id": "dawn", "from": "05:00", "to": "06:00"}],
    "destinations": [{"id": "home", "prefixes": ["86"], "name": "h"}],
    "zones": [{"id": "asia", "places": ["HK*"], "name": "a"}],
    "parties": [{"id": "friends", "prefixes": ["86139"], "name": "f"}],
    "tariffs": [
        {"id": "calls", "service": "voice", "standard": "true", "name": "c", "item": "talk", **DATES,
         "rounding": {"mode": "down", "places": "2"},
         "prices": [
             {"id": "p", "name": "p", "item": "words", "effective_from": "2026-02-01", "effective_to": "2026-06-01",
 "connect": "0.1", "connect_always": "true",
              "minimum": "0.2", "grace": "3", "grace_free": "true", "band_switch": "increment", "rates": RATES,
              "cap": {"amount": "9", "over": "day", "then": "end", "accumulator": "c", "shared": "true"},
              "bands": [
                  {"bands": ["night"], "connect": "0.2", "minimum": "0.3", "cap": {"amount": "1"}, "tiers": {
                      "model": "package", "over": "month", "accumulator": "t", "shared": "true",
                      "steps": [{"upto": "9", "price": "2", "per": "7", "increment": "6", "flat": "1"},
                                {"rates": RATES}]}},
                  {"bands": ["dawn"], "rates": RATES}],
              "when": {"destinations": ["home"], "parties": ["friends"], "home": ["asia"], "visited": ["asia"],
                       "bands": ["night"], "attributes": {"kind": ["x"]}}},
             {"id": "q", "when": {"attributes": {"kind": ["y"]}}, "tiers": {"steps": [{"price": "2"}]}}]},
        {"id": "texts", "service": "sms", "prices": [{"id": "p", "rates": [{"price": "0.1"}]}]}],
    "allowances": [
        {"id": "free", "unit": "second", "quota": "9 min", "name": "f", "period": "month", "priority": "5", **DATES,
         "when": {"services": ["voice"]}, "increment": "6", "shared": "true", "member_cap": "2 min", "prorated": "true",
         "roll_over": {"limit": "1 min", "used": "last"}},
        {"id": "child", "unit": "money", "quota": "0", "blocks": "true", "when": {"services": ["voice"]}}],
    "fees": [
        {"id": "monthly", "amount": "9", "name": "m", "period": "month", "prorated": "false", "charged": "arrears",
         "item": "rent", "minus": "spent", "rounding": {"mode": "down", "places": "1"}, "while_paused": "due", **DATES},
        {"id": "early", "amount": "9", "kind": "one_time", "event": "request"},
        {"id": "seat", "amount": "9", "proration": "30_day_months", "trial_days": "3", "free_months": "2"},
        {"id": "setup", "amount": "9", "kind": "one_time", "event": "change"}],
    "offerings": [
        {"id": "o", "name": "the first", "kind": "bundle", "priority": "5", "includes": ["p"], "services": ["voice"],
         "tariffs": ["texts"], "allowances": ["free"], "discounts": ["five"], "fees": ["monthly"], "validity": "30 d",
         "requires": ["p"], "excludes": ["r"], "minimum_months": "1", "early_end": "early", "early_end_by": "month",
         "begins_max": "2", "begins_period": "day", **DATES},
        {"id": "p", "may_be_given": "true", "gift_fee": "1"}, {"id": "r"}],
    "discounts": [
        {"id": "five", "stage": "offering", "name": "f", "level": "C", "priority": "5", "percent": "5", **DATES,
         "applies_to": ["usage", "fee"], "exclusive": "one",
         "limit": {"amount": "2", "over": "day", "accumulator": "l"},
         "when": {"usage": {"services": ["voice"]}, "items": ["talk"], "tariffs": ["calls"], "offerings": ["o"],
                  "subscriber": {"a": ["1"]}, "item": {"fee": ["monthly"]}, "account": {"b": ["2"]},
                  "customer": {"c": ["3"]}, "quantity_min": "4", "amount_min": "5",
                  "accumulators": [{"accumulator": "spent", "at_least": "1", "below": "2"}]}},
        {"id": "off", "stage": "account", "amount": "1"}, {"id": "all", "stage": "account", "total": "1"},
        {"id": "each", "stage": "account", "price": {"price": "1", "per": "2"}},
        {"id": "grow", "stage": "account", **DATES, "thresholds": {
            "accumulator": "spent", "steps": [{"at_least": "5", "percent": "6"}]}}],
    "bonuses": [
        {"id": "welcome", "book": "gift", "name": "w", "kinds": ["deposit"], "channels": ["web"], "first": "true",
         "most": "9", "allowance": "child", "validity": "30 d", "priority": "5", **DATES,
         "steps": [{"at_least": "50", "amount": "5", "percent": "10"}]}],
    "gifts": [
        {"id": "friends", "unit": "money", "most": "50", "name": "f", "books": ["gift"], "least": "1", "per_day": "90",
         "per_month": "300", "fee": "0.5", "fee_kept": "true", "to_book": "gift", "allowance": "child",
         "validity": "30 d", **DATES}],
    "characteristics": [
        {"id": "grade", "name": "g", "values": ["a"], "removable": "false", "channels": ["web"], **DATES},
        {"id": "friends", "kind": "group", "most": "3"}],
    "agreements": [{"id": "a", "discounts": ["off"], "name": "a", **DATES}],
    "exclusive_groups": [{"id": "one", "choose": "best", "name": "o"}],
    "accumulators": [
        {"id": "spent", "counts": "amount", "period": "month", "name": "s", "when": {"services": ["voice"]},
         "shared": "true", **DATES}],
    "taxes": [{"id": "basic", "percent": "9", "items": ["*"]},
              {"id": "data", "percent": "6", "items": ["rent"], "category": "basic", "name": "d", **DATES}],
    "splits": [{"id": "rent", "parts": [{"item": "line", "price": "6"}, {"item": "calls", "price": "3"}]}],
    "dunning": [
        {"id": "post", "name": "p", "when": {"payment_modes": ["postpaid"], "account": {"a": ["1"]},
                                             "customer": {"b": ["2"]}},
         "late_fee": {"per_mille_a_day": "3", "grace_days": "5", "cap_percent": "50", "first": "true"},
         "steps": [{"id": "s", "days": "3", "amount": "2", "do": "notice", "per": "service"},
                   {"id": "c", "credit_percent": "80", "do": "restrict"}], "quiet": ["night"]}],
    "bills": {"prices": "exclude_tax", "tax_rounding": "line", "coin": "0.05", "minimum": "1", "zero": "made",
              "due_days": 20},
    "rating_groups": [
        {"id": "g", "service": "voice", "name": "g", "group": "10", "attributes": {"kind": "x"},
         "quota": {"usual": "5 min"}},
        {"id": "h", "service": "voice", "group": "10", "identifiers": ["7"], "controlled": "false"}],
}  # fmt: skip
REGION = {
    "catalogue": "region", "version": "2", "domain": "GD", "rounding": {"places": "1"}, "currency": "USD",
    "bills": {"minimum": "2"},
    "overrides": {
        "prices": [{"tariff": "texts", "price": {"id": "p", "rates": [{"price": "0.3"}]}}],
        "tariffs": [{"id": "calls", "service": "voice", "prices": [{"id": "z", "rates": RATES}], "standard": "true"}],
        "allowances": [{"id": "free", "unit": "second", "quota": "8", "when": {
            "bands": ["night"], "destinations": ["home"], "visited": ["asia"], "parties": ["friends"]}}],
        "fees": [{"id": "setup", "amount": "7"}],
        "offerings": [{"id": "r", "priority": "3"}], "discounts": [{"id": "off", "stage": "account", "amount": "2"}],
        "bands": [{"id": "night", "from": "21:00", "to": "22:00", "calendars": ["feast"]}],
        "calendars": [{"id": "feast", "days": ["2026-10-03"]}],
        "destinations": [{"id": "home", "prefixes": ["87"]}], "zones": [{"id": "asia", "places": ["MO*"]}],
        "parties": [{"id": "friends", "prefixes": ["88"]}],
        "taxes": [{"id": "basic", "percent": "7", "items": ["*"]}],
        "splits": [{"id": "rent", "parts": [{"item": "line", "price": "5"}, {"item": "calls", "price": "5"}]}],
        "rating_groups": [{"id": "g", "service": "voice", "group": "11"}],
        "bonuses": [{"id": "welcome", "book": "gift", "steps": [{"at_least": "60", "amount": "5"}]}],
        "gifts": [{"id": "friends", "unit": "money", "most": "40"}],
        "characteristics": [{"id": "grade", "values": ["b"]}]},
}  # fmt: skip
OTHER = {
    "id": "other", "unit": "event", "days": ("2026-12-24",), "prefixes": ("99",), "places": ("XX",), "service": "sms",
    "prices": (), "steps": (), "bands": (), "amount": "7.7", "price": "7.7", "tariff": "calls", "stage": "product",
    "book": "elsewhere", "most": "76",
    "quota": "77", "at_least": "77", "percent": "77", "discounts": (), "accumulator": "t", "version": 9, "domain": "SH",
    "catalogue": "other",
    "per_mille_a_day": "7", "action": "end",
    "upto": "77", "items": ("calls",), "item": "calls", "parts": (),
}  # fmt: skip
"""Another value of fields that can't be left out."""
FOR_PEOPLE = "words for people, and for what compares and fetches catalogues"
WITHOUT = {
    **{(kind, "name"): FOR_PEOPLE for kind in (Service, Calendar, Band, Destination, Zone, PartyGroup, Price, Tariff)},
    **{(kind, "name"): FOR_PEOPLE for kind in (Discount, ExclusiveGroup, Agreement, Accumulator, Tax, RatingGroup)},
    (DunningRule, "name"): FOR_PEOPLE,
    (Catalogue, "catalogue"): FOR_PEOPLE,
    (Catalogue, "quarantine_days"): "read by the platform when a number is let go",
    (Catalogue, "reopen_days"): "read by the platform when an account is opened again",
    (Catalogue, "past_days"): "read by the platform when a change of a contract holds from the past",
    (Catalogue, "past_closed"): "read by the platform when a change of a contract holds from the past",
    (Catalogue, "effective_from"): "decides in `timeline` which version is compiled, by the directory's copy of it",
    (Catalogue, "country"): "read by the console for files of usage without a server",
    (Catalogue, "time_zone"): "read by the console for the catalogue's own dates and for files of usage",
    (Offering, "kind"): FOR_PEOPLE,
    (Offering, "requires"): "read by `selling` when a contract is made",
    (Offering, "excludes"): "read by `selling` when a contract is made",
    (Fee, "charged"): "says to whoever bills when to ask for the fee",
    (Fee, "event"): "says to whoever bills when to ask for the fee",
    (Fee, "while_paused"): "read by `due_fees` when a contract is paused",
    **dict.fromkeys(
        [(Offering, name) for name in ("minimum_months", "early_end", "early_end_by", "begins_max", "begins_period")],
        "read by `terms` and `due_fees` when a contract is changed",
    ),
}
"""Fields that compile to nothing, and why they are there."""


def dump(value: object) -> object:
    """Write anything compiled so that equal things are equal: functions by what they hold."""
    if isinstance(value, FunctionType):
        return value.__qualname__, [dump(cell.cell_contents) for cell in value.__closure__ or ()]
    if is_dataclass(value):
        return [
            dump(getattr(value, one.name)) for one in fields(value) if one.name not in ("merged", "profiles", "local")
        ]
    if isinstance(value, dict):
        return [(key, dump(value[key])) for key in sorted(value, key=repr)]
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, (tuple, list)):
        return [dump(item) for item in value]
    if isinstance(value, (Struct, re.Pattern, LocalTime)):
        return repr(value) if not isinstance(value, LocalTime) else value.zone
    slots = getattr(type(value), "__slots__", ())
    return [dump(getattr(value, name)) for name in slots] if slots and not isinstance(value, str) else repr(value)


def compiled(nation: Catalogue, region: Catalogue | None) -> object:
    try:
        return [dump(compile_plan(merge(nation, region), LOCAL, LOCAL.moment_ms(moment))) for moment in MOMENTS]
    except Exception as error:  # What doesn't compile any more had an effect.
        return repr(error)


def default_of(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def with_other(tree: object, path: tuple[str | int, ...], name: str) -> object:
    """Give a document with another value in one field of the struct at a path."""
    if not path:
        assert isinstance(tree, Struct)
        found = next(one for one in msgspec.structs.fields(tree) if one.name == name)
        value = default_of(found)
        if value in (msgspec.NODEFAULT, getattr(tree, name)):
            value = OTHER[name]
        return msgspec.structs.replace(tree, **{name: value})
    if isinstance(tree, tuple):
        assert isinstance(path[0], int)
        return (*tree[: path[0]], with_other(tree[path[0]], path[1:], name), *tree[path[0] + 1 :])
    assert isinstance(tree, Struct)
    field = next(one.name for one in msgspec.structs.fields(tree) if one.encode_name == path[0])
    return msgspec.structs.replace(tree, **{field: with_other(getattr(tree, field), path[1:], name)})


def kinds(start: type[Struct]) -> set[type[Struct]]:
    """Give all structs that a class can hold, itself included."""
    found, todo = set(), [start]
    while todo:
        kind = todo.pop()
        if kind not in found:
            found.add(kind)
            names = [one.type for one in msgspec.structs.fields(kind)]
            todo += [part for part in parts(names) if isinstance(part, type) and issubclass(part, Struct)]
    return found


def parts(annotations: object) -> Iterator[object]:
    for one in annotations if isinstance(annotations, (list, tuple)) else (annotations,):
        yield one
        yield from parts(getattr(one, "__args__", ()))


def test_what_says_everything_is_sound() -> None:
    nation = from_plain(NATION)
    assert [f"{shown(finding.path)}: {finding.message}" for finding in check(nation)] == []
    found = [f"{shown(finding.path)}: {finding.message}" for finding in check(from_plain(REGION), nation)]
    assert found == []


def test_every_key_changes_what_is_compiled_or_is_listed_with_the_reason() -> None:
    nation = from_plain(NATION)
    region = from_plain({**REGION, "withdrawn": {"tariffs": ["texts"], "offerings": ["r"], "allowances": ["free"],
                                                 "discounts": ["off"], "taxes": ["data"], "splits": ["rent"],
                                                     "bonuses": ["welcome"], "gifts": ["friends"],
                                                     "characteristics": ["friends"]},
                          "overrides": {}})  # fmt: skip
    changing = from_plain(REGION)
    effects: dict[tuple[type[Struct], str], bool] = {}
    for document, beside in ((nation, None), (changing, nation), (region, nation)):
        before = compiled(beside or document, document if beside else None)
        for path, node in structs(document):
            for name in type(node).__struct_fields__:
                default = default_of(next(one for one in msgspec.structs.fields(node) if one.name == name))
                if getattr(node, name) == default and name not in OTHER:
                    continue
                changed = with_other(document, path, name)
                assert isinstance(changed, Catalogue)
                after = compiled(beside or changed, changed if beside else None)
                key = (type(node), name)
                effects[key] = effects.get(key, False) or after != before
    without = {key for key, effect in effects.items() if not effect}
    found, listed = ({f"{kind.__name__}.{name}" for kind, name in keys} for keys in (without, WITHOUT))
    assert found - listed == set(), "taken and ignored"
    assert listed - found == set(), "listed as without effect, but it has one"
    known = {(kind, name) for kind in kinds(Catalogue) for name in kind.__struct_fields__}
    assert {f"{kind.__name__}.{name}" for kind, name in known - set(effects)} == set(), "tried nowhere"
