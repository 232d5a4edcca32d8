"""A bill with something of everything on it, for tests and measures of documents."""

import msgspec

from charging.base.localtime import day_of
from charging.bills.bill import ADJUSTMENT, DISCOUNT, FEE, USAGE, Bill
from charging.bills.making import make_bill
from charging.bills.sums import BillFrame, BillSum
from charging.bills.taxtable import ANY_ITEM, TaxSpan, TaxTable
from documents.document import BillDocument, Language, PastPeriod, Payment, PrintedDetail

ME, OTHER = "msisdn:8613900000001", "msisdn:8613900000002"
NEW_YEAR = day_of("2026-01-01")
FAR = 1 << 30
TAXES = TaxTable(
    {
        "data": (TaxSpan(0, NEW_YEAR, "added", 6_000_000), TaxSpan(NEW_YEAR, FAR, "basic", 9_000_000)),
        ANY_ITEM: (TaxSpan(0, FAR, "basic", 9_000_000),),
    },
    due_days=15,
    changes=(NEW_YEAR,),
)
FRAME = BillFrame(f"GD/1:{ME}", "c-1", "2026-01/1", "2026-01-01", "2026-01-31", "2026-02-01", "CNY")
DAY, BEFORE = NEW_YEAR + 9, NEW_YEAR - 2
SUMS = (
    BillSum("plan-59", ME, FEE, DAY, 59_000_000, rule="plan-59"),
    BillSum("voice", ME, USAGE, DAY, 12_345_678, count=31),
    BillSum("data", ME, USAGE, DAY, 20_000_000, count=900),
    BillSum("data", ME, USAGE, BEFORE, 3_000_000, origin="2025-12/1"),
    BillSum("plan-59", ME, DISCOUNT, DAY, -10_000_000, "A", "vip"),
    BillSum("plan-39", OTHER, FEE, DAY, 39_000_000),
    BillSum("sms", OTHER, USAGE, DAY, 700_000),
    BillSum("adjustment", "", ADJUSTMENT, DAY, -5_000_000),
)
NAMES = {
    "zh": {
        "plan-59": "畅享套餐 59 元", "plan-39": "畅享套餐 39 元", "voice": "语音通话", "data": "移动数据流量",
        "sms": "短信", "vip": "VIP 优惠", "basic": "基础电信服务", "added": "增值电信服务",
    },
    "en": {
        "plan-59": "Plan 59", "plan-39": "Plan 39", "voice": "Calls", "data": "Mobile data", "sms": "Messages",
        "vip": "VIP", "basic": "Basic telecom", "added": "Value-added telecom",
    },
}  # fmt: skip


def a_bill(number: int = 1) -> Bill:
    """Make it: 119.04 asked for, 20 of it paid by the balance."""
    found = make_bill(FRAME, SUMS, TAXES, carried_in=4_000, available=20_000_000, arrears=3_000_000)
    return msgspec.structs.replace(found, number=f"GD-2026-{number:09d}")


def a_document(number: int = 1, language: Language = "zh", details: int = 0) -> BillDocument:
    """Give it with a customer, five earlier periods, a payment, and so many detail records, all different."""
    bill = a_bill(number)
    history = [PastPeriod(f"2025-{month:02d}/1", 90_000_000 + month * 5_000_000) for month in range(8, 13)]
    return BillDocument(
        bill=bill,
        language=language,
        operator="华南通信" if language == "zh" else "South Telecom",
        name="王小明" if language == "zh" else "Wang Xiaoming",
        address=("体育西路 1 号", "510000") if language == "zh" else ("1 Tiyu West Road", "Guangzhou 510000"),
        names=NAMES[language],
        history=(*history, PastPeriod(bill.period, bill.total)),
        payments=(Payment("2026-02-03", "payment", 50_000_000, "alipay-77"),),
        details=tuple(_detail(number, place) for place in range(details)),
    )


def _detail(number: int, place: int) -> PrintedDetail:
    time = f"2026-01-{place % 28 + 1:02d} 10:{place % 60:02d}:{place * 7 % 60:02d}"
    party = f"msisdn:86138{(place * 7919 + number * 31) % 10**8:08d}"
    return PrintedDetail(time, ME, "voice", party, f"{place % 60 + 1} s", place * 1_234)
