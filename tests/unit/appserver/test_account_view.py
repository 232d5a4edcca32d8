"""An account as a whole, its members page by page, what allowances have left, and what the history says of a change."""

from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.base import bounds
from runtime.status import from_status
from testkit.front import A, B, Front
from testkit.owner import OwnerInMemory


def member(number: int) -> str:
    return f"msisdn:86131{number:08}"


async def join(front: Front, count: int) -> None:
    for number in range(count):
        contract = pb.Contract(identity=member(number), subscriptions=[pb.Subscription(offering="plan")])
        reply = await front.one(front.execute(set_contract=pb.SetContract(contract=contract)))
        assert reply.HasField("command"), reply


async def test_an_account_tells_its_terms_and_its_members_by_pages(front: Front) -> None:
    await front.open()
    await join(front, 9)
    found: list[str] = []
    cursor = ""
    while True:
        view = (await front.one(front.query(A, "account", quantity=4, page_cursor=cursor))).account
        assert view.members_count == 10
        assert len(view.members) <= 4
        found += [each.identity for each in view.members]
        cursor = view.next_cursor
        if not cursor:
            break
    assert found == sorted([A, *(member(number) for number in range(9))])
    assert (view.currency, view.payment_mode, view.domain, view.status) == ("CNY", "prepaid", "GD", "active")


async def test_an_account_that_is_full_of_members_is_told_in_pages_of_five_hundred(
    front: Front, owner: OwnerInMemory
) -> None:
    await front.open()
    account_id, account = next(iter(owner.desk.accounts.items()))
    members = tuple(member(number) for number in range(bounds.MEMBERS_MAX))
    owner.desk.accounts[account_id] = replace(account, members=(*account.members, *members))
    first = (await front.one(front.query(A, "account", quantity=1_000_000))).account
    assert len(first.members) == 500
    assert first.next_cursor
    reply = await front.one(front.query(A, "account", page_cursor=first.next_cursor + "x"))
    assert from_status(reply.error).reason == "PAGE_MALFORMED"


async def test_an_allowance_tells_its_period_and_when_it_lapses(front: Front) -> None:
    await front.open(offering="bundle")
    await front.one(front.charge(quantity=60))
    (left,) = (await front.one(front.query(A, "usage"))).usage.allowances
    assert (left.allowance, left.quota, left.used, left.remaining) == ("minutes-100", 6_000, 60, 5_940)
    assert left.period.endswith("01")
    assert left.valid_from_ms < left.valid_to_ms
    assert (left.valid_to_ms + 8 * 3_600_000) % 86_400_000 == 0, "local midnight"
    assert not left.rolled_from


async def test_history_tells_old_and_new_terms_the_event_and_the_channel(front: Front) -> None:
    await front.open()
    await front.one(front.charge(quantity=60, other_party="10086"))
    await front.one(front.execute(set_payment_mode=pb.SetPaymentMode(payment_mode="postpaid")))
    await front.one(front.execute(set_credit_limit=pb.SetCreditLimit(credit_limit=5_000_000)))
    profile = pb.SetAccountProfile(account_attributes={"grade": "gold"})
    await front.one(front.execute(set_account_profile=profile))
    await front.one(front.execute(subscribe=pb.Subscribe(offering="bundle")))
    lines = (await front.one(front.query(A, "history"))).history.lines
    changes = {change.term: (change.before, change.after) for line in lines for change in line.changes}
    assert changes["payment_mode"] == ("prepaid", "postpaid")
    assert changes["credit_limit"] == ("0", "5000000")
    assert changes["account_attributes.grade"] == ("", "gold")
    before, after = changes["subscriptions"]
    assert "bundle" not in before
    assert "bundle" in after
    (charge,) = [line for line in lines if line.kind == "c"]
    assert (charge.other_party, charge.channel) == ("10086", "front")
    assert charge.event_time_ms


async def test_history_of_some_kinds_leaves_the_rest_out(front: Front) -> None:
    await front.open()
    await front.exchange(*(front.charge() for _ in range(5)))
    await front.one(front.execute(set_payment_mode=pb.SetPaymentMode(payment_mode="postpaid")))
    request = front.query(A, "history")
    request.kinds.append("mode")
    assert [line.kind for line in (await front.one(request)).history.lines] == ["mode"]
    request.kinds[:] = ["nothing"]
    assert from_status((await front.one(request)).error).reason == "NAME_MALFORMED"


async def test_a_stranger_without_grant_sees_none_of_it(front: Front, owner: OwnerInMemory) -> None:
    await front.open(B)
    for view in ("account", "offerings", "detail"):
        reply = await front.one(front.query("msisdn:8613000000099", view))
        assert from_status(reply.error).reason == "IDENTITY_UNKNOWN"
