"""The bill of a customer: those of all its accounts for a month, together, wherever they live.

Nothing is kept of it. It is made of bills that are closed, which never change, so asking again gives the same, and an
account is left out of none: the index of a customer has those that are closed or were ported, too. What can't be read
now fails the whole, for a payer must not take a part for all.
"""

from collections.abc import Mapping, Sequence

from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.parts import Ask, bills_of
from appserver.billing.releasing import withholding
from appserver.billing.telling import expect
from business.billing.periods import read_period
from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.errors import Invalid, NotFound
from charging.wire import BusinessData, CustomerRows, FetchCustomer, Pull

ACCOUNTS_DEFAULT, ACCOUNTS_MAX = 100, 200
BILLED, NOTHING, OPEN, HELD = "billed", "nothing", "open", "held"


def month_of(period: str) -> int:
    """Read a month, as 2026-10, as months since the year 0. Raises `Invalid` PERIOD_MALFORMED."""
    return read_period(f"{period}/1").month


async def read_customer_bill(ask: Ask, request: pb.ReadCustomerBillRequest) -> pb.ReadCustomerBillResponse:
    """Read a page. Raises `Invalid` PAGE_TOKEN_FOREIGN, PERIOD_MALFORMED, `NotFound`, and whatever an owner says."""
    month = month_of(request.period)
    most = min(request.accounts_max or ACCOUNTS_DEFAULT, ACCOUNTS_MAX)
    after = _after(request.page, request.period)
    rows = await _rows(ask, request.identity, most, after)
    if not rows.customer_id:
        raise NotFound("CUSTOMER_UNKNOWN", f"the account of {request.identity[:80]} is of no customer")
    if after and after[0] != rows.customer_id:
        raise _foreign()
    accounts = await _accounts(ask, [row.account_id for row in rows.rows])
    told = [await _of_account(ask, account, month) for account in accounts]
    following = f"{rows.customer_id}|{request.period}|{rows.rows[-1].account_id}" if rows.more else ""
    return pb.ReadCustomerBillResponse(
        customer_id=rows.customer_id,
        period=request.period,
        accounts=told,
        totals=totals_of(told),
        complete=all(each.state != OPEN for each in told),
        next_page=following,
    )


async def withhold_accounts(ask: Ask, told: pb.ReadCustomerBillResponse, zones: Mapping[str, str]) -> None:
    """Leave bills out that wait for their approver, of accounts in domains, each with its zone; sums tell the rest."""
    for each in told.accounts:
        zone = zones.get(each.domain)
        if zone is not None and each.state == BILLED and await withholding(ask, [each.bill], zone):
            each.state, each.open = HELD, 0
            each.ClearField("bill")
            told.complete = False
    del told.totals[:]
    told.totals.extend(totals_of(told.accounts))


def totals_of(accounts: Sequence[pb.CustomerAccountBill]) -> list[pb.CustomerBillTotal]:
    """Add bills up by currency."""
    found: dict[str, pb.CustomerBillTotal] = {}
    for each in accounts:
        if each.state != BILLED:
            continue
        bill = each.bill
        total = found.setdefault(bill.currency, pb.CustomerBillTotal(currency=bill.currency))
        total.net += bill.net
        total.tax += bill.tax
        total.total += bill.total
        total.settled += bill.settled
        total.payable += bill.payable
        total.open += each.open
    return [found[currency] for currency in sorted(found)]


async def _rows(ask: Ask, identity: str, most: int, after: tuple[str, str] | tuple[()]) -> CustomerRows:
    (answer,) = await ask([Question(identity, FetchCustomer(identity, most, after[1] if after else ""))])
    return expect(CustomerRows, answer)


async def _accounts(ask: Ask, ids: Sequence[str]) -> list[Account]:
    identities = [identity_of(account_id) for account_id in ids]
    answers = await ask([Question(identity, Pull(identity)) for identity in identities])
    return [expect(BusinessData, answer).account for answer in answers]


async def _of_account(ask: Ask, account: Account, month: int) -> pb.CustomerAccountBill:
    told = pb.CustomerAccountBill(account_id=account.account_id, domain=account.terms.domain, state=OPEN)
    if account.terms.closed < month:
        return told
    read = await bills_of(ask, account.account_id, [month], account.open.places)
    if not read.bills:
        told.state = NOTHING
        return told
    told.state = BILLED
    told.bill.CopyFrom(read.bills[0])
    still: Mapping[str, int] = {bill.number: bill.open for bill in account.open.bills}
    told.open = still.get(told.bill.number, 0)
    return told


def _after(page: str, period: str) -> tuple[str, str] | tuple[()]:
    """Read where a page begins: the customer, and the account behind which."""
    if not page:
        return ()
    customer_id, _, rest = page.partition("|")
    of, _, account_id = rest.partition("|")
    if of != period or not account_id:
        raise _foreign()
    return customer_id, account_id


def _foreign() -> Invalid:
    wanted = "what the page before of the same customer and period gave"
    return Invalid("PAGE_TOKEN_FOREIGN", f"no page begins there: give {wanted}", fields={"page": wanted})
