"""What bills cost where no store is asked: made and checked as values, and set as PDFs, on one core."""

import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from bench.table import Aim, Bench, Row
from charging.bills.bill import FEE, USAGE
from charging.bills.checking import check_bill
from charging.bills.making import make_bill
from charging.bills.sums import BillSum
from documents.document import BillDocument, PastPeriod
from documents.fonts import font_folder
from documents.layout import DETAILS_A_PAGE
from documents.typesetting import Typesetter
from testkit.bills import DAY, FRAME, ME, SUMS, TAXES, a_document

SINGLE = Aim("≥ 100/s", 100)
PAGES = Aim("≥ 250 pages/s", 250)
FEES, ITEMS = 3, 8

BATCH_BILLS, BATCH_PAGES = 20, 40


def documents(bench: Bench) -> None:
    """Measure all of it in this process: CPU seconds, so that what else the machine does counts less."""
    _values(bench)
    fonts = font_folder(print)
    setter = Typesetter(fonts)
    setter.pdf(a_document())
    numbers = iter(range(1, 1 << 30))

    def single() -> int:
        setter.pdf(_different(next(numbers)))
        return 1

    rate, took = _rate(single, bench.scale.rating_s * 3)
    bench.add(
        Row("bills as PDFs, one by one", f"{rate:,.0f}/s a core", "", "", f"{took * 1e3:.1f} ms each, one page"),
        SINGLE,
        rate,
    )

    def bundled(bills: int, pages_of_details: int) -> Callable[[], int]:
        def one() -> int:
            made: Sequence[BillDocument] = [
                _different(next(numbers), details=pages_of_details * DETAILS_A_PAGE) for _ in range(bills)
            ]
            setter.bundle(made)
            return bills * (1 + pages_of_details)

        return one

    for name, bills, pages in (
        ("bills of one page", BATCH_BILLS, 0),
        ("bills with detail records", 2, BATCH_PAGES // 2),
    ):
        rate, _ = _rate(bundled(bills, pages), bench.scale.rating_s * 3)
        bench.add(Row(f"pages in batches, {name}", f"{rate:,.0f} pages/s a core"), PAGES, rate)


def _different(number: int, details: int = 0) -> BillDocument:
    """Make a document whose amounts are its own: what is alike is laid out once."""
    made = a_document(number, details=details)
    sums = [
        replace(each, amount=each.amount + number * (place + 1) * 770_000 % 50_000_000)
        for place, each in enumerate(SUMS)
    ]
    frame = replace(FRAME, account=f"GD/1:msisdn:86139{number:08d}", customer=f"c-{number}")
    bill = replace(make_bill(frame, sums, TAXES, carried_in=4_000), number=made.bill.number)
    past = [replace(each, total=each.total + number * 7_919 % 30_000_000) for each in made.history[:-1]]
    return replace(made, bill=bill, history=(*past, PastPeriod(bill.period, bill.total)))


def _values(bench: Bench) -> None:
    """Make and check bills of three fees and eight items, as the platform and the owner do."""
    sums = [BillSum(f"fee-{place}", ME, FEE, DAY, 39_000_000 + place) for place in range(FEES)]
    sums += [BillSum(f"item-{place}", ME, USAGE, DAY, 1_234_567 * (place + 1)) for place in range(ITEMS)]

    def make() -> int:
        make_bill(FRAME, sums, TAXES, carried_in=4_000)
        return 1

    bill = make_bill(FRAME, sums, TAXES, carried_in=4_000)

    def check() -> int:
        check_bill(bill)
        return 1

    for name, work in (("made", make), ("checked", check)):
        rate, took = _rate(work, bench.scale.rating_s)
        how = f"{FEES} fees, {ITEMS} items, tax; {took * 1e6:.1f} µs each"
        bench.add(Row(f"bills {name}, values alone", f"{rate:,.0f}/s a core", how=how))


def _rate(work: Callable[[], int], seconds: float) -> tuple[float, float]:
    """Give how many a CPU second does, and how long one takes."""
    work()
    began, done = time.process_time(), 0
    while (took := time.process_time() - began) < seconds or not done:
        done += work()
    return done / took, took / done
