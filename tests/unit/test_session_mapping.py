"""The page of sessions says of each field what a network calls it, and names none that is not there."""

import re
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import watch_pb2
from ruamel.yaml import YAML

from charging.base.result_codes import BY_REASON, UNIT_CODES
from charging.base.unit_key import SUCCESS
from charging.catalogue.document import from_plain
from charging.checks.check import check
from charging.reasons import REASONS

PAGE = (Path(__file__).parents[2] / "docs" / "sessions.md").read_text("utf-8")
OF_SESSIONS: tuple[Descriptor, ...] = (
    desk.SessionRequest.DESCRIPTOR,
    desk.UnitUse.DESCRIPTOR,
    desk.UnitKey.DESCRIPTOR,
    desk.SessionResult.DESCRIPTOR,
    desk.SessionResult.Grant.DESCRIPTOR,
    watch_pb2.AccountFact.DESCRIPTOR,
    watch_pb2.SessionUnit.DESCRIPTOR,
)
NAMED: dict[str, Descriptor] = {
    each.name: each
    for each in (
        *OF_SESSIONS,
        desk.ServiceRequest.DESCRIPTOR,
        desk.Refund.DESCRIPTOR,
        desk.ChargeResult.DESCRIPTOR,
    )
}
FIELDS = set(re.findall(r"`([A-Z]\w+)\.(\w+)`", PAGE))


@pytest.mark.parametrize(("message", "field"), sorted(FIELDS - {("ErrorInfo", "reason")}))
def test_each_field_that_the_page_names_is_in_the_contract(message: str, field: str) -> None:
    assert message in NAMED, f"{message} is no message of sessions or events"
    assert field in NAMED[message].fields_by_name


@pytest.mark.parametrize("message", OF_SESSIONS, ids=lambda message: message.name)
def test_each_field_of_the_messages_of_sessions_is_on_the_page(message: Descriptor) -> None:
    told = {field for name, field in FIELDS if name == message.name}
    assert {field.name for field in message.fields} - told == set(), (
        "say what the network calls it, or that it does not"
    )


def test_the_results_of_a_unit_have_the_numbers_of_the_standard_and_their_rows() -> None:
    codes = {value.number for value in desk.SessionResult.Grant.ResultCode.DESCRIPTOR.values if value.number}
    assert codes == {SUCCESS, *UNIT_CODES}
    rows = {int(number): name for number, name in re.findall(r"^\| (\d{4}) ([A-Z_]+) \|", PAGE, re.MULTILINE)}
    told = desk.SessionResult.Grant.ResultCode
    assert rows == {code: told.Name(code).removeprefix("RESULT_CODE_") for code in codes}


def test_the_reasons_of_whole_steps_are_answered_as_the_page_says() -> None:
    _, _, table = PAGE.partition("## A step that is refused whole")
    rows = re.findall(r"^\| (`[A-Z].*?) \| (\d{4}) \|", table.partition("\n## ")[0], re.MULTILINE)
    told = {reason: int(code) for reasons, code in rows for reason in re.findall(r"`(\w+)`", reasons)}
    assert told == dict(BY_REASON)
    assert set(told) <= set(REASONS)


def test_the_catalogue_of_the_page_is_sound() -> None:
    found = re.findall(r"```yaml\n(services:.*?)```", PAGE, re.DOTALL)
    tree = YAML(typ="base").load(found[0])
    catalogue = from_plain({"catalogue": "page", "version": "1", **tree})
    assert check(catalogue) == []
