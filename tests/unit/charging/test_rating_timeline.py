"""Versions through time, what is left of allowances, tariff switches, purity, and sentences."""

import ast
from pathlib import Path

import msgspec
import pytest

import charging
from charging.base.account import Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import CYCLE, LocalTime, span
from charging.base.money import quantity, show
from charging.base.usage import Charge, SealedCharge, Usage, unpack_steps
from charging.catalogue.document import Catalogue, from_plain, pack, schema, unpack
from charging.catalogue.merge import merge
from charging.catalogue.offers import Allowance, Discount, Offering, RollOver
from charging.catalogue.tariffs import BandRates, Price, Rate, Tariff, Tier, Tiers
from charging.catalogue.words import Band, Service
from charging.errors import Invalid
from charging.ledger.ledger import seal
from charging.plans.compile import compile_plan
from charging.plans.timeline import Timeline
from charging.plans.unrated import Unrated
from charging.rating import explain
from charging.rating.rating import next_switch, rate
from charging.rating.remains import allowances
from charging.wire import CatalogueRef, History, HistoryLine, unpack_answer
from charging.wire import pack as pack_wire
from testkit.ledger import an_account

ME = "msisdn:8613012345678"
LOCAL = LocalTime("Asia/Shanghai")
BY_FRACTIONS = {"compile_dunning", "compile_offers", "compile_tariffs", "explain", "offer_figures"}
"""Where "/" divides fractions; elsewhere it would make a float of two integers."""


def day(text: str) -> int:
    return LOCAL.moment_ms(text)


def document(version: int, price: str, *, domain: str = "", **more: object) -> Catalogue:
    parts: dict[str, object] = {
        "services": (Service("voice", "second"),),
        "tariffs": (Tariff("t", "voice", (Price("p", rates=(Rate(price, "60"),)),)),),
        "offerings": (Offering("o", tariffs=("t",)),),
    }
    return Catalogue("test", version, domain, **{**parts, **more})


def ref(catalogue: Catalogue, since: str) -> CatalogueRef:
    return CatalogueRef(catalogue.domain, catalogue.version, day(since), pack(catalogue))


def contract(*offerings: str) -> Contract:
    return Contract(ME, "acc", "GD", subscriptions=tuple(Subscription(o) for o in offerings or ("o",)))


def charged(timeline: Timeline, at: str) -> Charge:
    usage = Usage(ME, "voice", day(at), 60)
    return rate(timeline.plan_at(usage.start_ms), usage, contract(), an_account("acc", 1, "GD"))


def test_an_event_is_rated_by_the_version_in_force_when_it_began() -> None:
    refs = [ref(document(2, "0.5"), "2026-06-01"), ref(document(1, "0.2"), "2026-01-01")]
    timeline = Timeline.build(refs, "GD", "Asia/Shanghai")
    late = charged(timeline, "2026-05-31T23:59:59")
    new = charged(timeline, "2026-06-01T00:00:00")
    again = charged(timeline, "2026-05-31T23:59:59")
    assert (late.amount, late.catalogue) == (200_000, 1)
    assert (new.amount, new.catalogue) == (500_000, 2)
    assert again == late


def test_of_versions_with_the_same_beginning_the_higher_holds() -> None:
    refs = [ref(document(3, "0.3"), "2026-01-01"), ref(document(2, "0.5"), "2026-01-01")]
    assert charged(Timeline.build(refs, "GD", "Asia/Shanghai"), "2026-02-01").catalogue == 3


def test_before_the_first_version_nothing_is_rated() -> None:
    timeline = Timeline.build([ref(document(1, "0.2"), "2026-01-01")], "GD", "Asia/Shanghai")
    with pytest.raises(Unrated) as caught:
        charged(timeline, "2025-12-31T23:59:59")
    assert caught.value.reason == "CATALOGUE_MISSING"
    assert caught.value.facts == {"nearest": f"national catalogue: version 1 begins at {day('2026-01-01')} ms"}
    with pytest.raises(Unrated, match="no national catalogue"):
        charged(Timeline.build([], "GD", "Asia/Shanghai"), "2025-12-31")


def test_a_region_has_versions_of_its_own_and_other_regions_do_not_count() -> None:
    national = ref(document(1, "0.2"), "2026-01-01")
    off = (Discount("half", "product", percent="50"),)
    region = Catalogue("gd", 4, "GD", discounts=off)
    other = Catalogue("bj", 9, "BJ", discounts=(Discount("all", "product", percent="100"),))
    timeline = Timeline.build([national, ref(region, "2026-03-01"), ref(other, "2026-01-01")], "GD", "Asia/Shanghai")
    assert charged(timeline, "2026-02-28T23:59:59").amount == 200_000
    march = charged(timeline, "2026-03-01")
    assert march.amount == 100_000
    assert [step.origin for step in march.steps] == ["", "GD"]
    assert march.catalogue == 1


