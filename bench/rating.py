"""What rating costs: charges a second on one core and p50 by case. Steps are made in every charge; sentences apart.

.venv/bin/python bench/rating.py [seconds per case] [--json]
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

from charging.base.account import MONEY, Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Usage
from charging.catalogue.document import Catalogue
from charging.catalogue.merge import merge
from charging.catalogue.offers import Accumulator, Allowance, Discount, DiscountWhen, Offering
from charging.catalogue.tariffs import BandRates, Price, Rate, Tariff, Tier, Tiers
from charging.catalogue.words import Band, Destination, Rounding, Service, When
from charging.plans.compile import compile_plan
from charging.plans.plan import Plan
from charging.rating import explain, rating
from charging.rating.rating import rate
from testkit.ledger import an_account

ME = "msisdn:8613012345678"
PARTIES = [f"msisdn:86139{number:08d}" for number in range(997)]
AT = "2026-03-02T17:59:30"
BLOCK = 1000
"""Charges between two looks at the clock for the rate; the p50 is taken over single charges."""


def catalogue() -> Catalogue:
    """Make a catalogue with one tariff a case, and destinations as a real one has them."""
    domestic = When(destinations=("domestic",))
    minute = Rate("0.2", "60")
    tariffs = {
        "flat": Price("p", when=domestic, rates=(minute,)),
        "connect-60-1": Price(
            "p", when=domestic, connect="0.4", rates=(minute, Rate("0.1", "60", "1", "60")), minimum="0.1"
        ),
        "two-bands": Price(
            "p", when=domestic, bands=(BandRates(("day",), (minute,)),), rates=(Rate("0.1", "60", "1"),)
        ),
        "cycle-tiers": Price(
            "p", when=domestic, tiers=Tiers((Tier("6000", "0.2", "60"), Tier("", "0.1", "60")), over="cycle")
        ),
        "by-second": Price("p", when=domestic, rates=(Rate("0.1", "60", "1"),)),
    }
    discounts = (
        Discount("d0", "product", percent="5", when=DiscountWhen(account={"grade": ("gold",)})),
        Discount("d1", "offering", percent="6"),
        Discount("d2", "subscriber", percent="7"),
        Discount("d3", "account", percent="8"),
        Discount("d4", "account", percent="9", priority=200),
    )
    return Catalogue(
        "bench",
        1,
        rounding=Rounding("half_up", 4),
        services=(Service("voice", "second"),),
        bands=(Band("day", end="18:00"),),
        destinations=(
            Destination("domestic", ("86",)),
            Destination("local", tuple(f"8620{number}" for number in range(100))),
        ),
        tariffs=tuple(
            Tariff(name, "voice", (Price("local", when=When(destinations=("local",)), rates=(minute,)), price))
            for name, price in tariffs.items()
        ),
        allowances=(Allowance("minutes", "second", "200 min", increment="1 min"),),
        accumulators=(Accumulator("usage", period="cycle"),),
        discounts=discounts,
        offerings=(
            *(Offering(name, tariffs=(name,)) for name in tariffs),
            Offering("allowance", tariffs=("flat",), allowances=("minutes",)),
            Offering("discounted", tariffs=("flat",), discounts=("d1",)),
        ),
    )


def measure(work: Callable[[int], object], seconds: float) -> tuple[float, float]:
    """Give charges a second (best of the blocks) and the p50 of single charges in microseconds."""
    best = 0.0
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        started = time.perf_counter()
        for number in range(BLOCK):
            work(number)
        best = max(best, BLOCK / (time.perf_counter() - started))
    singles = []
    for number in range(5 * BLOCK):
        at = time.perf_counter_ns()
        work(number)
        singles.append(time.perf_counter_ns() - at)
    return best, median(singles) / 1000


def case(
    plan: Plan, offering: str, quantity: int, account: Account, agreements: tuple[str, ...] = ()
) -> Callable[[int], object]:
    """Make one charge of a case, each to another party."""
    contract = Contract(ME, "acc", "GD", subscriptions=(Subscription(offering),), agreements=agreements)
    at = plan.local.moment_ms(AT)
    usages = [Usage(ME, "voice", at, quantity, party) for party in PARTIES]
    size = len(usages)
    return lambda number: rate(plan, usages[number % size], contract, account)


def cases(seconds: float) -> Iterator[tuple[str, float, float]]:
    """Measure case by case: name, charges a second, median in µs."""
    local = LocalTime("Asia/Shanghai")
    plan = compile_plan(merge(catalogue()), local)
    account = an_account("acc", 1, "GD", books=(Book("main", MONEY, 100_000_000),), members=(ME,))
    split = an_account("acc", 1, "GD", books=account.books, accumulators={f"minutes|{ME}@20260301": 11_940})
    agreed = an_account("acc", 1, "GD", books=account.books, agreements=("d3", "d4"), attributes={"grade": "gold"})
    work_of = [
        ("flat, 60/60", case(plan, "flat", 130, account)),
        ("connect, 60/1, minimum", case(plan, "connect-60-1", 130, account)),
        ("two bands, call spans both", case(plan, "two-bands", 130, account)),
        ("tiers over the cycle", case(plan, "cycle-tiers", 130, account)),
        ("allowance takes all", case(plan, "allowance", 130, account)),
        ("allowance split, tail by tariff", case(plan, "allowance", 130, split)),
        ("five stacked discounts", case(plan, "discounted", 130, agreed, ("d2",))),
        ("one minute by the second", case(plan, "by-second", 60, account)),
        ("24 hours by the second", case(plan, "by-second", 86_400, account)),
    ]
    for name, work in work_of:
        yield name, *measure(work, seconds)
    charge = rate(
        plan,
        Usage(ME, "voice", local.moment_ms(AT), 130, PARTIES[0]),
        Contract(ME, "acc", "GD", subscriptions=(Subscription("discounted"),), agreements=("d2",)),
        agreed,
    )
    if len([step for step in charge.steps if step.kind == "discount"]) != 5:
        raise SystemExit("the case of five discounts lost some")
    yield "sentences of five discounts, on demand", *measure(lambda _: explain.lines(charge), seconds)


def main() -> None:
    """Print the table; with --json the rows and the file that the rating came from."""
    given = [argument for argument in sys.argv[1:] if argument != "--json"]
    found = list(cases(float(given[0]) if given else 1.0))
    if "--json" in sys.argv:
        print(json.dumps({"file": rating.__file__, "cases": found}))
        return
    print(f"{'case':<40}{'charges/s':>12}{'p50 µs':>10}")
    for name, speed, middle in found:
        print(f"{name:<40}{speed:>12,.0f}{middle:>10.2f}")


if __name__ == "__main__":
    main()
