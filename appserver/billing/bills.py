"""Bills → replies."""

from onetier.v1 import billing_pb2 as pb

from charging.bills.bill import Bill, TaxedLine


def bill_told(bill: Bill) -> pb.Bill:
    """Tell a bill."""
    told = sums_told(bill)
    told.lines.extend([_line(line) for line in bill.lines])
    told.taxes.extend(
        [pb.BillTax(category=each.category, rate=each.rate, net=each.net, tax=each.tax) for each in bill.groups]
    )
    if bill.balance is not None:
        moved = bill.balance.moved
        told.money.extend([pb.BillMoney(kind=each.kind, amount=each.amount, day=each.day) for each in moved])
    return told


def sums_told(bill: Bill) -> pb.Bill:
    """Tell a bill without its lines, taxes and money."""
    balance = bill.balance
    net, tax = bill.net, bill.tax
    return pb.Bill(
        kind=bill.kind,
        number=bill.number,
        account_id=bill.account,
        customer_id=bill.customer,
        period=bill.period,
        from_day=bill.from_day,
        to_day=bill.to_day,
        made_day=bill.made_day,
        due_day=bill.due_day,
        currency=bill.currency,
        net=net,
        tax=tax,
        gross=net + tax,
        carried_in=bill.carried_in,
        carried_out=bill.carried_out,
        total=bill.total,
        settled=bill.settled,
        payable=bill.payable,
        arrears=bill.arrears,
        opening=balance.opening if balance is not None else 0,
        closing=balance.closing if balance is not None else 0,
        coin=bill.coin,
        prices=bill.prices,
        rounding=bill.rounding,
        minimum=bill.minimum,
        of=bill.of,
    )


def _line(line: TaxedLine) -> pb.BillLine:
    return pb.BillLine(
        item=line.item,
        member=line.member,
        kind=line.kind,
        net=line.net,
        tax=line.tax,
        tax_category=line.category,
        tax_rate=line.rate,
        level=line.level,
        rule=line.rule,
        origin=line.origin,
        count=line.count,
        bundle=line.bundle,
    )