@pytest.mark.parametrize(
    ("section", "entry", "told"),
    [
        ("bands", {"id": "always", "to": "23:00"}, "band always of GD"),
        ("calendars", {"id": "feasts", "days": ["2026-03-02"]}, "calendar feasts of GD"),
        ("destinations", {"id": "domestic", "prefixes": ["8"]}, "destination domestic of GD"),
        ("parties", {"id": "friends", "prefixes": ["8613"]}, "group friends of GD"),
        ("zones", {"id": "south", "places": ["G*"]}, "zone south of GD"),
    ],
)
def test_parts_that_a_region_replaced_show_in_national_prices_allowances_and_rules(
    section: str, entry: dict[str, object], told: str
) -> None:
    when = {"destinations": ["domestic"], "parties": ["friends"], "home": ["south"]}
    scope = {**when, "bands": ["always"]}
    bands = [{"id": "always", "except_calendars": ["feasts"]}]
    tree = {
        "catalogue": "n", "version": "1", "services": [{"id": "voice", "unit": "second"}], "bands": bands,
        "calendars": [{"id": "feasts", "days": ["2026-03-01"]}],
        "destinations": [{"id": "domestic", "prefixes": ["86"]}],
        "parties": [{"id": "friends", "prefixes": ["86"]}],
        "zones": [{"id": "south", "places": ["GD"]}],
        "tariffs": [{"id": "t", "service": "voice", "prices": [{"id": "p", "when": when, "rates": [{"price": "1"}],
            "bands": [{"bands": ["always"], "rates": [{"price": "1"}]}]}]}],
        "allowances": [{"id": "free", "unit": "second", "quota": "10", "when": scope}],
        "discounts": [{"id": "d", "stage": "product", "percent": "5", "when": {"usage": scope}}],
        "offerings": [{"id": "o", "tariffs": ["t"], "allowances": ["free"]}],
    }  # fmt: skip
    region = {"catalogue": "r", "version": "1", "domain": "GD", "overrides": {section: [entry]}}
    plan = compile_plan(merge(from_plain(tree), from_plain(region)), LOCAL)
    # The day is no feast for the nation; for GD, should it say so, neither allowance nor rule holds.
    usage = Usage(ME, "voice", day("2026-03-02"), 60, "8613900001111")
    charge = rate(plan, usage, contract(), an_account("acc", 1, "GD"))
    shown = [told in step.detail for step in charge.steps]
    assert shown == [True] * (1 if section == "calendars" else 3), charge.steps
    assert all(step.origin == "" for step in charge.steps)
    alone = rate(compile_plan(merge(from_plain(tree)), LOCAL), usage, contract(), an_account("acc", 1, "GD"))
    assert not any(" of " in step.detail for step in alone.steps)


def test_a_region_cannot_override_what_is_not_there() -> None:
    region = Catalogue("gd", 1, "GD", overrides=Catalogue("", 1).overrides.__class__(tariffs=document(1, "1").tariffs))
    with pytest.raises(Invalid, match="which the national catalogue lacks"):
        merge(document(1, "0.2", tariffs=()), region)


def test_a_plan_is_compiled_once_a_stretch() -> None:
    dated = Discount("spring", "product", percent="10", effective_from="2026-03-01", effective_to="2026-06-01")
    timeline = Timeline.build([ref(document(1, "0.2", discounts=(dated,)), "2026-01-01")], "GD", "Asia/Shanghai")
    before, within, after = (timeline.plan_at(day(at)) for at in ("2026-02-01", "2026-04-01", "2026-07-01"))
    assert len({id(before), id(within), id(after)}) == 3
    assert timeline.plan_at(day("2026-05-31T23:59:59")) is within
    assert timeline.plan_at(day("2026-06-01")) is after


def test_the_catalogue_survives_packing_and_has_a_schema() -> None:
    catalogue = document(7, "0.15", discounts=(Discount("d", "account", amount="0.1"),))
    assert unpack(pack(catalogue)) == catalogue
    assert pack(unpack(pack(catalogue))) == pack(catalogue)
    assert "Tariff" in schema()["$defs"]


def test_allowances_tell_what_is_left() -> None:
    free = Allowance("minutes", "second", "200 min", roll_over=RollOver(limit="50 min"))
    catalogue = document(
        1, "0.2", allowances=(free,), offerings=(Offering("o", tariffs=("t",), allowances=("minutes",)),)
    )
    plan = compile_plan(merge(catalogue), LOCAL)
    account = an_account("acc", 1, "GD", accumulators={f"minutes|{ME}@20260301": 600, f"minutes|{ME}@20260201": 10_000})
    left = allowances(plan, contract(), account, day("2026-03-02"))
    assert [(each.quota, each.used, each.remaining) for each in left] == [(2000, 0, 2000), (12_000, 600, 11_400)]


def test_depends_only_when_a_balance_or_accumulator_was_asked() -> None:
    usage = Usage(ME, "voice", day("2026-03-02"), 61)
    plain = compile_plan(merge(document(1, "0.2")), LOCAL)
    empty = an_account("acc", 1, "GD", books=(Book("main", "money", 0),))
    assert not rate(plain, usage, contract(), empty).depends
    with_seconds = an_account("acc", 1, "GD", books=(Book("gift", "second", 10),))
    assert rate(plain, usage, contract(), with_seconds).depends
    tiers = Tiers((Tier("", "1"),), over="cycle")
    over = document(1, "0.2", tariffs=(Tariff("t", "voice", (Price("p", tiers=tiers),)),))
    assert rate(compile_plan(merge(over), LOCAL), usage, contract(), empty).depends


