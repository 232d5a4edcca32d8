"""Reference data that changed is used everywhere soon, whoever asks for what, and whether it goes well or not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from charging.catalogue.document import Catalogue
from charging.wire import ChannelRef, Reference
from testkit.front import A, B, DataCenterInMemory, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

MakeFront = Callable[..., Awaitable[Front]]
CHECK_S = 0.05
NEVER_MS = 1_000_000_000


def with_fax(document: Catalogue) -> Catalogue:
    """The same with a service more, that costs a yuan."""
    services = document.services
    tariff = next(each for each in document.tariffs if each.service == "sms")
    fax = replace(services[1], id="fax")
    plan = replace(document.offerings[0], services=(*document.offerings[0].services, "fax"))
    return replace(
        document,
        services=(*services, fax),
        tariffs=(*document.tariffs, replace(tariff, id="faxes", service="fax")),
        offerings=(plan, *document.offerings[1:]),
    )


async def test_the_first_charge_after_a_while_is_at_the_new_price(front_of: MakeFront, owner: OwnerInMemory) -> None:
    front = await front_of(reference_check_ms=int(CHECK_S * 1000))
    await front.open()
    assert (await front.one(front.charge())).charge.amount == 200_000
    owner.publish(catalogue(2, "0.5"))
    await asyncio.sleep(CHECK_S * 6)
    first = (await front.one(front.charge())).charge
    assert (first.amount, first.catalogue_version) == (500_000, 2)


async def test_a_new_service_is_known_at_once_though_nothing_else_goes_well(
    front_of: MakeFront, owner: OwnerInMemory
) -> None:
    front = await front_of(reference_check_ms=NEVER_MS)
    await front.open()
    request = front.charge(service_code="fax", quantity=1)
    assert fault_of(await front.one(request)).reason == "SERVICE_UNKNOWN"
    owner.publish(with_fax(catalogue(2)))
    await asyncio.sleep(0.06)
    assert (await front.one(request)).charge.amount == 100_000, "mend the catalogue and repeat"


async def test_a_reopened_channel_is_open(front_of: MakeFront, owner: OwnerInMemory) -> None:
    front = await front_of(reference_check_ms=NEVER_MS)
    await front.open()
    request = front.charge(channel="fax")
    assert fault_of(await front.one(request)).reason == "CHANNEL_CLOSED"
    plain = owner.reference

    def reopened(domain: str) -> Reference:
        given = plain(domain)
        return replace(given, channels=(*given.channels, ChannelRef("fax", "fax", True, False)))

    owner.reference = reopened  # type: ignore[method-assign]
    owner.revision += 1
    await asyncio.sleep(0.06)
    assert (await front.one(request)).charge.amount == 200_000


async def test_any_answer_brings_the_news_a_refusal_too(front_of: MakeFront, owner: OwnerInMemory) -> None:
    front = await front_of(reference_check_ms=NEVER_MS)
    await front.open(money=0)
    await front.open(B)
    owner.publish(catalogue(2, "0.5"))
    assert fault_of(await front.one(front.charge())).reason == "INSUFFICIENT_FUNDS"
    assert (await front.one(front.charge(B))).charge.amount == 500_000


async def test_refusals_ask_for_news_now_and_then_not_each(front_of: MakeFront, owner: OwnerInMemory) -> None:
    front = await front_of(reference_check_ms=NEVER_MS)
    await front.open()
    await front.one(front.charge())
    before = owner.asked["FetchReference"]
    for _ in range(20):
        await front.exchange(*(front.charge(service_code="fax", quantity=1) for _ in range(50)))
    assert owner.asked["FetchReference"] - before <= 20


async def test_who_does_not_answer_for_news_keeps_nobody_from_being_served(
    front_of: MakeFront, datacenter: DataCenterInMemory
) -> None:
    front = await front_of(reference_check_ms=int(CHECK_S * 1000))
    await front.open()
    await front.one(front.charge())
    datacenter.stuck.add("domain:GD")
    await asyncio.sleep(CHECK_S * 8)
    assert (await front.one(front.charge())).charge.amount == 200_000
    datacenter.stuck.clear()


async def test_what_is_used_is_asked_about_and_what_rests_is_not(front_of: MakeFront, owner: OwnerInMemory) -> None:
    front = await front_of(reference_check_ms=int(CHECK_S * 1000))
    await front.open()
    await asyncio.sleep(CHECK_S * 4)
    resting = owner.asked["FetchReference"]
    await asyncio.sleep(CHECK_S * 4)
    assert owner.asked["FetchReference"] == resting
    for _ in range(8):
        await front.one(front.query(A))
        await asyncio.sleep(CHECK_S)
    assert owner.asked["FetchReference"] >= resting + 4


async def test_an_opening_is_judged_by_the_newest(front_of: MakeFront, owner: OwnerInMemory) -> None:
    front = await front_of(reference_check_ms=NEVER_MS)
    await front.open()
    request = front.opening(B, offering="bundel")
    assert not (await front.one(request)).HasField("command")
    newer = catalogue(2)
    bundel = replace(newer.offerings[1], id="bundel")
    owner.publish(replace(newer, offerings=(*newer.offerings, bundel)))
    await asyncio.sleep(0.06)
    request = front.opening(B, offering="bundel")
    request.open_account.contract.domain = ""
    assert (await front.one(request)).command.account_id == B
