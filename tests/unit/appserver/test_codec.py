"""Requests are normalised once, and every wrong field is named before anything is asked of anybody."""

from collections.abc import Callable

import pytest
from google.protobuf.message import Message
from onetier.v1 import service_desk_pb2 as pb

from appserver.reading.asks import Kind, SessionOrder
from appserver.reading.reader import RequestReader
from appserver.reading.request import Request
from charging.base.party import party
from charging.errors import Fault, Invalid
from charging.ledger.asking import TransferAsk
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_threshold import SetThreshold
from charging.ledger.commands.top_up import TopUp

NOW_MS = 1_800_000_000_000
CODEC = RequestReader(future_tolerance_ms=300_000, country="CN")


def charge(**fields: object) -> pb.ServiceRequest:
    given: dict[str, object] = {
        "identity": "+86 130 0000 0001",
        "request_type": pb.REQUEST_TYPE_CHARGE,
        "service_code": "voice",
        "request_key": "k-1",
        "event_time_ms": NOW_MS,
        "quantity": 60,
        "channel": "front",
    }
    return pb.ServiceRequest(**(given | fields))


def execute(**fields: object) -> pb.ServiceRequest:
    return charge(**({"request_type": pb.REQUEST_TYPE_EXECUTE, "service_code": "", "quantity": 0} | fields))


def read(request: pb.ServiceRequest, now_ms: int = NOW_MS) -> Request:
    return CODEC.read(request, now_ms)


def fault(request: pb.ServiceRequest) -> Fault:
    with pytest.raises(Invalid) as raised:
        read(request)
    return raised.value


def test_charge_is_normalised() -> None:
    item = read(charge(other_party="021-5555 1234", visited_place="BJ", attributes={"b": "2", "a": "1"}))
    assert item.kind is Kind.CHARGE
    assert item.usage.identity == item.identity == "msisdn:8613000000001"
    assert item.usage.other_party == "fixed:862155551234"
    assert list(item.usage.attributes) == ["a", "b"]
    assert item.usage.start_ms == item.time_ms == NOW_MS


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"identity": "nobody"}, "IDENTITY_MALFORMED", "identity"),
        ({"identity": ""}, "IDENTITY_MALFORMED", "identity"),
        ({"request_type": pb.REQUEST_TYPE_UNSPECIFIED}, "REQUEST_TYPE_UNKNOWN", "request_type"),
        ({"request_type": 99}, "REQUEST_TYPE_UNKNOWN", "request_type"),
        ({"service_code": ""}, "SERVICE_UNKNOWN", "service_code"),
        ({"service_code": "Voice Call"}, "SERVICE_UNKNOWN", "service_code"),
        ({"quantity": -1}, "QUANTITY_NEGATIVE", "quantity"),
        ({"quantity": 32 * 86_400}, "QUANTITY_ABSURD", "quantity"),
        ({"service_code": "sms", "quantity": 2_000_000}, "QUANTITY_ABSURD", "quantity"),
        ({"service_code": "data", "quantity": 1 << 60}, "QUANTITY_ABSURD", "quantity"),
        ({"event_time_ms": -5}, "EVENT_TIME_INVALID", "event_time_ms"),
        ({"event_time_ms": NOW_MS + 300_001}, "EVENT_IN_FUTURE", "event_time_ms"),
        ({"request_key": ""}, "REQUEST_KEY_MISSING", "request_key"),
        ({"request_key": "k" * 65}, "REQUEST_KEY_MALFORMED", "request_key"),
        ({"request_key": "~settle~k1"}, "REQUEST_KEY_MALFORMED", "request_key"),
        ({"request_key": "schlüssel"}, "REQUEST_KEY_MALFORMED", "request_key"),
        ({"request_key": "two\nlines"}, "REQUEST_KEY_MALFORMED", "request_key"),
        ({"visited_place": "no such place!"}, "REGION_UNKNOWN", "visited_place"),
        ({"other_party": "nobody"}, "PARTY_MALFORMED", "other_party"),
        ({"attributes": {f"a{n}": "x" for n in range(17)}}, "LIST_TOO_LONG", "attributes"),
        ({"attributes": {"a": "x" * 65}}, "ATTRIBUTE_TOO_LONG", "attributes"),
        ({"actor": "x" * 201}, "TEXT_TOO_LONG", "actor"),
    ],
)
def test_wrong_field_of_a_charge_is_named(fields: dict[str, object], reason: str, field: str) -> None:
    found = fault(charge(**fields))
    assert found.reason == reason
    assert field in found.fields


