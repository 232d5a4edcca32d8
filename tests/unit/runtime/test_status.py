"""Faults and statuses, both ways."""

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from charging.errors import KINDS, Broken, Denied, Fault, Invalid, Unavailable
from runtime.status import code_of, from_status, to_status

EXPECTED = {
    "invalid": "INVALID_ARGUMENT",
    "not_found": "NOT_FOUND",
    "refused": "FAILED_PRECONDITION",
    "conflict": "ALREADY_EXISTS",
    "denied": "PERMISSION_DENIED",
    "overloaded": "RESOURCE_EXHAUSTED",
    "unavailable": "UNAVAILABLE",
    "expired": "DEADLINE_EXCEEDED",
    "broken": "INTERNAL",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_goes_there_and_back_whole(kind: str) -> None:
    fault = KINDS[kind].told(
        "SOME_REASON", "a sentence", fields={"identity": "x"}, facts={"available": "5"}, retry_ms=1_250
    )
    status = to_status(fault)
    assert grpc.StatusCode[EXPECTED[kind]].value[0] == status.code
    back = from_status(Status.FromString(status.SerializeToString()))
    assert type(back) is type(fault)
    assert (back.reason, back.message, back.fields, back.facts, back.retry_ms) == (
        "SOME_REASON",
        "a sentence",
        {"identity": "x"},
        {"available": "5"},
        1_250,
    )


def test_details_are_those_of_google_rpc() -> None:
    status = to_status(Invalid("QUANTITY_NEGATIVE", "no", fields={"quantity": "0 or more"}, retry_ms=20))
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    assert [detail.Unpack(into) for detail, into in zip(status.details, (info, bad, retry), strict=True)] == [True] * 3
    assert (info.reason, info.domain) == ("QUANTITY_NEGATIVE", "onetier")
    assert bad.field_violations[0].field == "quantity"
    assert retry.retry_delay.ToMilliseconds() == 20


def test_a_subclass_has_the_code_of_its_kind() -> None:
    class Unrated(Invalid):
        pass

    assert code_of(Unrated("USAGE_UNRATED", "no rule")) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("code", "cls", "reason"),
    [
        (1, Unavailable, "CANCELLED"),
        (10, Unavailable, "ABORTED"),
        (16, Denied, "UNAUTHENTICATED"),
        (2, Broken, "UNKNOWN"),
        (99, Broken, "UNKNOWN"),
    ],
)
def test_a_status_of_another_origin_becomes_the_nearest_kind(code: int, cls: type[Fault], reason: str) -> None:
    fault = from_status(Status(code=code, message="m"))
    assert type(fault) is cls
    assert fault.reason == reason
