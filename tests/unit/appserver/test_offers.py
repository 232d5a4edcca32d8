"""Offerings as a customer would read them: figures beside words, pages, and the refusal that subscribing would meet."""

from fractions import Fraction

from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.catalogue.offers import Fee, Offering
from runtime.status import from_status
from testkit.front import A, Front
from testkit.owner import OwnerInMemory, catalogue


def sold(version: int = 2, **given: object) -> object:
    """A catalogue with names in two languages, an add-on that needs a plan, and one that excludes it."""
    plain = catalogue(version)
    fees = (Fee("fee-9", "9", name={"zh": "月租", "en": "monthly fee"}),)
    more = (
        Offering(
            "pack", name={"zh": "流量包", "en": "data pack"}, kind="addon", services=("data",), requires=("bundle",)
        ),
        Offering("rich", name="for the rich", services=("voice",), fees=("fee-9",), excludes=("plan",)),
    )
    return replace(plain, offerings=(*plain.offerings, *more), fees=fees)


async def offers(front: Front, **fields: object) -> pb.OfferingsView:
    only = fields.pop("only", ())
    request = front.query(A, "offerings", **fields)
    request.offerings.extend(only)  # type: ignore[arg-type]
    reply = await front.one(request)
    assert reply.WhichOneof("result") == "offerings", reply
    return reply.offerings


async def test_each_offering_says_its_prices_and_whether_it_may_be_taken(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(sold())  # type: ignore[arg-type]
    await front.open()
    view = await offers(front)
    found = {each.offering: each for each in view.offerings}
    assert list(found) == ["bundle", "pack", "plan", "rich"]
    assert view.currency == "CNY"
    assert found["plan"].subscribed
    assert not found["plan"].may_subscribe
    assert from_status(found["plan"].refusal).reason == "SUBSCRIBED_ALREADY"
    assert found["bundle"].may_subscribe
    assert not found["bundle"].HasField("refusal")
    assert from_status(found["pack"].refusal).reason == "OFFERING_REQUIRES"
    assert from_status(found["rich"].refusal).reason == "OFFERING_EXCLUDED"
    (quota,) = [clause for clause in found["bundle"].clauses if clause.section == "included"]
    assert quota.text.startswith("100 min a cycle")
    assert [(price.kind, price.exact, price.unit) for price in quota.prices] == [("quota", "6000/1", "second")]
    rates = [price for clause in found["plan"].clauses if clause.id == "calls/all" for price in clause.prices]
    assert [(Fraction(rate.exact), rate.per, rate.unit) for rate in rates] == [(200_000, "60/1", "second")]


async def test_the_reason_is_the_very_one_that_subscribing_gives(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(sold())  # type: ignore[arg-type]
    await front.open()
    # Refused ones first: what is taken changes what may be.
    for each in sorted((await offers(front)).offerings, key=lambda row: row.may_subscribe):
        reply = await front.one(front.execute(subscribe=pb.Subscribe(offering=each.offering)))
        if each.may_subscribe:
            assert reply.HasField("command"), reply
        else:
            assert from_status(reply.error).reason == from_status(each.refusal).reason


async def test_pages_follow_each_other_and_named_ones_are_told_alone(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(sold())  # type: ignore[arg-type]
    await front.open()
    names: list[str] = []
    cursor = ""
    while True:
        view = await offers(front, quantity=1, page_cursor=cursor)
        names += [each.offering for each in view.offerings]
        cursor = view.next_cursor
        if not cursor:
            break
    assert names == ["bundle", "pack", "plan", "rich"]
    assert [each.offering for each in (await offers(front, only=["plan"])).offerings] == ["plan"]
    request = front.query(A, "offerings")
    request.offerings.append("nothing")
    assert from_status((await front.one(request)).error).reason == "OFFERING_UNKNOWN"
    foreign = (await offers(front, quantity=1)).next_cursor
    reply = await front.one(front.query(A, "detail", page_cursor=foreign))
    assert from_status(reply.error).reason == "PAGE_FOREIGN"


async def test_nothing_is_done_by_looking(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(sold())  # type: ignore[arg-type]
    await front.open()
    before = (await front.one(front.query())).balance
    await offers(front)
    assert (await front.one(front.query())).balance == before


async def test_names_texts_and_refusals_are_told_in_the_language_asked_for(front: Front, owner: OwnerInMemory) -> None:
    owner.publish(sold())  # type: ignore[arg-type]
    await front.open()
    chinese = {each.offering: each for each in (await offers(front, language="zh-CN")).offerings}
    assert chinese["pack"].name == "流量包"
    assert chinese["rich"].clauses[0].name == "月租"
    assert chinese["rich"].clauses[0].text == "每账期 9 CNY，预收，不足一期按天计收"
    assert chinese["rich"].clauses[0].prices[0].exact == "9000000/1"
    english = {each.offering: each for each in (await offers(front, language="en")).offerings}
    assert english["pack"].name == "data pack"
    quote = (await front.one(front.quote(explain=True, language="zh"))).quote
    assert quote.steps[0].text.startswith("资费 calls/all：60 秒")
    reply = await front.one(front.charge(quantity=1 << 60, language="zh"))
    assert any(detail.type_url.endswith("LocalizedMessage") for detail in reply.error.details)


async def test_the_language_is_no_content_of_a_request_key(front: Front) -> None:
    await front.open()
    charge = front.charge(language="zh")
    assert not (await front.one(charge)).charge.repeated
    charge.language = "en"
    assert (await front.one(charge)).charge.repeated