def test_all_wrong_fields_are_named_at_once() -> None:
    found = fault(charge(quantity=-1, request_key="", event_time_ms=-1, identity="x"))
    assert set(found.fields) == {"request_key", "quantity", "event_time_ms", "identity"}


def test_event_just_within_tolerance_passes() -> None:
    assert read(charge(event_time_ms=NOW_MS + 300_000)).usage.start_ms == NOW_MS + 300_000


def test_quote_needs_no_key_and_no_time() -> None:
    item = read(charge(request_type=pb.REQUEST_TYPE_QUOTE, request_key="", event_time_ms=0))
    assert item.kind is Kind.QUOTE
    assert item.usage.start_ms == NOW_MS


def test_query_of_an_unknown_view() -> None:
    found = fault(charge(request_type=pb.REQUEST_TYPE_QUERY, service_code="horoscope"))
    assert found.reason == "SERVICE_UNKNOWN"
    assert "service_code" in found.fields


def test_digest_is_of_the_content_not_of_key_spelling_or_order() -> None:
    first = read(charge(attributes={"a": "1", "b": "2"})).digest
    assert len(first) == 16
    assert read(charge(attributes={"b": "2", "a": "1"}, request_key="other")).digest == first
    assert read(charge(identity="13000000001", attributes={"a": "1", "b": "2"}, explain=True)).digest == first
    for fields in ({"quantity": 61}, {"channel": "pos"}, {"event_time_ms": NOW_MS - 1}, {"other_party": "10086"}):
        assert read(charge(**({"attributes": {"a": "1", "b": "2"}} | fields))).digest != first


def test_digest_of_a_command_does_not_change_with_our_clock() -> None:
    request = execute(
        event_time_ms=0,
        session=pb.SessionRequest(
            session_id="s", operation=pb.SessionRequest.OPERATION_CREATE, units=[pb.UnitUse(service_code="data")]
        ),
    )
    assert read(request, NOW_MS).digest == read(request, NOW_MS + 5_000).digest


@pytest.mark.parametrize(
    ("spelling", "wanted"),
    [
        ("13912345678", "msisdn:8613912345678"),
        ("+8613912345678", "msisdn:8613912345678"),
        ("861065551234", "fixed:861065551234"),
        ("862155551234", "fixed:862155551234"),
        ("010-65551234", "fixed:861065551234"),
        ("10086", "10086"),
        ("110", "110"),
        (" １００８６", "10086"),
        ("86１3912345678", "msisdn:8613912345678"),
        ("85291234567", "msisdn:85291234567"),
        ("+14155550123", "msisdn:14155550123"),
        ("broadband:bj0012@adsl", "broadband:bj0012@adsl"),
    ],
)
def test_other_party_has_one_spelling(spelling: str, wanted: str) -> None:
    assert party(spelling, "CN") == wanted


@pytest.mark.parametrize("raw", ["٠١٢", "1391234567٨", "8610655512३4", "?"])
def test_an_other_party_in_no_spelling_is_refused(raw: str) -> None:
    with pytest.raises(Invalid) as refused:
        party(raw, "CN")
    assert refused.value.reason == "PARTY_MALFORMED"


def test_opening_reads_everything() -> None:
    command = pb.OpenAccount(
        customer_id="c-1",
        payment_mode="postpaid",
        credit_limit=5,
        contract=pb.Contract(
            domain="GD",
            subscriptions=[pb.Subscription(offering="plan", attributes={"x": "y"})],
            groups={"family": pb.IdentityGroup(identities=["13100000002"])},
            agreements=["vip"],
        ),
        books=[pb.BalanceBook(book_id="main", amount=7), pb.BalanceBook(book_id="gift", unit="second", amount=60)],
        account_attributes={"segment": "gold"},
    )
    order = read(execute(open_account=command)).order
    assert isinstance(order, OpenAccount)
    assert (order.account_id, order.contract.account_id) == ("", "")  # The owner gives the id.
    assert order.contract.identity == "msisdn:8613000000001"
    assert order.currency == ""  # That of the catalogue, which the reader of requests does not know.
    assert order.cycle_day == 1
    assert order.contract.groups == {"family": ("msisdn:8613100000002",)}
    assert [(book.book_id, book.unit, book.priority) for book in order.books] == [
        ("main", "money", 100),
        ("gift", "second", 100),
    ]


