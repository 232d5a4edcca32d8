"""What commands tell is data first: every one that prints any has `--json`, and it says the same as the text."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from google.rpc.status_pb2 import Status
from onetier.v1 import service_desk_pb2 as pb
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from audit.reading import read_journal
from charging.base.identity import mask
from charging.errors import NotFound
from console.main import mounted
from console.operations.journal import data
from console.views import View, plain, print_view, written
from runtime.status import to_status
from tests.unit.audit.sound import NAMES, ref

ROOT = Path(__file__).parents[3]
CATALOGUES = ROOT / "catalogues"
RUNNER = CliRunner()
WITHOUT_DATA = {
    "accept-loss": "says in a sentence what goes on record",
    "cassandra down": "acts on this machine",
    "cassandra status": "of a cluster for trying out",
    "cassandra up": "acts on this machine",
    "catalog keys": "prints the page of the manual",
    "catalog fetch": "writes files, and names them a line each",
    "catalog publish": "says what it did while it does it",
    "catalog schema": "prints JSON anyway",
    "demo": "narrates",
    "mediation scheduler": "serves, and says where",
    "mediation worker": "serves, and says what it does",
    "loadtest": "narrates, and writes reports",
    "protos": "writes files, and names them a line each",
    "rate": "writes files",
    "serve": "serves; says in JSON when it is ready",
    "unit give-back": "says in a sentence that it is done",
    "unit move": "says in a sentence that it is done",
    "up": "serves",
}
"""Commands that print no data, and what they do instead. All others have `--json`."""


def commands(group: TyperGroup, words: str = "") -> Iterator[tuple[str, TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{words}{name} ")
        else:
            assert isinstance(command, TyperCommand)
            yield f"{words}{name}", command


def test_every_command_that_prints_data_prints_it_as_json_too() -> None:
    lacking = {
        name
        for name, command in commands(typer.main.get_group(mounted()))
        if "--json" not in [option for parameter in command.params for option in parameter.opts]
    }
    assert lacking == set(WITHOUT_DATA)


def test_a_message_is_written_by_the_names_and_in_the_units_of_the_contract() -> None:
    view = pb.BalanceView(
        account_id="GD/0:1",
        currency="CNY",
        real=9_007_199_254_740_993,
        books=[pb.BalanceBook(book_id="main", unit="money", amount=-5)],
    )
    row = json.loads(written(view))
    assert (row["account_id"], row["currency"], row["real"]) == ("GD/0:1", "CNY", 9_007_199_254_740_993)
    assert row["books"][0]["amount"] == -5
    assert row["reserved"] == 0  # Given or not can't be told of a plain number: it is there.


def test_what_was_not_given_is_left_out_words_of_lists_are_words_and_an_error_is_its_reason() -> None:
    refused = to_status(NotFound("ACCOUNT_UNKNOWN", "nobody has it"))
    assert isinstance(refused, Status)
    view = pb.OutcomeView(request_key="k", state=pb.OutcomeView.STATE_REFUSED, reply=pb.ServiceReply(error=refused))
    row = plain(view)
    assert row["state"] == "STATE_REFUSED"
    reply = row["reply"]
    assert isinstance(reply, dict)
    assert "charge" not in reply
    assert reply["error"]["reason"] == "ACCOUNT_UNKNOWN"


def test_maps_are_objects() -> None:
    assert plain(pb.SetAccountProfile(account_attributes={"segment": "gold"}))["account_attributes"] == {
        "segment": "gold"
    }


def test_rows_are_one_line_each_and_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    view = View([{"amount": 1}, {"amount": 2}], ["one", "two"])
    print_view(view, True)
    print_view(view, False)
    assert capsys.readouterr().out == '{"amount":1}\n{"amount":2}\none\ntwo\n'


def test_what_is_no_data_is_a_defect() -> None:
    with pytest.raises(TypeError, match="object is no data"):
        written({"what": object()})


def told(*words: str) -> tuple[int, list[dict[str, object]]]:
    result = RUNNER.invoke(mounted(), [*words, "--json"])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_a_use_is_told_with_its_amount_in_micro_units_and_the_currency() -> None:
    words = ["catalog", "try", str(CATALOGUES), "mobile-59", "voice 99 min", "voice 3 min", "tv 1", "--domain", "GD"]
    status, rows = told(*words, "--to", "13912345678", "--time", "2026-01-05T10:00:00")
    assert status == 1
    assert [(row.get("amount"), row.get("currency")) for row in rows] == [(0, "CNY"), (400_000, "CNY"), (None, None)]
    refused = rows[2]["refused"]
    assert isinstance(refused, dict)
    assert refused["reason"] == "SERVICE_NOT_SUBSCRIBED"


def test_faults_of_a_folder_are_data_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "national.yaml").write_text("catalogue: n\nversion: 1\nsort: none\n")
    status, rows = told("catalog", "check", str(tmp_path))
    assert status == 1
    assert {"complaint", "file", "line", "message"} == set(rows[0])
    assert rows[0]["complaint"] == "fault"


def test_catalogues_and_their_differences_are_data() -> None:
    status, rows = told("catalog", "check", str(CATALOGUES))
    assert (status, rows[0]["domain"]) == (0, "")
    assert told("catalog", "diff", str(CATALOGUES), str(CATALOGUES)) == (0, [])


async def test_a_group_of_a_journal_is_data_without_whole_numbers(url: str) -> None:
    group = await anext(read_journal(ref(url, NAMES[0]), 0))
    row = json.loads(written(data(group, events=False)))
    assert (row["group"], len(row["entries"])) == (0, len(group.entries))
    assert row["entries"][0]["account_id"] == mask(group.entries[0][1].account_id)
    assert json.loads(written(data(group, events=True)))["entries"][0]["content"][0][0] == "opened"
