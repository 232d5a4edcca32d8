"""The words of documents in each language, and how each writes amounts, days and identities."""

from collections.abc import Mapping

import cn2an

from charging.base.money import MICRO
from charging.bills.coins import places_of
from documents.document import Language

WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "bill": "账单",
        "credit_note": "红字账单",
        "number": "账单编号",
        "account": "账户",
        "customer": "客户编号",
        "period": "账单周期",
        "from_to": "{first} 至 {last}",
        "made": "出账日",
        "of": "冲减账单",
        "trial": "试算",
        "payable": "本期应付",
        "credit": "本期应退",
        "nothing": "本期无需付款",
        "until": "请于 {day} 前缴纳",
        "summary": "概要",
        "opening": "期初余额",
        "money_in": "本期存入",
        "money_out": "本期转出",
        "closing": "期末余额",
        "charges": "本期费用",
        "tax_of_it": "其中税额",
        "tax_on_top": "加：税额",
        "net_charges": "本期费用（不含税）",
        "carried_in": "上期结转零头",
        "carried_out": "转入下期零头",
        "total": "本期账单金额",
        "settled_sum": "已由余额支付",
        "arrears": "以前账单未付",
        "chart": "近期账单",
        "lines": "费用明细",
        "what": "项目",
        "net": "不含税",
        "tax": "税额",
        "gross": "金额",
        "taxes": "税额汇总",
        "category": "类别",
        "rate": "税率",
        "untaxed": "不征税",
        "settled": "结清情况",
        "day": "日期",
        "how": "方式",
        "reference": "凭证",
        "amount": "金额",
        "balance": "账户余额",
        "payment": "缴费",
        "reversed": "缴费冲正",
        "written_off": "坏账核销",
        "voucher": "充值卡",
        "details": "详单",
        "time": "时间",
        "member": "号码",
        "party": "对方",
        "quantity": "用量",
        "page": "第 {page} 页，共 {pages} 页",
        "of_account": "账户",
        "level": "{level} 级优惠",
        "late_record": "{origin} 补记",
        "adjustment": "调账",
        "refund": "退费",
        "late_fee": "违约金",
        "payee": "代付账单",
        "carried": "零头",
        "include": "价格含税。",
        "exclude": "价格不含税。",
        "by_bill": "税额按整单计算后分摊到各项。",
        "by_line": "税额按项计算。",
        "rest": "低于最小币值 {coin} 的零头转入下期，不多收也不丢失。",
    },
    "en": {
        "bill": "Bill",
        "credit_note": "Credit note",
        "number": "Number",
        "account": "Account",
        "customer": "Customer",
        "period": "Period",
        "from_to": "{first} to {last}",
        "made": "Made on",
        "of": "Takes back of bill",
        "trial": "trial",
        "payable": "To pay",
        "credit": "In your favour",
        "nothing": "Nothing to pay",
        "until": "Please pay by {day}",
        "summary": "Summary",
        "opening": "Opening balance",
        "money_in": "Money in",
        "money_out": "Money out",
        "closing": "Closing balance",
        "charges": "Charges",
        "tax_of_it": "of it tax",
        "tax_on_top": "Tax",
        "net_charges": "Charges before tax",
        "carried_in": "Carried from the bill before",
        "carried_out": "Carried to the next bill",
        "total": "This bill",
        "settled_sum": "Paid from your balance",
        "arrears": "Open of earlier bills",
        "chart": "Recent bills",
        "lines": "Charges",
        "what": "Item",
        "net": "Net",
        "tax": "Tax",
        "gross": "Gross",
        "taxes": "Tax",
        "category": "Category",
        "rate": "Rate",
        "untaxed": "Not taxed",
        "settled": "How it was settled",
        "day": "Day",
        "how": "How",
        "reference": "Reference",
        "amount": "Amount",
        "balance": "from the balance",
        "payment": "payment",
        "reversed": "payment taken back",
        "written_off": "written off",
        "voucher": "voucher",
        "details": "Detail records",
        "time": "Time",
        "member": "Number",
        "party": "Other party",
        "quantity": "Quantity",
        "page": "Page {page} of {pages}",
        "of_account": "Account",
        "level": "discount, level {level}",
        "late_record": "late, of {origin}",
        "adjustment": "Adjustment",
        "refund": "Refund",
        "late_fee": "Late fee",
        "payee": "Bill that is paid for another account",
        "carried": "Rests",
        "include": "Prices include tax.",
        "exclude": "Prices exclude tax.",
        "by_bill": "Tax is worked out for the whole bill and spread over the lines.",
        "by_line": "Tax is worked out line by line.",
        "rest": "What is below the smallest coin, {coin}, is carried to the next bill; nothing is lost.",
    },
}
CURRENCIES: Mapping[Language, Mapping[str, str]] = {"zh": {"CNY": "元"}, "en": {}}


def amount_text(amount: int, currency: str) -> str:
    """Write micro-units with the places of the currency, and more where there is something below: 1,234.50, 0.003."""
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), MICRO)
    digits = f"{rest:06d}"
    places = max(places_of(currency), len(digits.rstrip("0")))
    return f"{sign}{whole:,}" + (f".{digits[:places]}" if places else "")


def spelled(amount: int, currency: str, language: Language) -> str:
    """Write an amount of yuan as Chinese documents do, so that no digit can be added; "" in other languages."""
    if language != "zh" or currency != "CNY" or amount % (MICRO // 100):
        return ""
    yuan, cents = divmod(abs(amount) // (MICRO // 100), 100)
    return "人民币" + ("负" if amount < 0 else "") + str(cn2an.an2cn(f"{yuan}.{cents:02d}", "rmb"))


def identity_text(identity: str) -> str:
    """Write an identity without the word for its kind: 8613900000001."""
    return identity.partition(":")[2] or identity
