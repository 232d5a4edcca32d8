"""Each field of a request has an effect or is refused; the descriptor says which fields there are."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onetier.v1 import service_desk_pb2 as pb

from appserver.reading.fields import ALL, COMMANDS, EFFECTS, in_vain
from appserver.reading.reader import RequestReader
from charging.errors import Fault, Invalid
from testkit.commands import example_of

NOW_MS = 1_800_000_000_000
CODEC = RequestReader(300_000, "CN")
BASE: dict[str, Message] = {name: example_of(name) for name in COMMANDS} | {
    "open_account": pb.OpenAccount(
        payment_mode="prepaid",
        contract=pb.Contract(subscriptions=[pb.Subscription(offering="o")]),
        books=[pb.BalanceBook(book_id="b")],
    ),
    "set_contract": pb.SetContract(contract=pb.Contract(subscriptions=[pb.Subscription(offering="o")])),
    "set_account_status": pb.SetAccountStatus(status="active"),
    "set_payment_mode": pb.SetPaymentMode(payment_mode="prepaid"),
    "set_credit_limit": pb.SetCreditLimit(credit_limit=1),
    "set_threshold": pb.SetThreshold(threshold_id="t", watches="balance", mark=1),
    "set_account_profile": pb.SetAccountProfile(),
    "top_up": pb.TopUp(amount=5),
    "restate_usage": pb.RestateUsage(
        feed="rerate",
        batch=1,
        expected_version=2,
        from_ms=NOW_MS,
        lines=[pb.RestatedLine(event_time_ms=NOW_MS, item="voice", difference=5)],
        counters=[pb.RestatedAmount(event_time_ms=NOW_MS, name="voice@2027-01", difference=5)],
        takes=[pb.RestatedAmount(event_time_ms=NOW_MS, name="main", difference=5)],
        reason="late",
    ),
    "post_usage": pb.PostUsage(
        feed="plant",
        batch=1,
        uses=[pb.UsageUse(service_code="voice", event_time_ms=NOW_MS, quantity=60) for _ in range(2)],
        replaces=[pb.ReplacedUse(use=0, request_key="k", event_time_ms=NOW_MS, quantity=5)],
    ),
    "adjust": pb.Adjust(delta=5, reason="typo"),
    "refund": pb.Refund(charge_key="k"),
    "approve": pb.Approve(of_key="k"),
    "transfer": pb.Transfer(amount=5, to_identity="msisdn:8613000000002"),
    "session": pb.SessionRequest(
        session_id="s", operation=pb.SessionRequest.OPERATION_CREATE, units=[pb.UnitUse(service_code="data")]
    ),
}
IN_PLACE = {
    ("post_usage", "columns"): pb.PostUsage(
        feed="plant",
        batch=1,
        columns=pb.UseColumns(
            event_times_ms=[NOW_MS, NOW_MS],
            quantities=[60, 60],
            service_codes=pb.TextColumn(texts=["voice", "sms"], text_of=[0, 1]),
            other_parties=pb.TextColumn(texts=["", "10086"], text_of=[0, 1]),
            visited_places=pb.TextColumn(texts=["", "GD"], text_of=[0, 1]),
            attributes=[pb.UseAttributes(values={"apn": "ims"})],
        ),
    ),
}
"""Bases for fields that stand in place of one of the base."""
VALID = {
    "payment_mode": "postpaid",
    "status": "suspended",
    "currency": "USD",
    "unit": "byte",
    "valid_to_ms": NOW_MS + 99_000_000,
    "cycle_day": 7,
    "to_identity": "msisdn:8613000000003",
    "identities": "msisdn:8613000000004",
    "member": "msisdn:8613000000005",
    "number": "msisdn:8613000000006",
    "other_party": "10086",
    "operation": pb.SessionRequest.OPERATION_UPDATE,
}
"""Other values than the base's that are taken, where any text or number isn't."""


def read(request: pb.ServiceRequest) -> bytes:
    """The digest of what is ordered."""
    return CODEC.read(request, NOW_MS).digest


def outcome_of(request: pb.ServiceRequest) -> bytes | Fault:
    """The digest of what is ordered, or why it is refused."""
    try:
        return read(request)
    except Fault as fault:
        return fault


def execute(name: str, command: Message) -> pb.ServiceRequest:
    request = pb.ServiceRequest(
        identity="msisdn:8613000000001",
        request_type=pb.REQUEST_TYPE_EXECUTE,
        request_key="k",
        channel="front",
        actor="staff",
    )
    getattr(request, name).CopyFrom(command)
    return request


def leaves(message: Message, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all fields below a message, through the first of each repeated one."""
    for field in message.DESCRIPTOR.fields:
        here = (*path, field.name)
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if field.type == FieldDescriptor.TYPE_MESSAGE and not is_map:
            yield from leaves(message_class(field)(), here)
        else:
            yield here