@pytest.mark.parametrize(
    ("name", "command", "wanted"),
    [
        ("top_up", pb.TopUp(amount=5), TopUp("main", "money", 5, 0, 100, "", "deposit")),
        ("adjust", pb.Adjust(delta=-3, reason="error"), Adjust("main", -3, "error")),
        ("refund", pb.Refund(charge_key="k"), Refund("k", 0, "")),
        ("transfer", pb.Transfer(to_book_id="gift", amount=4), TransferAsk("main", "", "gift", 4, "")),
        ("transfer", pb.Transfer(to_identity="13000000002", amount=4), None),
        ("set_account_status", pb.SetAccountStatus(status="suspended", reason="lost"), None),
        ("set_payment_mode", pb.SetPaymentMode(payment_mode="postpaid"), None),
        ("set_credit_limit", pb.SetCreditLimit(credit_limit=9), None),
        ("set_threshold", pb.SetThreshold(threshold_id="low", watches="balance", mark=5), None),
        ("set_account_profile", pb.SetAccountProfile(agreements=["vip"]), None),
        ("set_contract", pb.SetContract(contract=pb.Contract(identity="13000000009")), None),
    ],
)
def test_commands_are_read(name: str, command: Message, wanted: object) -> None:
    item = read(execute(actor="staff", **{name: command}))
    assert item.kind is Kind.COMMAND
    assert item.order is not None
    if wanted is not None:
        assert item.order == wanted
    if isinstance(item.order, SetContract):
        assert item.order.contract.identity == "msisdn:8613000000009"
    if isinstance(item.order, SetProfile):
        assert item.order.agreements == ("vip",)
    if isinstance(item.order, SetThreshold):
        assert item.order.threshold.mark == 5


def session(**fields: object) -> pb.SessionRequest:
    given: dict[str, object] = {"session_id": "s-1", "operation": pb.SessionRequest.OPERATION_CREATE}
    return pb.SessionRequest(**(given | fields))


def test_session_step_is_read() -> None:
    use = pb.UnitUse(service_code="data", requested=100, used=0, visited_place="BJ")
    item = read(execute(session=session(units=[use])))
    assert item.kind is Kind.SESSION
    assert isinstance(item.order, SessionOrder)
    assert item.order.operation == "create"
    assert item.order.units[0].requested == 100


