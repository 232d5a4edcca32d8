"""Bills add up to the micro-unit, whatever is on them, and so do the credit notes that take them back."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.base.localtime import day_of
from charging.bills.bill import DISCOUNT, USAGE, Bill, MoneyMoved, PeriodBalance, TaxedLine
from charging.bills.checking import check_bill
from charging.bills.coins import coin_of
from charging.bills.crediting import Credited, all_left, credit_note, credited
from charging.bills.making import make_bill, owed_items
from charging.bills.spreading import is_spread, split, spread
from charging.bills.sums import BillFrame, BillSum
from charging.bills.taxtable import ANY_ITEM, TaxSpan, TaxTable
from charging.errors import Invalid, Refused
from tests.unit.charging.bill_oracle import due, half_up, taxes

FRAME = BillFrame("GD/1:msisdn:8613900000001", "c-1", "2026-01/1", "2026-01-01", "2026-01-31", "2026-02-01", "CNY")
PERCENTS = ("0", "3", "6", "9", "13", "19.6", "0.000001", "100")
ITEMS = {f"at-{percent}": Fraction(percent) for percent in PERCENTS}
DAY = day_of("2026-01-15")
CURRENCIES = ("JPY", "CNY", "KWD")


def table(*, include: bool = True, by_line: bool = False, minimum: int = 0) -> TaxTable:
    spans = {item: (TaxSpan(0, 1 << 30, item, int(percent * 1_000_000)),) for item, percent in ITEMS.items()}
    return TaxTable(spans, include=include, by_line=by_line, minimum=minimum, due_days=15)


def a_sum(item: str, amount: int) -> BillSum:
    return BillSum(item, "msisdn:8613900000001", USAGE if amount >= 0 else DISCOUNT, DAY, amount)


AMOUNTS = st.integers(-50_000_000, 500_000_000) | st.integers(-20_000, 20_000)
MINIMUMS, AVAILABLE = st.integers(0, 2_000_000), st.integers(0, 1_000_000_000)
SUMS = st.lists(st.builds(a_sum, st.sampled_from(sorted(ITEMS)), AMOUNTS), max_size=12)


@settings(deadline=None)
@given(SUMS, st.booleans(), st.booleans(), st.sampled_from(CURRENCIES), st.integers(0, 9_999), MINIMUMS, AVAILABLE)
def test_a_bill_is_what_the_oracle_says_and_passes_its_own_check(
    sums: list[BillSum], include: bool, by_line: bool, currency: str, carried: int, minimum: int, available: int
) -> None:
    frame = msgspec.structs.replace(FRAME, currency=currency)
    coin = coin_of(currency)
    found = make_bill(
        frame, sums, table(include=include, by_line=by_line, minimum=minimum), carried_in=carried, available=available
    )
    check_bill(found)
    wanted = taxes([(each.amount, ITEMS[each.item]) for each in sums], coin, include=include, by_line=by_line)
    assert [line.tax for line in found.lines] == wanted
    gross = sum(each.amount for each in sums) + (0 if include else sum(wanted))
    assert found.gross == sum(line.gross for line in found.lines) == gross
    assert (found.total, found.carried_out) == due(gross, carried, coin, minimum)
    assert found.payable == found.total - found.settled
    assert sum(amount for _, amount in owed_items(found)) == max(0, found.payable)
    assert all(amount > 0 and amount % coin == 0 for _, amount in owed_items(found))
    assert 0 <= found.settled <= available or found.settled == 0


@settings(deadline=None)
@given(st.lists(st.tuples(SUMS, st.booleans()), max_size=6))
def test_over_all_bills_nothing_is_created_or_lost_by_what_is_carried(months: list[tuple[list[BillSum], bool]]) -> None:
    carried = asked = gross = 0
    for sums, by_line in months:
        found = make_bill(FRAME, sums, table(by_line=by_line, minimum=1_000_000), carried_in=carried)
        carried, asked, gross = found.carried_out, asked + found.total, gross + found.gross
    assert asked + carried == gross


@settings(deadline=None)
@given(SUMS, st.booleans(), st.booleans(), st.data())
def test_credit_notes_of_a_bill_add_up_to_the_bill_however_it_is_cut_up(
    sums: list[BillSum], include: bool, by_line: bool, data: st.DataObject
) -> None:
    whole = msgspec.structs.replace(make_bill(FRAME, sums, table(include=include, by_line=by_line)), number="GD-1")
    before: dict[int, Credited] = {}
    carried, notes = whole.carried_out, []
    for last in (False, False, False, True):
        left = all_left(whole, before)
        credits = left if last else data.draw(parts_of(left))
        note = credit_note(whole, credits, before, day="2026-02-03", carried_in=carried)
        check_bill(note)
        before, carried = credited(before, credits, note), note.carried_out
        notes.append(note)
        for index, part in before.items():
            exact = Fraction(whole.lines[index].tax * part.gross, whole.lines[index].gross)
            assert part.tax == half_up(exact, whole.coin)
    assert sum(note.total for note in notes) == -whole.total
    assert sum(note.tax for note in notes) == -whole.tax
    assert sum(note.gross for note in notes) == -whole.gross
    assert carried == whole.carried_in
    with pytest.raises(Refused):
        credit_note(whole, {0: 1}, before, day="2026-02-03", carried_in=carried)


@st.composite
def parts_of(draw: st.DrawFn, left: dict[int, int]) -> dict[int, int]:
    chosen = draw(st.sets(st.sampled_from(sorted(left)))) if left else set()
    return {i: draw(st.integers(1, left[i]) if left[i] > 0 else st.integers(left[i], -1)) for i in chosen}


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**9), min_size=1, max_size=9).filter(any))
def test_a_split_adds_up_and_no_part_is_a_unit_from_its_share(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(
        abs(part - Fraction(amount * weight, sum(weights))) < 1 for part, weight in zip(parts, weights, strict=True)
    )


def test_what_does_not_add_up_is_not_spread() -> None:
    with pytest.raises(ValueError, match="add up"):
        spread(5, [1, 1], 1, 1)


def a_bill(**changed: object) -> Bill:
    sums = [a_sum("at-9", 59_000_000), a_sum("at-6", 12_345_678), a_sum("at-9", -5_000_000)]
    moved = (MoneyMoved("2026-01-05", "top-up", 100_000_000, "k-1"), MoneyMoved("2026-01-06", "transfer", -1_000_000))
    balance = PeriodBalance(10_000_000, moved, 10_000_000 + 99_000_000 - 66_345_678)
    return msgspec.structs.replace(make_bill(FRAME, sums, table(), balance=balance), **changed)


def shifted(line: TaxedLine, coins: int) -> TaxedLine:
    """Move coins of a line between net and tax: the sums of its group stay what they are."""
    return msgspec.structs.replace(line, net=line.net - coins * 10_000, tax=line.tax + coins * 10_000)


FORGED = {
    "sum of groups": lambda bill: {"groups": (msgspec.structs.replace(bill.groups[0], net=1), *bill.groups[1:])},
    "tax of lines": lambda bill: {"lines": (shifted(bill.lines[0], 1), bill.lines[1], shifted(bill.lines[2], -1))},
    "total": lambda bill: {"total": bill.total + bill.coin},
    "carried rest": lambda bill: {"carried_out": bill.carried_out + 1},
    "settled part": lambda bill: {"settled": bill.total + bill.coin},
    "due day": lambda _: {"due_day": ""},
    "reference to another bill": lambda _: {"of": "GD-7"},
    "balance": lambda bill: {"balance": PeriodBalance(0, (), bill.gross)},
    "coin": lambda _: {"coin": 0},
}


@pytest.mark.parametrize("name", sorted(FORGED))
def test_a_forged_bill_is_refused_with_the_sum_that_is_wrong(name: str) -> None:
    sound = a_bill()
    check_bill(sound)
    with pytest.raises(Invalid) as caught:
        check_bill(a_bill(**FORGED[name](sound)))
    assert (caught.value.reason, caught.value.facts) == ("BILL_WRONG", {"sum": name})


def test_an_item_without_tax_is_a_hole_where_there_are_taxes_and_nothing_where_there_are_none() -> None:
    with pytest.raises(Invalid) as caught:
        make_bill(FRAME, [a_sum("postage", 1_000_000)], table())
    assert (caught.value.reason, caught.value.facts) == ("TAX_ITEM_UNKNOWN", {"item": "postage"})
    assert make_bill(FRAME, [a_sum("postage", 1_000_000)], TaxTable()).tax == 0
    rest = TaxTable({ANY_ITEM: (TaxSpan(0, 1 << 30, "rest", 6_000_000),)})
    assert rest.tax("postage", DAY) == ("rest", 6_000_000)
    assert rest.tax("adjustment", DAY) == ("", 0)


@given(st.lists(st.integers(-300, 300), min_size=1, max_size=6), st.sampled_from([1, 7, 109]), st.data())
def test_of_all_ways_to_share_out_only_the_one_that_spreading_gives_is_taken_for_it(
    parts: list[int], whole: int, data: st.DataObject
) -> None:
    total = round(Fraction(sum(parts), whole))
    shares = spread(total, parts, whole, 1)
    assert is_spread(shares, total, parts, whole, 1)
    places = st.integers(0, len(parts) - 1)
    moved = list(shares)
    moved[data.draw(places)] += 1
    moved[data.draw(places)] -= 1
    assert is_spread(moved, total, parts, whole, 1) == (moved == shares)
