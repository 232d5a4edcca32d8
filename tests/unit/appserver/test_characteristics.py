"""What halls change of a contract: attributes, groups and agreements, as far as the catalogue lets each channel."""

import pytest
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as pb

from charging.catalogue.characteristics import Characteristic
from charging.catalogue.offers import Agreement, Discount
from charging.catalogue.words import PartyGroup
from charging.checks.check import check
from charging.ledger.permission import Policy
from testkit.front import A, Front, fault_of
from testkit.owner import OwnerInMemory, catalogue

pytestmark = pytest.mark.timeout(30)

PALS = ("13800000011", "13800000012")
SPELT = ("msisdn:8613800000011", "msisdn:8613800000012")


@pytest.fixture
async def desk(front: Front, owner: OwnerInMemory) -> Front:
    """A front end of a platform whose catalogue lets halls change a few things."""
    plain = catalogue(2)
    sold = replace(
        plain,
        parties=(PartyGroup("family"),),
        discounts=(Discount("half", stage="subscriber", percent="50"),),
        agreements=(Agreement("loyal", discounts=("half",)),),
        characteristics=(
            Characteristic("grade", values=("silver", "gold"), removable=False),
            Characteristic("veteran", values=("yes",), channels=("partner",)),
            Characteristic("nick"),
            Characteristic("family", kind="group", most=2),
            Characteristic("loyal", kind="agreement"),
            Characteristic("half", kind="agreement", removable=False),
            Characteristic("gone", effective_to="2020-01-01T00:00:00"),
        ),
    )
    assert not check(sold)
    owner.publish(sold)
    await front.open()
    return front


def change(**fields: object) -> pb.ChangeCharacteristics:
    return pb.ChangeCharacteristics(**fields)  # type: ignore[arg-type]


async def test_a_hall_sees_beforehand_what_it_changes_changes_it_and_the_history_tells_before_and_after(
    desk: Front, owner: OwnerInMemory
) -> None:
    wanted = change(
        set_attributes={"grade": "gold"}, group="family", group_members=PALS, add_agreements=["loyal"], reason="asked"
    )
    asked = desk.execute(change_characteristics=wanted)
    beforehand = pb.ServiceRequest()
    beforehand.CopyFrom(asked)
    beforehand.request_type, beforehand.request_key = pb.REQUEST_TYPE_QUOTE, ""
    told = (await desk.one(beforehand)).preview
    (shown,) = told.contracts
    assert dict(shown.attributes) == {"grade": "gold"}
    assert owner.contracts[A].attributes == {}
    assert not (await desk.one(asked)).HasField("error")
    held = owner.contracts[A]
    assert (held.attributes, held.groups, held.agreements) == ({"grade": "gold"}, {"family": SPELT}, ("loyal",))
    (line,) = [
        line
        for line in (await desk.one(desk.query(view="history"))).history.lines
        if line.kind == "characteristics"
    ]  # fmt: skip
    assert [(each.term, each.before, each.after) for each in line.changes] == [
        ("grade", "", "gold"),
        ("family", "", ", ".join(SPELT)),
        ("agreements", "", "loyal"),
    ]
    assert line.reason.endswith("; asked")


async def test_what_is_not_named_stays_and_what_may_be_taken_away_goes(desk: Front, owner: OwnerInMemory) -> None:
    first = change(set_attributes={"nick": "x", "grade": "silver"}, group="family", group_members=PALS[:1])
    await desk.one(desk.execute(change_characteristics=first))
    again = change(set_attributes={"nick": ""}, add_agreements=["loyal"])
    await desk.one(desk.execute(change_characteristics=again))
    held = owner.contracts[A]
    assert (held.attributes, held.groups, held.agreements) == ({"grade": "silver"}, {"family": SPELT[:1]}, ("loyal",))
    last = change(group="family", remove_agreements=["loyal"])
    assert not (await desk.one(desk.execute(change_characteristics=last))).HasField("error")
    assert (owner.contracts[A].groups, owner.contracts[A].agreements) == ({}, ())


async def test_what_a_hall_set_is_what_the_next_charge_is_rated_on(desk: Front) -> None:
    before = (await desk.one(desk.charge())).charge.amount
    await desk.one(desk.execute(change_characteristics=change(add_agreements=["loyal"])))
    assert (await desk.one(desk.charge())).charge.amount * 2 == before


BAD = {
    "an attribute that is not listed": ({"set_attributes": {"hair": "red"}}, "CHARACTERISTIC_UNKNOWN"),
    "one that is over": ({"set_attributes": {"gone": "x"}}, "CHARACTERISTIC_UNKNOWN"),
    "a group named as an attribute": ({"set_attributes": {"family": "x"}}, "CHARACTERISTIC_UNKNOWN"),
    "an agreement that is not listed": ({"add_agreements": ["other"]}, "CHARACTERISTIC_UNKNOWN"),
    "another channel's": ({"set_attributes": {"veteran": "yes"}}, "CHARACTERISTIC_NOT_CHANGEABLE"),
    "an attribute that must stay": ({"set_attributes": {"grade": ""}}, "CHARACTERISTIC_NOT_CHANGEABLE"),
    "an agreement that must stay": ({"remove_agreements": ["half"]}, "CHARACTERISTIC_NOT_CHANGEABLE"),
    "no value of it": ({"set_attributes": {"grade": "brass"}}, "CHARACTERISTIC_VALUE_UNKNOWN"),
    "too many": ({"group": "family", "group_members": [*PALS, "13800000013"]}, "GROUP_TOO_LARGE"),
    "members of no group": ({"group_members": [*PALS]}, "FIELD_WITHOUT_EFFECT"),
    "no number": ({"group": "family", "group_members": ["nobody!"]}, "PARTY_MALFORMED"),
    "what is so already": ({"remove_agreements": ["loyal"]}, "CHARACTERISTICS_UNCHANGED"),
    "nothing": ({}, "CHARACTERISTICS_UNCHANGED"),
    "a stale version": ({"set_attributes": {"nick": "x"}, "expected_version": 99}, "CONTRACT_CHANGED"),
}


@pytest.mark.parametrize("what", BAD)
async def test_what_may_not_be_changed_is_told_why_and_nothing_moves(
    desk: Front, owner: OwnerInMemory, what: str
) -> None:
    before = owner.contracts[A]
    fields, reason = BAD[what]
    assert fault_of(await desk.one(desk.execute(change_characteristics=change(**fields)))).reason == reason
    assert owner.contracts[A] == before


async def test_an_agreement_that_is_taken_away_and_given_again_at_once_is_no_change(desk: Front) -> None:
    await desk.one(desk.execute(change_characteristics=change(add_agreements=["loyal"])))
    both = desk.execute(change_characteristics=change(add_agreements=["loyal"], remove_agreements=["loyal"]))
    assert fault_of(await desk.one(both)).reason == "CHARACTERISTICS_UNCHANGED"


async def test_through_its_own_channel_it_is_changed(desk: Front, owner: OwnerInMemory) -> None:
    asked = desk.execute(change_characteristics=change(set_attributes={"veteran": "yes"}))
    asked.channel, asked.partner = "partner", "acme"
    assert not (await desk.one(asked)).HasField("error")
    assert owner.contracts[A].attributes == {"veteran": "yes"}


def test_halls_and_operators_change_characteristics_and_back_offices_alone_write_contracts_whole() -> None:
    policy = Policy()
    for role in ("frontend/hall", "operator/li"):
        policy.permit(role, "change_characteristics")
        assert all("set_contract" not in grant.commands for grant in policy.granted(role))