def message_class(field: FieldDescriptor) -> Callable[[], Message]:
    found: Callable[[], Message] = getattr(pb, field.message_type.name)
    return found


def set_leaf(message: Message, path: tuple[str, ...]) -> None:
    """Give a field another value than it has."""
    for name in path[:-1]:
        inner = getattr(message, name)
        message = inner if isinstance(inner, Message) else (inner[0] if len(inner) else inner.add())
    field = message.DESCRIPTOR.fields_by_name[path[-1]]
    value = getattr(message, field.name)
    if field.message_type is not None:
        entry = field.message_type.fields_by_name["value"]
        if entry.message_type is not None:
            value["group"].identities.append("10086")
        else:
            value["name"] = "value"
    elif isinstance(value, str | bool | int):
        other = VALID.get(field.name, {str: f"{value}x", bool: True, int: 7}.get(type(value)))
        setattr(message, field.name, other)
    elif field.cpp_type in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64):
        value[:] = [7, *value[1:]]
    else:
        value.append(VALID.get(field.name, "one"))


PATHS = [(name, path) for name in BASE for path in leaves(BASE[name])]


def test_every_command_that_is_read_has_a_base() -> None:
    for name in set(COMMANDS) - set(BASE):
        request = pb.ServiceRequest(identity="msisdn:8613000000001", request_type=pb.REQUEST_TYPE_EXECUTE)
        request.request_key = "k"
        getattr(request, name).SetInParent()
        with pytest.raises(Invalid) as raised:
            read(request)
        assert raised.value.reason == "COMMAND_UNKNOWN", f"{name} needs a base here: a command with little in it"


@pytest.mark.parametrize(("name", "path"), PATHS, ids=[".".join((name, *path)) for name, path in PATHS])
def test_each_field_of_a_command_changes_what_is_ordered_or_is_refused(name: str, path: tuple[str, ...]) -> None:
    command = IN_PLACE.get((name, path[0]), BASE[name])
    base = execute(name, command)
    plain = read(base)
    changed = execute(name, command)
    set_leaf(getattr(changed, name), path)
    assert changed != base
    outcome = outcome_of(changed)
    if isinstance(outcome, Fault):
        named = any(path[-1] in field for field in outcome.fields)
        assert named or outcome.reason == "FIELD_WITHOUT_EFFECT", outcome.message
    else:
        assert outcome != plain, "it is taken and has no effect"


@pytest.mark.parametrize("field", [field.name for field in pb.ServiceRequest.DESCRIPTOR.fields])
def test_each_field_of_a_request_has_its_row(field: str) -> None:
    assert field in EFFECTS, "say in appserver.reading.fields for what is asked it has an effect"
    assert EFFECTS[field] <= ALL


@pytest.mark.parametrize("asked", sorted(ALL))
def test_what_has_no_effect_is_named(asked: str) -> None:
    request = pb.ServiceRequest()
    numbers = count(1)
    for field in pb.ServiceRequest.DESCRIPTOR.fields:
        if field.is_repeated and field.message_type is None:
            getattr(request, field.name).append(f"r{next(numbers)}")
        elif field.message_type is None:
            number = next(numbers)
            setattr(request, field.name, {9: f"t{number}", 8: True}.get(field.type, 1))
    request.attributes["a"] = "b"
    request.top_up.amount = 1
    named = {field for fault in in_vain(request, asked) for field in fault.fields}
    given = {field.name for field, _ in request.ListFields()}
    assert named == {field for field in given if asked not in EFFECTS[field]}
    assert all(isinstance(fault, Invalid) for fault in in_vain(request, asked))
