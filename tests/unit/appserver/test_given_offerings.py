"""Offerings that one subscriber buys for another: told beforehand, decided on whoever gets them, paid by the giver."""

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.catalogue.offers import Fee, Offering
from charging.ledger.dues import FeePosted
from charging.ledger.events import ContractSet
from testkit.front import A, B, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

NOBODY = "msisdn:8613000000099"
DAY_MS = 86_400_000


@pytest.fixture
async def desk(front: Front, owner: OwnerInMemory) -> Front:
    """A front end with the accounts of A and B; "pack" may be given, for 9 and a fee of 0.5."""
    plain = catalogue(2)
    once = Fee("once", "9", kind="one_time")
    more = (
        Offering(
            "pack",
            kind="addon",
            services=("voice",),
            fees=("once",),
            validity="30 d",
            begins_max=1,
            may_be_given=True,
            gift_fee="0.5",
        ),
        Offering("rival", kind="addon", excludes=("plan",), may_be_given=True),
        Offering("extra", kind="addon", requires=("palace",), may_be_given=True),
        Offering("palace", kind="addon"),
    )
    owner.publish(replace(plain, offerings=(*plain.offerings, *more), fees=(once,)))
    await front.open()
    await front.open(B)
    return front


def main_of(owner: OwnerInMemory, account_id: str) -> int:
    return next(book.amount for book in owner.desk.accounts[account_id].books if book.book_id == "main")


def pack(**more: object) -> pb.GiveOffering:
    return pb.GiveOffering(to_identity=B, offering="pack", **more)  # type: ignore[arg-type]


async def test_a_giver_is_told_price_fee_and_end_pays_them_and_both_histories_name_the_other_party(
    desk: Front, owner: OwnerInMemory
) -> None:
    before = main_of(owner, A), main_of(owner, B)
    asked = desk.execute(give_offering=pack())
    beforehand = pb.ServiceRequest()
    beforehand.CopyFrom(asked)
    beforehand.request_type, beforehand.request_key = pb.REQUEST_TYPE_QUOTE, ""
    told = (await desk.one(beforehand)).preview
    gift = told.gift
    assert (gift.to_identity, gift.offering, gift.quantity, gift.price, gift.fee) == (B, "pack", 1, 9_000_000, 500_000)
    assert gift.valid_to_ms - gift.valid_from_ms == 30 * DAY_MS
    assert not told.contracts, "of the other side's contract nothing else is told"
    assert main_of(owner, A) == before[0]
    done = (await desk.one(asked)).command
    assert sum(moved.delta for moved in done.movements) == -9_500_000
    again = (await desk.one(asked)).command
    assert again.account_version == done.account_version
    owner.desk.drive_transfers()
    assert (main_of(owner, A), main_of(owner, B)) == (before[0] - 9_500_000, before[1])
    arrived = owner.desk.journals[B][-1]
    contract = next(event.contract for event in arrived.events if isinstance(event, ContractSet))
    assert [(each.offering, each.valid_to_ms) for each in contract.subscriptions][-1] == (
        "pack",
        contract.subscriptions[-1].valid_from_ms + 30 * DAY_MS,
    )
    assert [event.due.fee for event in arrived.events if isinstance(event, FeePosted)] == ["once"]
    for identity, other in ((A, B), (B, A)):
        lines = (await desk.one(desk.query(identity, view="history"))).history.lines
        assert any(other in line.reason and "pack" in line.reason for line in lines), [line.reason for line in lines]


async def test_what_is_sold_says_what_may_be_given_and_for_which_fee(desk: Front) -> None:
    rows = (await desk.one(desk.query(view="offerings"))).offerings.offerings
    assert {row.offering: row.gift_fee for row in rows if row.may_be_given} == {"pack": 500_000, "rival": 0, "extra": 0}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (pb.GiveOffering(to_identity=A, offering="pack"), "GIFT_TO_ITSELF"),
        (pb.GiveOffering(to_identity="nobody", offering="pack"), "IDENTITY_MALFORMED"),
        (pb.GiveOffering(to_identity=NOBODY, offering="pack"), "RECEIVER_UNKNOWN"),
        (pb.GiveOffering(to_identity=B, offering="palace"), "OFFERING_NOT_GIVEN"),
        (pb.GiveOffering(to_identity=B, offering="nought"), "OFFERING_NOT_GIVEN"),
        (pb.GiveOffering(to_identity=B, offering="rival"), "OFFERING_EXCLUDED"),
        (pb.GiveOffering(to_identity=B, offering="extra"), "OFFERING_REQUIRES"),
        (pb.GiveOffering(to_identity=B, offering="pack", book_id="none"), "BOOK_UNKNOWN"),
        (pb.GiveOffering(to_identity=B, offering="pack", quantity=2_000), "INSUFFICIENT_FUNDS"),
    ],
)
async def test_what_can_not_be_given_is_refused_with_a_reason_of_its_own_and_nothing_moves(
    desk: Front, owner: OwnerInMemory, asked: pb.GiveOffering, reason: str
) -> None:
    before = owner.desk.accounts[A].books
    request = desk.execute(give_offering=asked)
    assert fault_of(await desk.one(request)).reason == reason
    request.request_type, request.request_key = pb.REQUEST_TYPE_QUOTE, ""
    assert fault_of(await desk.one(request)).reason == reason, "a preview says the same"
    assert owner.desk.accounts[A].books == before
    assert owner.desk.accounts[A].open.outgoing == ()


async def test_rules_of_the_catalogue_hold_for_whoever_gets_it(desk: Front, owner: OwnerInMemory) -> None:
    done = await desk.one(desk.execute(B, subscribe=pb.Subscribe(offering="pack")))
    assert not done.HasField("error")
    refused = await desk.one(desk.execute(give_offering=pack()))
    assert fault_of(refused).reason in ("SUBSCRIBED_ALREADY", "TAKEN_TOO_OFTEN")
    assert owner.desk.accounts[A].open.outgoing == ()
