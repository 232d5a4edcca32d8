"""The accounts of a customer at the front door: pages, none, and regions that the caller may not see."""

import base64

from onetier.v1 import service_desk_pb2 as pb

from charging.ledger.permission import ALL, NO_LIMIT, Grant
from charging.wire import CustomerRow, CustomerRows, FetchCustomer
from runtime.status import from_status
from testkit.front import A, Front
from testkit.owner import OwnerInMemory

ROWS = tuple(CustomerRow(f"{domain}/0:{number}", domain, 5) for domain in ("BJ", "GD") for number in range(3))


async def accounts(front: Front, **fields: object) -> pb.AccountsView:
    reply = await front.one(front.query(A, "accounts", **fields))
    assert reply.WhichOneof("result") == "accounts", reply
    return reply.accounts


async def test_a_customer_without_id_has_no_accounts(front: Front) -> None:
    await front.open()
    assert await accounts(front) == pb.AccountsView()


async def test_accounts_are_told_by_pages_whose_cursor_is_the_customers(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    cut: list[FetchCustomer] = []

    def told(ask: object) -> CustomerRows | None:
        if not isinstance(ask, FetchCustomer):
            return None
        cut.append(ask)
        left = [row for row in ROWS if row.account_id > ask.after]
        return CustomerRows("", tuple(left[: ask.rows_max]), len(left) > ask.rows_max)

    owner.intercept = told
    first = await accounts(front, quantity=4)
    second = await accounts(front, quantity=4, page_cursor=first.next_cursor)
    assert [row.account_id for row in (*first.accounts, *second.accounts)] == [row.account_id for row in ROWS]
    assert not second.next_cursor
    assert [ask.after for ask in cut] == ["", "GD/0:0"]
    reply = await front.one(front.query(A, "account", page_cursor=first.next_cursor))
    assert from_status(reply.error).reason == "PAGE_FOREIGN"


async def test_a_cursor_names_no_account_that_the_caller_may_not_see(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    mixed = [
        CustomerRow(f"{domain}/0:{number}", domain, 5)
        for domain, numbers in (("BJ", "0123"), ("GD", "01"), ("SC", "01234"), ("XJ", "0"), ("ZJ", "01"))
        for number in numbers
    ]

    def told(ask: object) -> CustomerRows | None:
        if not isinstance(ask, FetchCustomer):
            return None
        left = [row for row in mixed if row.account_id > ask.after]
        return CustomerRows("", tuple(left[: ask.rows_max]), len(left) > ask.rows_max)

    owner.intercept = told
    owner.grants = (Grant("local", (ALL,), NO_LIMIT, NO_LIMIT, domains=("GD", "XJ"), actors=True),)
    owner.revision += 1
    await front.one(front.query(A, "balance"))
    seen: list[str] = []
    cursor = ""
    for _ in range(len(mixed)):
        page = await accounts(front, quantity=2, page_cursor=cursor)
        assert len(page.accounts) <= 2
        seen += [row.account_id for row in page.accounts]
        cursor = page.next_cursor
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        assert not any(row.account_id.encode() in plain for row in mixed if row.domain not in ("GD", "XJ"))
        if not cursor:
            break
    assert seen == ["GD/0:0", "GD/0:1", "XJ/0:0"]
    assert not cursor


async def test_rows_of_regions_that_are_not_granted_are_left_out(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    owner.intercept = lambda ask: CustomerRows("", ROWS, False) if isinstance(ask, FetchCustomer) else None
    owner.grants = (Grant("local", (ALL,), NO_LIMIT, NO_LIMIT, domains=("GD",), actors=True),)
    owner.revision += 1
    assert {row.domain for row in (await accounts(front)).accounts} == {"GD"}