def test_next_switch_is_the_next_border_of_bands() -> None:
    price = Price("p", bands=(BandRates(("day",), (Rate("1", "60"),)),), rates=(Rate("0.5", "60"),))
    catalogue = document(
        1, "1", bands=(Band("day", start="08:00", end="18:00"),), tariffs=(Tariff("t", "voice", (price,)),)
    )
    plan = compile_plan(merge(catalogue), LOCAL)
    started, nobody = day("2026-03-02T17:00"), an_account("acc", 1, "GD")
    assert next_switch(plan, contract(), nobody, Usage(ME, "voice", started, 0)) == day("2026-03-02T18:00")
    assert next_switch(plan, contract(), nobody, Usage(ME, "voice", started, 3600)) == day("2026-03-03T08:00")
    assert (
        next_switch(
            compile_plan(merge(document(1, "1")), LOCAL),
            contract(),
            an_account("acc", 1, "GD"),
            Usage(ME, "voice", started, 0),
        )
        == 0
    )


def test_periods_sort_as_they_follow() -> None:
    january = span(CYCLE, 20_470, 15)
    assert january.previous_text < january.text
    assert span(CYCLE, january.end, 15).text > january.text
    assert span(CYCLE, january.end - 1, 15) == january


@pytest.mark.parametrize(("text", "units"), [("60", 60), ("200 min", 12_000), ("1024 KB", 1 << 20), ("1 GB", 1 << 30)])
def test_quantities_are_read_with_their_units(text: str, units: int) -> None:
    assert quantity(text) == units


def test_sentences_show_before_and_after() -> None:
    usage = Usage(ME, "voice", day("2026-03-02"), 61)
    rules = (Discount("third", "subscriber", percent="33.3333"),)
    plan = compile_plan(merge(document(1, "0.1", discounts=rules)), LOCAL)
    held = Contract(ME, "acc", "GD", subscriptions=(Subscription("o"),), agreements=("third",))
    charge = rate(plan, usage, held, an_account("acc", 1, "GD"))
    text = explain.lines(charge)
    assert text[0] == "Tariff t/p: 120 seconds cost 0.2 (0.1 per 60, by 60): 0 → 0.2"
    assert text[1].startswith("Discount third at level S (subscriber): -0.0666666")
    assert text[2].startswith("Rounded once, half_up to 6 places: 0.1333334 becomes 0.133333")
    assert text[-1] == "Charge: 0.133333 XXX (catalogue version 1)"
    assert show(-1, 3) == "-0.000000333…"


def test_a_charge_that_nobody_means_is_refused() -> None:
    plan = compile_plan(merge(document(1, "999999999999")), LOCAL)
    with pytest.raises(Unrated, match="60000 of voice would cost 999999999999000") as caught:
        rate(plan, Usage(ME, "voice", day("2026-03-02"), 60_000), contract(), an_account("acc", 1, "GD"))
    assert (caught.value.reason, caught.value.facts) == ("AMOUNT_INVALID", {"nearest": "t/p"})


def test_steps_longer_than_64_bits_travel_exactly() -> None:
    """Six stacked percentages with six places have a denominator of forty digits."""
    rules = tuple(Discount(f"d{number}", "product", percent="33.333333") for number in range(6))
    plan = compile_plan(merge(document(1, "0.1", discounts=rules)), LOCAL)
    charge = rate(plan, Usage(ME, "voice", day("2026-03-02"), 61), contract(), an_account("acc", 1, "GD"))
    assert max(step.denominator for step in charge.steps) > 1 << 64
    assert explain.adds_up(charge)
    sealed = msgspec.msgpack.decode(msgspec.msgpack.encode(seal(charge)), type=SealedCharge)
    assert unpack_steps(sealed.steps) == charge.steps
    line = HistoryLine("k", "c", 1, ME, "voice", 61, charge.amount, "", "", "", (), (sealed.steps, sealed.steps), 2)
    told = unpack_answer(pack_wire(History((line,))))
    assert isinstance(told, History)
    assert told.lines[0].steps == (*charge.steps, *charge.steps)


def core() -> list[Path]:
    folder = Path(charging.__file__).parent
    return [path for path in sorted(folder.rglob("*.py")) if path.stem != "testing"]


@pytest.mark.parametrize("path", core(), ids=lambda path: path.stem)
def test_the_core_has_no_clock_no_float_and_no_io(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
            assert module.split(".")[0] not in {"time", "os", "io", "socket", "random", "pathlib", "decimal"}
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float)
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            assert path.stem in BY_FRACTIONS
        if isinstance(node, ast.Name):
            assert node.id not in {"float", "print", "round"}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "open"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in {"utcnow", "now", "today", "perf_counter", "monotonic"}


def test_all_rooms_of_rating_are_looked_at() -> None:
    assert {"rating", "tiers", "discounts", "freeunits", "fees", "timeline", "money"} <= {path.stem for path in core()}