@pytest.mark.parametrize(
    ("make", "reason", "field"),
    [
        (lambda: execute(), "COMMAND_MISSING", "command"),
        (lambda: execute(request_key="", top_up=pb.TopUp(amount=5)), "REQUEST_KEY_MISSING", "request_key"),
        (lambda: execute(top_up=pb.TopUp(amount=-5)), "TOP_UP_NOT_POSITIVE", "top_up.amount"),
        (lambda: execute(top_up=pb.TopUp(amount=0)), "TOP_UP_NOT_POSITIVE", "top_up.amount"),
        (lambda: execute(top_up=pb.TopUp(amount=10**16)), "AMOUNT_OUT_OF_RANGE", "top_up.amount"),
        (lambda: execute(top_up=pb.TopUp(amount=1, unit="gold")), "UNIT_UNKNOWN", "top_up.unit"),
        (lambda: execute(top_up=pb.TopUp(amount=1, valid_to_ms=5)), "VALIDITY_OVER", "top_up.valid_to_ms"),
        (lambda: execute(adjust=pb.Adjust(delta=1, reason="r")), "ADJUSTMENT_UNSIGNED", "actor"),
        (lambda: execute(actor="a", adjust=pb.Adjust(delta=1)), "ADJUSTMENT_UNSIGNED", "adjust.reason"),
        (lambda: execute(actor="a", adjust=pb.Adjust(reason="r")), "ADJUSTMENT_EMPTY", "adjust.delta"),
        (lambda: execute(refund=pb.Refund()), "NAME_MALFORMED", "refund.charge_key"),
        (lambda: execute(refund=pb.Refund(charge_key="k", amount=-1)), "AMOUNT_OUT_OF_RANGE", "refund.amount"),
        (lambda: execute(transfer=pb.Transfer(amount=0)), "AMOUNT_NOT_POSITIVE", "transfer.amount"),
        (lambda: execute(transfer=pb.Transfer(amount=1)), "TRANSFER_TO_ITSELF", "transfer.to_identity"),
        (
            lambda: execute(transfer=pb.Transfer(amount=1, to_identity="8613000000001")),
            "TRANSFER_TO_ITSELF",
            "transfer.to_identity",
        ),
        (lambda: execute(open_account=pb.OpenAccount()), "PAYMENT_MODE_UNKNOWN", "open_account.payment_mode"),
        (
            lambda: execute(open_account=pb.OpenAccount(payment_mode="prepaid", cycle_day=32)),
            "CYCLE_DAY_OUT_OF_RANGE",
            "open_account.cycle_day",
        ),
        (
            lambda: execute(
                open_account=pb.OpenAccount(payment_mode="prepaid", contract=pb.Contract(identity="13000000002"))
            ),
            "IDENTITY_MISMATCH",
            "open_account.contract.identity",
        ),
        (lambda: execute(actor="x" * 201, top_up=pb.TopUp(amount=5)), "TEXT_TOO_LONG", "actor"),
        (
            lambda: execute(open_account=pb.OpenAccount(payment_mode="prepaid", currency="yuan")),
            "CURRENCY_MALFORMED",
            "open_account.currency",
        ),
        (
            lambda: execute(set_contract=pb.SetContract(contract=pb.Contract(valid_from_ms=-9, valid_to_ms=-5))),
            "VALIDITY_OVER",
            "set_contract.contract.valid_from_ms",
        ),
        (
            lambda: execute(
                set_contract=pb.SetContract(
                    contract=pb.Contract(subscriptions=[pb.Subscription(offering="o", valid_from_ms=9, valid_to_ms=3)])
                )
            ),
            "VALIDITY_OVER",
            "set_contract.contract.subscriptions[0].valid_to_ms",
        ),
        (
            lambda: execute(
                set_contract=pb.SetContract(
                    contract=pb.Contract(groups={"g": pb.IdentityGroup(identities=["13000000001"] * 8_000)})
                )
            ),
            "REQUEST_TOO_LARGE",
            "set_contract",
        ),
        (
            lambda: execute(
                session=session(
                    units=[pb.UnitUse(service_code="data", attributes={str(n): "x" * 200 for n in range(50)})]
                )
            ),
            "REQUEST_TOO_LARGE",
            "session",
        ),
        (lambda: execute(set_contract=pb.SetContract()), "CONTRACT_MISSING", "set_contract.contract"),
        (
            lambda: execute(set_account_status=pb.SetAccountStatus(status="gone")),
            "STATUS_UNKNOWN",
            "set_account_status.status",
        ),
        (
            lambda: execute(set_credit_limit=pb.SetCreditLimit(credit_limit=-1)),
            "AMOUNT_OUT_OF_RANGE",
            "set_credit_limit.credit_limit",
        ),
        (lambda: execute(session=session(operation=0)), "SESSION_OPERATION_UNKNOWN", "session.operation"),
        (lambda: execute(session=session(session_id="")), "NAME_MALFORMED", "session.session_id"),
        (
            lambda: execute(session=session(units=[pb.UnitUse(service_code="data", used=-1)])),
            "QUANTITY_NEGATIVE",
            "session.units[0].used",
        ),
        (
            lambda: execute(session=session(units=[pb.UnitUse(service_code="data")] * 2)),
            "SESSION_UNITS_MALFORMED",
            "session.units",
        ),
    ],
)
def test_wrong_field_of_a_command_is_named(make: Callable[[], pb.ServiceRequest], reason: str, field: str) -> None:
    found = fault(make())
    assert found.reason == reason
    assert field in found.fields
