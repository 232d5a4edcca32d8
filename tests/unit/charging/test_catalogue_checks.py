# ruff: noqa: E501
"""What may not be published, beyond what single files show: see also the faults of files with their lines."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from authoring.files import read_folder
from charging.catalogue.diff import diff
from charging.catalogue.document import Catalogue, from_plain, pack
from charging.catalogue.merge import MergedEntry, merge
from charging.catalogue.tariffs import Tariff
from charging.catalogue.words import Rounding
from charging.checks.check import check
from charging.checks.walk import shown
from charging.checks.whole import Nation
from charging.plans import compile as compile_module
from charging.plans.compile_tariffs import compile_tariff
from charging.plans.timeline import Timeline
from charging.wire import CatalogueRef

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.yaml"))
RATES = [{"price": "0.1", "per": "60"}]
NATIONAL: Mapping[str, object] = {
    "catalogue": "national",
    "currency": "CNY",
    "version": "1",
    "services": [{"id": "voice", "unit": "second"}, {"id": "data", "unit": "byte"}, {"id": "tv", "unit": "event"}],
    "calendars": [{"id": "holidays", "days": ["2026-10-01"]}, {"id": "autumn", "days": ["2026-10-01", "2026-10-02"]}],
    "bands": [
        {"id": "day", "from": "08:00", "to": "18:00"},
        {"id": "night", "from": "22:00", "to": "06:00"},
        {"id": "feast", "calendars": ["holidays"]},
        {"id": "harvest", "calendars": ["autumn"]},
    ],
    "tariffs": [
        {
            "id": "calls",
            "service": "voice",
            "standard": "true",
            "prices": [
                {"id": "cheap", "when": {"attributes": {"kind": ["cheap"]}}, "rates": RATES},
                {
                    "id": "all",
                    "rates": RATES,
                    "bands": [{"bands": ["day"], "rates": RATES}, {"bands": ["night"], "rates": RATES}],
                },
            ],
        },
        {"id": "film", "service": "tv", "standard": "true", "prices": [{"id": "p", "rates": [{"price": "5"}]}]},
    ],
    "accumulators": [{"id": "seconds", "when": {"services": ["voice"]}}],
    "discounts": [{"id": "ten", "stage": "offering", "percent": "10"}],
    "offerings": [{"id": "plan", "services": ["voice", "tv"], "discounts": ["ten"]}],
}
COUNTED = {"over": "cycle", "accumulator": "counted", "steps": [{"price": "1"}]}


def tariff(name: str, *prices: Mapping[str, object], **more: object) -> dict[str, object]:
    return {
        "id": name,
        "service": "voice",
        "prices": [{"id": f"p{i}", **price} for i, price in enumerate(prices)],
        **more,
    }


def discount(**effect: object) -> dict[str, object]:
    return {"id": "d", "stage": "product", **effect}


def told(catalogue: Catalogue, national: Catalogue | None = None) -> list[str]:
    return [f"{shown(finding.path)}: {finding.message}" for finding in check(catalogue, national)]


def with_more(section: str, entry: Mapping[str, object]) -> Catalogue:
    entries = NATIONAL.get(section, [])
    assert isinstance(entries, list)
    return from_plain({**NATIONAL, section: [*entries, entry]})


def thresholds(accumulator: str, least: str) -> dict[str, object]:
    return discount(thresholds={"accumulator": accumulator, "steps": [{"at_least": least, "percent": "5"}]})


def test_the_sound_one_is_sound_and_compiles() -> None:
    assert told(from_plain(NATIONAL)) == []
    assert told(region(), from_plain(NATIONAL)) == []


FAULTS = [
    ("discounts", discount(percent="5", effective_from="2026-02-30"), "discounts[1].effective_from: there is no 2026-02-30"),
    ("discounts", discount(percent="5", effective_from="2026-03-01 12:00", effective_to="2026-03-01T08:00"), "not after it begins"),
    ("discounts", discount(percent="5", effective_from="2026-03-01T08:00+08:00", effective_to="2026-03-01T00:00Z"), "not after it begins"),
    ("characteristics", {"id": "c", "kind": "group"}, "characteristics[0].id: no group of called parties is 'c'"),
    ("characteristics", {"id": "c", "kind": "agreement"}, "characteristics[0].id: there is no agreement 'c'"),
    ("characteristics", {"id": "c", "most": "3"}, "characteristics[0].most: only a group has so many numbers"),
    ("characteristics", {"id": "c", "values": ["x", "x"]}, "characteristics[0].values: one of the values stands there twice"),
    ("characteristics", {"id": "c", "channels": ["x", "x"]}, "characteristics[0].channels: one of the channels"),
    ("characteristics", {"id": "c", "kind": "group", "values": ["x"]}, "characteristics[0].values: only an attribute has values"),
    ("calendars", {"id": "c", "days": ["2026-01-01", "2026-13-01"]}, "calendars[2].days[1]: there is no 2026-13-01"),
    ("bands", {"id": "b", "from": "24:30"}, "bands[4].from: begins at 24:30"),
    ("bands", {"id": "b", "to": "24:01"}, "bands[4].to: ends at 24:01"),
    ("bands", {"id": "b", "from": "08:00", "to": "08:00"}, "begins and ends at 08:00"),
    ("tariffs", tariff("t", {"tiers": {"steps": [{"price": "1", "per": "0"}]}}), "steps[0].per: per is 0"),
    ("tariffs", tariff("t", {"tiers": {"steps": [{"rates": [{"price": "1", "from": "60"}]}]}}), "gap: nothing prices the first 60"),
    ("tariffs", tariff("t", {"tiers": {"steps": [{"price": "1", "rates": RATES}]}}), "has rates and a price of its own"),
    ("tariffs", tariff("t", {"rates": RATES, "bands": [{"bands": ["day"]}]}), "the price in day has neither rates nor tiers"),
    ("tariffs", tariff("t", {"rates": RATES, "bands": [{"bands": ["day"], "rates": RATES, "tiers": {"steps": [{}]}}]}), "has rates and tiers"),
    ("tariffs", tariff("t", {"rates": RATES, "bands": [{"bands": [], "rates": RATES}]}), "name a band"),
    (
        "tariffs",
        tariff("t", {"rates": RATES, "bands": [{"bands": ["feast"], "rates": RATES}, {"bands": ["harvest"], "rates": RATES}]}),
        "bands 'feast' and 'harvest' overlap",
    ),
    (
        "tariffs",
        tariff("t", {"rates": RATES, "effective_from": "2026-01-01"}, {"rates": RATES, "effective_from": "2026-02-01"}),
        "price 'p1' is never reached: 'p0'",
    ),
    ("tariffs", tariff("t", {"rates": RATES}, standard="true"), "tariffs[2]: no price of tariff 't' is ever reached: price 'all' of tariff 'calls'"),
    ("offerings", {"id": "o", "tariffs": ["calls", "calls"]}, "offerings[1].tariffs[1]: no price of tariff 'calls' is ever reached"),
    ("tariffs", tariff("t", {"rates": RATES, "when": {"home": ["away"]}}), "'away' is not among the zones"),
    ("tariffs", tariff("t", {"tiers": COUNTED}, {"tiers": {**COUNTED, "over": "day"}, "when": {"visited": ["away"]}}), "counts seconds over the day here and seconds over the cycle elsewhere"),
    ("tariffs", tariff("t", {"tiers": {**COUNTED, "accumulator": "seconds"}}), "'seconds' counts for an accumulator here and for tiers elsewhere"),
    ("allowances", {"id": "seconds", "unit": "second", "quota": "1"}, "'seconds' counts for an a"),
    ("tariffs", tariff("t", {"rates": RATES, "cap": {"amount": "1", "over": "day", "accumulator": "seconds"}}), "'seconds' counts for"),
    ("allowances", {"id": "a", "unit": "second", "quota": "1", "period": "life", "roll_over": {}}, "nothing follows a period of one life"),
    ("offerings", {"id": "o", "services": ["tv"], "validity": "1 GB"}, "offerings[1].validity: '1 GB' is not a number of seconds"),
    ("discounts", discount(percent="5", when={"quantity_min": "1 GB", "usage": {"services": ["voice"]}}), "when.quantity_min: '1 GB' is not a number of seconds"),
    ("discounts", discount(price={"price": "1", "per": "0"}), "discounts[1].price.per: per is 0"),
    ("discounts", thresholds("seconds", "1 GB"), "'1 GB' is not a number of seconds, the unit of accumulator 'seconds'"),
    ("discounts", thresholds("nothing", "1"), "'nothing' is not among the accumulators"),
    ("discounts", discount(thresholds={"accumulator": "seconds", "steps": []}), "thresholds without a step"),
    ("discounts", discount(percent="5", when={"accumulators": [{"accumulator": "seconds", "at_least": "9", "below": "9"}]}), "nothing lies from 9 to below 9"),
    (
        "tariffs",
        tariff("t", {"when": {"visited": ["home"]}, "rates": RATES}, {"when": {"visited": ["away"]}, "rates": RATES}, {"rates": RATES}),
        "price 'p2' is never reached: 'p0', 'p1' before it together hold whenever this one does",
    ),
    (
        "tariffs",
        tariff(
            "t",
            {"when": {"attributes": {"kind": ["x"]}}, "rates": RATES, "effective_to": "2026-07-01"},
            {"when": {"attributes": {"kind": ["x", "z"]}}, "rates": RATES, "effective_from": "2026-07-01"},
            {"when": {"attributes": {"kind": ["y"]}}, "rates": RATES},
            {"when": {"attributes": {"kind": ["x", "y"]}, "visited": ["away"]}, "rates": RATES},
        ),
        "price 'p3' is never reached: 'p0', 'p2', 'p1' before it together hold",
    ),
    ("discounts", discount(percent="5", when={"items": ["vioce", "voice"]}), "discounts[1].when.items[0]: no service, tariff or fee books under item 'vioce'"),
    ("discounts", discount(percent="5", when={"items": ["total"]}), "books under item 'total'"),
    ("discounts", discount(percent="5", when={"item": {"tarif": ["calls"]}}), "an account item has no 'tarif', only item, service, tariff"),
    ("discounts", discount(percent="5", when={"item": {"tariff": ["call"]}}), "no account item has tariff 'call'; did you mean 'calls'?"),
    ("tariffs", {"id": "t", "service": "voice", "prices": []}, "tariffs[2].prices: a tariff without a price refuses every usage"),
    ("tariffs", tariff("t", {"rates": RATES, "when": {"services": ["voice"]}}), "leave services out of its prices"),
    ("tariffs", tariff("t", {"rates": RATES, "band_switch": "start"}), "no bands to switch between"),
    ("tariffs", tariff("t", {"rates": RATES, "grace_free": "true"}), "nothing is free without a grace"),
    ("tariffs", tariff("t", {"rates": RATES, "connect_always": "true"}), "nothing is due always without connect or minimum"),
    ("tariffs", tariff("t", {"rates": RATES, "minimum": "2", "cap": {"amount": "1"}}), "the minimum 2 is over the cap 1"),
    (
        "tariffs",
        tariff("t", {"rates": RATES, "cap": {"amount": "1"}, "bands": [{"bands": ["night"], "rates": RATES, "minimum": "2"}]}),
        "prices[0].bands[0].minimum: the minimum 2 is over the cap 1",
    ),
    ("tariffs", tariff("t", {"rates": RATES, "cap": {"amount": "1", "accumulator": "a"}}), "a cap of one call keeps no sum: leave accumulator out"),
    ("tariffs", tariff("t", {"rates": RATES, "cap": {"amount": "1", "shared": "true"}}), "a cap of one call keeps no sum: leave shared out"),
    ("tariffs", tariff("t", {"rates": RATES, "cap": {"amount": "0.0000001", "over": "day"}}), "parts of a micro-unit"),
    ("tariffs", tariff("t", {"tiers": {"shared": "true", "steps": [{"price": "1"}]}}), "one call is nobody else's"),
    ("tariffs", tariff("t", {"rates": [{"price": "1", "per": "1.5"}]}), "1.5 is no whole number of units: write the increment"),
    ("tariffs", tariff("t", {"rates": [{"price": "1", "increment": "0.5"}]}), "'0.5' is no whole number of seconds"),
    ("tariffs", tariff("t", {"tiers": {"steps": [{"upto": "999999999999999999", "price": "1"}, {"price": "1"}]}}), "more than is ever counted"),
    ("tariffs", tariff("t", {"rates": RATES, "when": {"attributes": {"kind": []}}}), "no value is ever met"),
    ("tariffs", tariff("f", {"rates": [{"price": "1"}], "band_switch": "start", "bands": [{"bands": ["night"], "rates": [{"price": "2"}]}]}, service="tv"), "events take no time"),
    ("calendars", {"id": "none", "days": []}, "a calendar without a day holds on none"),
    ("zones", {"id": "none", "places": []}, "a zone without a place is nowhere"),
    ("zones", {"id": "away", "places": ["HK*"]}, "'away' has a meaning of its own"),
    ("parties", {"id": "account"}, "'account' has a meaning of its own"),
    ("destinations", {"id": "none", "prefixes": []}, "met by no number"),
    ("agreements", {"id": "none", "discounts": []}, "takes nothing off"),
    ("accumulators", {"id": "x", "period": "call"}, "what counts over one call is never asked"),
    ("accumulators", {"id": "x", "counts": "amount", "when": {"services": ["data"], "attributes": {"a": []}}}, "no value is ever met"),
    ("allowances", {"id": "a", "unit": "second", "quota": "9", "increment": "0"}, "increment is 0"),
    ("allowances", {"id": "a", "unit": "second", "quota": "9", "member_cap": "0"}, "leave member_cap out for no cap"),
    ("allowances", {"id": "a", "unit": "second", "quota": "9", "period": "call", "member_cap": "3"}, "a call is one member's"),
    ("allowances", {"id": "a", "unit": "second", "quota": "9", "roll_over": {"limit": "0"}}, "nothing would roll over"),
    ("allowances", {"id": "a", "unit": "second", "quota": "9", "period": "day", "prorated": "true"}, "a day has no part by days"),
    ("allowances", {"id": "a", "unit": "second", "quota": "0", "roll_over": {}}, "there is no quota: leave roll_over out"),
    ("fees", {"id": "f", "amount": "1", "event": "change"}, "a recurring fee has no event"),
    ("fees", {"id": "f", "amount": "1", "kind": "one_time", "charged": "arrears"}, "a one_time fee has no charged"),
    ("fees", {"id": "f", "amount": "1", "charged": "arrears", "minus": "seconds"}, "'seconds' counts quantity over the cycle: name one"),
    ("fees", {"id": "f", "amount": "1", "charged": "arrears", "minus": "second"}, "'second' is not among the accumulators"),
    ("fees", {"id": "f", "amount": "1", "minus": "seconds"}, "write charged: arrears too"),
    ("offerings", {"id": "o", "services": ["tv"], "requires": ["plan"], "excludes": ["plan"]}, "required and excluded"),
    ("offerings", {"id": "o", "services": ["tv"], "validity": "0"}, "a subscription of no time"),
    ("discounts", discount(percent="5", applies_to=[]), "a rule that applies to nothing"),
    ("discounts", discount(percent="5", applies_to=["fee"], when={"usage": {"services": ["voice"]}}), "a fee has no services, so the rule would never hold"),
    ("discounts", discount(percent="5", applies_to=["fee", "bill"], when={"tariffs": ["calls"]}), "a fee and bill has no tariff"),
    ("discounts", discount(percent="5", applies_to=["fee"], when={"quantity_min": "2"}), "a fee is one"),
    ("discounts", discount(price={"price": "1", "from": "9"}), "leave from out"),
    ("discounts", discount(percent="5", limit={"amount": "1", "then": "end"}), "the limit of a discount ends no call"),
    ("discounts", discount(percent="5", when={"account": {"status": ["paid"]}}), "no account has status 'paid'"),
    ("discounts", discount(percent="5", when={"customer": {"grade": []}}), "no value is ever met"),
    (
        "discounts",
        discount(thresholds={"accumulator": "seconds", "steps": [{"at_least": "60", "percent": "5"}, {"at_least": "1 min", "percent": "6"}]}),
        "two steps begin at 1 min",
    ),
    ("services", {"id": "mail", "unit": "event", "quantity_max": "0.0"}, "leave quantity_max out"),
    ("agreements", {"id": "a", "discounts": ["ten"]}, "an agreement grants rules of stage 'subscriber' or 'account'"),
    ("offerings", {"id": "o", "services": ["data"]}, "opens 'data', but no standard tariff prices it"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "entry", "sentence"), FAULTS, ids=[sentence for _, _, sentence in FAULTS])
def test_a_fault_is_found(section: str, entry: Mapping[str, object], sentence: str) -> None:
    found = told(with_more(section, entry))
    assert any(sentence in line for line in found), found


def test_what_an_accumulator_of_amounts_has_reached_is_money() -> None:
    spent = {**NATIONAL, "accumulators": [{"id": "spent", "counts": "amount"}]}
    rule = thresholds("spent", "99.5")
    assert told(from_plain({**spent, "discounts": [*NATIONAL["discounts"], rule]})) == []  # type: ignore[misc]
    for text in ("1 min", "1000000001"):
        rule = thresholds("spent", text)
        found = told(from_plain({**spent, "discounts": [*NATIONAL["discounts"], rule]}))  # type: ignore[misc]
        assert any(f"'{text}' is no amount of money" in line for line in found), found


REACHED = [
    # Abroad stays, or the second half of the year, or one kind of two: something is left for the last price.
    [{"when": {"visited": ["home"]}}, {}],
    [{"when": {"visited": ["home"], "attributes": {"kind": ["x"]}}}, {"when": {"visited": ["away"]}}, {}],
    [{"effective_to": "2026-07-01"}, {"effective_from": "2026-07-02"}, {}],
    [{"when": {"attributes": {"kind": ["x"]}}}, {"when": {"attributes": {"kind": ["x", "y"]}}}],
    [{"when": {"attributes": {"kind": ["x"]}}}, {"when": {"attributes": {"sort": ["x"]}}}],
]


@pytest.mark.parametrize("prices", REACHED)
def test_what_is_reached_by_some_usage_is_no_fault(prices: list[Mapping[str, object]]) -> None:
    priced = [{**price, "rates": RATES} for price in prices]
    assert told(with_more("tariffs", tariff("t", *priced))) == []


def test_a_bill_has_a_total() -> None:
    assert (
        told(with_more("discounts", discount(percent="5", applies_to=["bill"], when={"items": ["total", "voice"]})))
        == []
    )


def test_an_accumulator_that_ends_before_the_rule_that_asks_it_is_found() -> None:
    ended = {**NATIONAL, "accumulators": [{"id": "seconds", "effective_to": "2026-06-01"}]}
    catalogue = from_plain({**ended, "discounts": [*NATIONAL["discounts"], thresholds("seconds", "1")]})  # type: ignore[misc]
    assert told(catalogue) == [
        "discounts[1].thresholds.accumulator: accumulator 'seconds' is not in force all the time that discount 'd' is: "
        "give both the same effective dates"
    ]


def test_discounts_may_ask_what_tiers_count() -> None:
    tiers = {**NATIONAL, "tariffs": [tariff("t", {"tiers": COUNTED})], "offerings": []}
    catalogue = from_plain({**tiers, "discounts": [thresholds("counted", "10 min")]})
    assert told(catalogue) == []
    timeline = Timeline.build([CatalogueRef("", 1, 0, pack(catalogue))], "GD", "Asia/Shanghai")
    rule = timeline.plan_at(0).rules["d"]
    assert rule.counter is not None
    assert rule.counter.name == "counted"


def region(**more: object) -> Catalogue:
    return from_plain({"catalogue": "region", "version": "1", "domain": "GD", **more})


def test_what_a_region_writes_is_not_taken_for_silence_because_it_is_the_default() -> None:
    dollars = from_plain({**NATIONAL, "currency": "USD", "rounding": {"places": "2"}})
    assert merge(dollars, region()).regional_rounding == Rounding(places=2)
    assert merge(dollars, region(rounding={"mode": "half_up", "places": "6"})).regional_rounding == Rounding()
    assert told(region(currency="CNY"), dollars) == ["currency: CNY is not the nation's USD: leave it out"]
    assert told(region(currency="USD"), dollars) == []
    written = {name for name in Catalogue.__struct_fields__ if name not in ("catalogue", "version", "domain")}
    silent = {name for name, default in zip(Catalogue.__struct_fields__[2:], Catalogue.__struct_defaults__, strict=True)
              if default in ((), "", None) or name in ("overrides", "withdrawn")}  # fmt: skip
    assert written <= silent, "a default that means something can't be told from silence"


UNCONDITIONAL = [{"tariff": "calls", "price": {"id": "cheap", "rates": RATES}}]


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({"bands": [{"id": "night"}]}, "bands[0].id: 'night' is a national entry: put it under overrides"),
        ({"services": [{"id": "tv", "unit": "byte"}]}, "services[0].id: 'tv' is a national entry: choose another id"),
        ({"accumulators": [{"id": "seconds"}]}, "accumulators[0].id: 'seconds' is a national entry"),
        ({"overrides": {"prices": UNCONDITIONAL}}, "overrides.prices[0]: in GD: price 'all' is never reached: 'cheap'"),
        ({"overrides": {"prices": UNCONDITIONAL * 2}}, "price calls/cheap is overridden before"),
        ({"overrides": {"bands": [{"id": "night", "from": "17:00", "to": "06:00"}]}}, "overrides: in GD: bands 'day' and 'night' overlap"),
        ({"withdrawn": {"tariffs": ["calls"]}}, "opens 'voice', but no standard tariff prices it"),
        ({"withdrawn": {"tariffs": ["calls"]}, "overrides": {"prices": UNCONDITIONAL}}, "overrides price calls/cheap, which is not there"),
        ({"overrides": {"bands": [{"id": "night"}, {"id": "night"}]}}, "overrides.bands[1].id: 'night' is there already"),
        ({"allowances": [{"id": "seconds", "unit": "second", "quota": "1"}]}, "in GD: 'seconds' counts for an"),
        ({"currency": "USD"}, "USD is not the nation's CNY"),
        ({"country": "CN"}, "country: only the national catalogue says the country"),
        ({"time_zone": "Asia/Urumqi"}, "time_zone: only the national catalogue says the time_zone"),
        ({"overrides": {"discounts": [{"id": "ten", "stage": "account", "percent": "5"}]}, "offerings": [{"id": "o", "discounts": ["ten"]}]}, "'ten' is of stage 'account'"),
    ],
)  # fmt: skip
def test_what_a_region_makes_of_the_nation_is_checked_as_a_whole(sections: dict[str, object], sentence: str) -> None:
    found = told(region(**sections), from_plain(NATIONAL))
    assert any(sentence in line for line in found), found


def test_of_a_nation_only_what_a_region_touches_is_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []

    def spy(entry: MergedEntry[Tariff], *rest: object) -> object:
        compiled.append(entry.value.id)
        return compile_tariff(entry, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(compile_module, "compile_tariff", spy)
    nation = Nation(from_plain(NATIONAL))
    film = {"tariff": "film", "price": {"id": "p", "rates": [{"price": "4"}]}}
    assert check(region(overrides={"prices": [film]}), nation) == []
    assert compiled == ["film"]
    compiled.clear()
    assert check(region(overrides={"bands": [{"id": "night", "from": "21:00", "to": "06:00"}]}), nation) == []
    assert compiled == ["calls"], "the tariff that has a price in the night"


def test_annotations_are_evaluated_once_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    check(from_plain(NATIONAL))
    monkeypatch.setattr(msgspec.structs, "fields", lambda _: pytest.fail("asked again"))
    assert check(from_plain(NATIONAL)) == []


@pytest.mark.parametrize("section", ["overrides", "withdrawn"])
def test_a_national_catalogue_has_no_regional_sections(section: str) -> None:
    found = told(
        from_plain({**NATIONAL, section: {"discounts": ["ten"] if section == "withdrawn" else [discount(percent="5")]}})
    )
    assert any(f"{section}: only a regional catalogue has {section}" in line for line in found), found


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_what_the_golden_cases_rate_could_be_published(path: Path) -> None:
    document = YAML(typ="base").load(path)
    if "folder" in document:
        assert read_folder(ROOT / document["folder"]).faults == []
        return
    national = from_plain({"catalogue": path.stem, "version": "1", **document["catalogue"]})
    found = told(national)
    for domain, part in document.get("regions", {}).items():
        found += told(from_plain({"catalogue": domain, "version": "1", **part}), national)
    # One tariff is there to show that a part of a call without a price is refused, should it ever be published.
    allowed = ["tariffs[6].prices[0]: price 'p' has neither rates nor tiers: say what a unit costs, also when it is 0"]
    assert found == (allowed if path.stem == "30_bands" else [])


def test_diff_matches_entries_by_id_and_tells_an_order_that_decides() -> None:
    old = from_plain(NATIONAL)
    prices = [*NATIONAL["tariffs"][0]["prices"]]  # type: ignore[index]
    turned = [{**prices[1], "id": "new"}, prices[1], prices[0]]
    new = from_plain(
        {**NATIONAL, "tariffs": [{"id": "calls", "service": "voice", "standard": "true", "prices": turned}]}
    )
    found = {change.where: (change.before, change.after) for change in diff(old, new)}
    assert found["tariffs calls prices order"] == ("cheap, all", "all, cheap")
    assert found["tariffs calls prices new"][0] is None
    assert found["tariffs film"][1] is None
    assert len(found) == 3


def test_diff_of_a_region_matches_overridden_prices() -> None:
    def with_price(amount: str) -> Catalogue:
        film = {"tariff": "film", "price": {"id": "p", "rates": [{"price": amount}]}}
        return region(overrides={"prices": [film] if amount == "4" else [*UNCONDITIONAL, film]})

    found = {change.where: (change.before, change.after) for change in diff(with_price("4"), with_price("3"))}
    assert found["overrides prices film/p price rates[0] price"] == ("4", "3")
    assert found["overrides prices calls/cheap"][0] is None
    assert len(found) == 2
    assert diff(with_price("4"), with_price("4")) == []
