"""A plan is read as a customer of a region would: every word comes from the catalogue that is to be published."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from authoring.files import read_folder
from charging.base.tongue import ENGLISH
from charging.catalogue.document import Catalogue, from_plain
from charging.catalogue.merge import merge
from charging.catalogue.offer_sheet import OfferClause, offer_sheet
from charging.catalogue.offer_words import Words, units
from charging.errors import Fault
from console.main import mounted

CATALOGUES = Path(__file__).parents[3] / "catalogues"
SAMPLE = read_folder(CATALOGUES).catalogues


def clauses(offering: str, domain: str, section: str) -> dict[str, OfferClause]:
    return {each.id: each for each in offer_sheet(SAMPLE, offering, domain).clauses if each.section == section}


def test_a_plan_says_its_fees_and_what_is_included() -> None:
    (fee,) = clauses("mobile-59", "GD", "fee").values()
    assert fee.text == "59 CNY a cycle, in advance, begun periods by their days"
    included = clauses("mobile-59", "GD", "included")
    assert set(included) == {"minutes-100", "sms-50", "data-5g"}
    assert included["data-5g"].text.endswith("up to 5 GB of the rest can be used in the next cycle")


def test_the_price_of_the_region_stands_in_for_that_of_the_nation() -> None:
    of_nation = clauses("mobile-59", "BJ", "price")["voice-standard/domestic"]
    of_region = clauses("mobile-59", "GD", "price")["voice-standard/domestic"]
    assert (of_nation.text, of_nation.origin) == (
        "0.25 CNY for 1 min; 节假日: 0.15 CNY for 1 min; 夜间: 0.19 CNY for 1 min",
        "",
    )
    assert (of_region.text, of_region.origin) == ("0.20 CNY for 1 min", "GD")


def test_roaming_stands_apart_with_its_caps() -> None:
    roaming = clauses("mobile-59", "GD", "roaming")
    assert roaming["data-standard/roaming-asia"].text.endswith("at most 128 CNY a day")
    assert not set(roaming) & set(clauses("mobile-59", "GD", "price"))


def test_a_bundle_says_what_comes_with_it_and_a_tariff_of_its_own_stands_before_standard_ones() -> None:
    sheet = offer_sheet(SAMPLE, "family-bundle", "SH")
    assert [each.id for each in sheet.with_it] == ["family-share", "broadband-300m", "television"]
    assert set(clauses("family-bundle", "SH", "fee")) == {"family-fee", "broadband-fee", "installation"}
    assert "broadband-flat/included" in clauses("family-bundle", "SH", "price")
    family = offer_sheet(SAMPLE, "family-calls", "SH").clauses
    assert [each.id for each in family if each.section == "price"] == ["voice-family/family"]


def test_discounts_of_the_plan_and_those_for_everybody_are_told_with_their_conditions() -> None:
    told = clauses("mobile-59", "GD", "discount")
    assert told["gd-night-data"].text == "30 % off for 移动数据 during 夜间"
    assert "loyal-voice" not in told
    assert "loyal-voice" in clauses("mobile-129", "GD", "discount")


@pytest.mark.parametrize(
    ("offering", "domain", "reason"),
    [("nothing", "GD", "OFFERING_UNKNOWN"), ("mobile-59", "no region", "REGION_UNKNOWN")],
)
def test_what_is_not_sold_or_no_region_is_refused(offering: str, domain: str, reason: str) -> None:
    with pytest.raises(Fault) as refused:
        offer_sheet(SAMPLE, offering, domain)
    assert refused.value.reason == reason


def test_a_region_alone_sells_nothing() -> None:
    with pytest.raises(Fault) as refused:
        offer_sheet([one for one in SAMPLE if one.domain == "GD"], "mobile-59", "GD")
    assert refused.value.reason == "CATALOGUE_UNKNOWN"


@pytest.mark.parametrize(
    ("text", "unit", "told"),
    [("60", "second", "1 min"), ("7200", "second", "2 h"), ("6", "second", "6 s"), ("0.1 MB", "byte", "0.1 MB"),
     ("1", "event", "one"), ("50", "event", "50"), ("1000", "byte", "1000 B")],
)  # fmt: skip
def test_quantities_are_written_as_people_count_them(text: str, unit: str, told: str) -> None:
    assert units(text, unit, ENGLISH) == told


def made(section: str, entry: dict[str, object]) -> tuple[Words, Catalogue]:
    catalogue = from_plain({"catalogue": "n", "version": "1", "currency": "EUR", section: [entry]})
    return Words(merge(catalogue), ENGLISH), catalogue


STEP = {"upto": "100 min", "price": "0.1", "per": "60", "flat": "2"}


def test_a_price_says_its_tiers_connection_minimum_cap_and_grace() -> None:
    price = {
        "id": "p",
        "tiers": {
            "over": "month",
            "steps": [STEP, {"price": "0"}],
        },
        "connect": "0.05",
        "minimum": "0.2",
        "grace": "3",
        "cap": {"amount": "9", "over": "month", "then": "end"},
        "effective_to": "2027-01-01",
    }
    words, catalogue = made("tariffs", {"id": "t", "service": "voice", "prices": [price]})
    assert words.price(catalogue.tariffs[0].prices[0], "second") == (
        "up to 100 min 0.1 EUR for 1 min and 2 EUR once; beyond free (counted over the month); "
        "0.05 EUR to begin with; at least 0.2 EUR; at most 9 EUR a month, then no more is granted; nothing up to 3 s; "
        "until 2027-01-01"
    )


def test_a_fee_that_is_a_minimum_and_one_that_is_due_once_are_told() -> None:
    words, catalogue = made("fees", {"id": "f", "amount": "20", "charged": "arrears", "minus": "spent"})
    assert words.fee(catalogue.fees[0]).endswith("less what spent has counted: the least that a cycle costs")
    words, catalogue = made("fees", {"id": "f", "amount": "20", "kind": "one_time", "event": "termination"})
    assert words.fee(catalogue.fees[0]) == "20 EUR once, when it ends"


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        ({"percent": "10"}, "10 % off"),
        ({"amount": "2", "applies_to": ["fee"]}, "2 EUR off each fee"),
        ({"total": "5"}, "5 EUR for the whole"),
        ({"price": {"price": "0.1", "per": "60"}}, "0.1 EUR for 60"),
        ({"thresholds": {"accumulator": "spent", "steps": [{"at_least": "100", "percent": "5"}]}},
         "5 % off from 100 on, as spent counts"),
        ({"percent": "10", "limit": {"amount": "3", "over": "month"}}, "10 % off, at most 3 EUR a month off"),
        ({"percent": "10", "when": {"account": {"segment": ["gold"]}}}, "10 % off, where segment gold"),
        ({"percent": "10", "when": {"accumulators": [{"accumulator": "spent", "at_least": "50", "below": "90"}]}},
         "10 % off, once spent has reached 50, below 90"),
    ],
)  # fmt: skip
def test_a_discount_says_its_one_effect_and_for_whom(effect: dict[str, object], told: str) -> None:
    words, catalogue = made("discounts", {"id": "d", "stage": "product", **effect})
    assert words.discount(catalogue.discounts[0]) == told


def test_the_command_prints_the_plan_and_as_data_the_entries_of_the_catalogue() -> None:
    words = ["catalog", "offer", str(CATALOGUES), "mobile-59", "--domain", "GD"]
    printed = CliRunner().invoke(mounted(), words)
    assert printed.output.startswith(
        "Mobile 59 plan (plan mobile-59) in GD, in CNY\nfees:\n  Mobile 59 monthly fee: 59 CNY a cycle"
    )
    assert "roaming:\n" in printed.output
    rows = [json.loads(line) for line in CliRunner().invoke(mounted(), [*words, "--json"]).stdout.splitlines()]
    assert rows[0]["section"] == "offering"
    assert {row["currency"] for row in rows} == {"CNY"}
    assert [row["entry"]["amount"] for row in rows if row["section"] == "fee"] == ["59"]
