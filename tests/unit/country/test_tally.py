"""The tally: what replies come to by region, each key once, and outcomes that should not be."""

from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from msgspec.structs import replace
from onetier.v1 import service_desk_pb2 as desk

from country import planted
from country.tally import NOWHERE, UNREADABLE, Tally
from country.usage_file import UnreadableLine, UsageRecord

RECORD = UsageRecord("k1", "msisdn:8613000000001", "voice", 1, 60, "front")
HOME = {RECORD.identity: "GD"}


def charged(amount: int) -> desk.ServiceReply:
    return desk.ServiceReply(charge=desk.ChargeResult(amount=amount))


def refused(reason: str) -> desk.ServiceReply:
    status = Status(code=9, message="no")
    status.details.add().Pack(ErrorInfo(reason=reason, domain="onetier"))
    return desk.ServiceReply(error=status)


def test_a_key_counts_once_however_often_it_is_answered() -> None:
    tally = Tally(HOME)
    tally.take(RECORD, charged(300))
    tally.take(replace(RECORD, planted=planted.DUPLICATE), charged(300))
    region = tally.regions["GD"]
    assert (region.requests, region.charges, region.amount, region.repeats) == (2, 1, 300, 1)
    assert tally.acknowledged == {"k1": 300}
    assert tally.surprise_count == 0


def test_a_repeat_answered_differently_is_a_surprise() -> None:
    tally = Tally(HOME)
    tally.take(RECORD, charged(300))
    tally.take(replace(RECORD, planted=planted.DUPLICATE), charged(301))
    assert tally.surprise_count == 1
    assert "300" in tally.surprises[0]


def test_a_key_is_charged_or_refused_for_good() -> None:
    tally = Tally(HOME)
    duplicate = replace(RECORD, planted=planted.DUPLICATE)
    tally.take(RECORD, refused("INSUFFICIENT_FUNDS"))
    tally.take(duplicate, refused("INSUFFICIENT_FUNDS"))
    assert tally.surprise_count == 0
    tally.take(duplicate, charged(300))
    tally.take(duplicate, refused("INSUFFICIENT_FUNDS"))
    assert tally.surprise_count == 2


def test_refusals_count_by_region_and_reason() -> None:
    tally = Tally(HOME)
    tally.take(RECORD, refused("INSUFFICIENT_FUNDS"))
    stranger = replace(RECORD, identity="msisdn:8613900000000", planted="identity-unknown")
    tally.take(stranger, refused("IDENTITY_UNKNOWN"))
    tally.take_unreadable(UnreadableLine(7, "quantity is no whole number", planted.LINE_QUANTITY))
    assert tally.regions["GD"].refusals == {"INSUFFICIENT_FUNDS": 1}
    assert tally.regions[NOWHERE].refusals == {"IDENTITY_UNKNOWN": 1, UNREADABLE: 1}
    assert tally.total.requests == 3
    assert tally.surprise_count == 0


def test_a_planted_fault_that_is_charged_or_refused_otherwise_is_a_surprise() -> None:
    tally = Tally(HOME)
    tally.take(replace(RECORD, planted="channel-closed"), charged(300))
    tally.take(replace(RECORD, request_key="k2", planted="channel-closed"), refused("CHANNEL_UNKNOWN"))
    tally.take(replace(RECORD, request_key="k3"), refused("USAGE_UNRATED"))
    assert tally.surprise_count == 3


def test_a_reused_key_that_is_answered_with_the_first_charge_is_a_surprise() -> None:
    tally = Tally(HOME)
    tally.take(RECORD, charged(300))
    tally.take(replace(RECORD, quantity=61, planted=planted.KEY_REUSED), charged(300))
    assert tally.surprise_count == 1
    assert planted.KEY_REUSED in tally.surprises[0]
