"""The commands by which the sample accounts come to life: opened by their primary member, then joined by the others."""

from collections.abc import Iterator

from onetier.v1 import service_desk_pb2 as desk

from country import offers, reference
from country.domains import CURRENCY
from country.population import Population, SampleAccount, Subscriber

ACTOR = "onetier demo"
MAIN_BOOK = "main"


def opening(account: SampleAccount) -> desk.ServiceRequest:
    """Open an account with the contract of its primary member and its opening balance."""
    primary = account.members[0]
    books = [desk.BalanceBook(book_id=MAIN_BOOK, unit="money", amount=account.opening)] if account.opening else []
    request = _request(primary.identity, f"open-{account.account_id}")
    request.open_account.CopyFrom(
        desk.OpenAccount(
            account_id=account.account_id,
            customer_id=account.customer_id,
            payment_mode=account.payment_mode,
            credit_limit=account.credit_limit,
            currency=CURRENCY,
            contract=_contract(primary),
            books=books,
            customer_attributes={"grade": account.grade},
            agreements=account.agreements,
            cycle_day=account.cycle_day,
        )
    )
    return request


def afterwards(account: SampleAccount) -> Iterator[desk.ServiceRequest]:
    """Give what follows an opening, in order: the contracts of further members, and a suspension.

    It may be sent only when the opening has succeeded.
    """
    for member in account.members[1:]:
        request = _request(account.account_id, f"join-{member.identity}")
        request.set_contract.CopyFrom(desk.SetContract(account_id=account.account_id, contract=_contract(member)))
        yield request
    if account.suspended:
        request = _request(account.account_id, f"suspend-{account.account_id}")
        request.set_account_status.CopyFrom(desk.SetAccountStatus(status="suspended", reason="lost card"))
        yield request


def openings(population: Population) -> Iterator[desk.ServiceRequest]:
    """Give the openings of all accounts."""
    return (opening(account) for account in population.accounts)


def joins(population: Population) -> Iterator[desk.ServiceRequest]:
    """Give what follows all openings."""
    return (request for account in population.accounts for request in afterwards(account))


def _request(identity: str, key: str) -> desk.ServiceRequest:
    return desk.ServiceRequest(
        identity=identity,
        request_type=desk.REQUEST_TYPE_EXECUTE,
        request_key=key,
        channel=reference.FRONT,
        actor=ACTOR,
    )


def _contract(member: Subscriber) -> desk.Contract:
    contract = desk.Contract(
        identity=member.identity,
        account_id=member.account_id,
        domain=member.domain,
        valid_from_ms=member.valid_from_ms,
        status="active",
        subscriptions=[
            desk.Subscription(offering=offering, valid_from_ms=member.valid_from_ms) for offering in member.offerings
        ],
        order_id=member.order_id,
    )
    if member.family:
        contract.groups[offers.FAMILY_GROUP].identities.extend(member.family)
    return contract
