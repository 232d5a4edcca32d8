"""The command line as a shell sees it: its version, its completion, and where it asks when nobody says."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from console.arguments import addresses, first_address
from console.main import mounted
from onetier_client import AsyncClient

RUNNER = CliRunner()


def test_the_version_of_package_and_contract_is_told() -> None:
    told = RUNNER.invoke(mounted(), ["--version"])
    assert (told.exit_code, told.output) == (0, "onetier 0.1.0, contract onetier.v1\n")


def test_a_shell_is_taught_commands_and_options() -> None:
    asked = {"_ONETIER_COMPLETE": "complete_bash", "COMP_WORDS": "onetier bala", "COMP_CWORD": "1"}
    told = RUNNER.invoke(mounted(), [], env=asked, prog_name="onetier")
    assert told.output.split() == ["balance"]


def test_app_servers_are_taken_from_the_environment_unless_an_option_names_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[str]] = []

    def remember(self: AsyncClient, endpoints: list[str], **_: object) -> None:
        asked.append(endpoints)
        raise ValueError("enough")

    monkeypatch.setattr(AsyncClient, "__init__", remember)
    monkeypatch.setenv("ONETIER_ENDPOINTS", "10.0.1.11:7100, 10.0.1.12:7100")
    RUNNER.invoke(mounted(), ["balance", "13900284246"])
    RUNNER.invoke(mounted(), ["balance", "13900284246", "--endpoint", "10.0.1.13:7100"])
    assert asked == [["10.0.1.11:7100", "10.0.1.12:7100"], ["10.0.1.13:7100"]]


@pytest.mark.parametrize("command", [["balance", "13900284246"], ["resolve", "13900284246"], ["billing", "list", "GD"]])
def test_a_variable_that_is_no_address_is_told_and_nothing_is_asked(command: list[str]) -> None:
    wrong = {"ONETIER_ENDPOINTS": "somewhere", "ONETIER_DATACENTER": "somewhere", "COLUMNS": "200", "TERM": "dumb"}
    told = RUNNER.invoke(mounted(), command, env=wrong)
    assert told.exit_code == 2
    assert "'somewhere' is no address, write host:port" in told.output


def test_one_is_asked_where_the_variable_names_several() -> None:
    assert first_address("10.0.1.11:7100,10.0.1.12:7100") == "10.0.1.11:7100"


@pytest.mark.parametrize(
    "command",
    [
        ["do", "top-up", "13900284246", "--amount", "1"],
        ["charge", "13900284246", "sms", "1"],
        ["port", "13900284246", "GD"],
        ["grant", "remove", "desk"],
        ["billing", "complete", "GD", "2026-10"],
        ["approve", "13900284246", "k-1"],
    ],
)
def test_an_empty_request_key_is_refused_for_it_would_do_again_what_should_be_repeated(command: list[str]) -> None:
    told = RUNNER.invoke(mounted(), [*command, "--key", ""], env={"COLUMNS": "200", "TERM": "dumb"})
    assert told.exit_code == 2
    assert "the request key is empty: leave the option out for a new one" in told.output


def test_a_key_that_nobody_writes_is_a_new_one() -> None:
    told = RUNNER.invoke(mounted(), ["port", "13900284246", "GD", "--datacenter", "127.0.0.1:9"])
    assert told.exit_code == 1
    assert "no data center answers at 127.0.0.1:9" in told.output


def test_a_process_does_not_start_beside_a_table_that_nobody_reads(tmp_path: Path) -> None:
    file = tmp_path / "onetier.toml"
    file.write_text("[domainservers]\n")
    told = RUNNER.invoke(mounted(), ["serve", "watch"], env={"ONETIER_CONFIG": str(file)})
    assert told.exit_code == 2
    assert "line 1, has a table 'domainservers' that no process reads" in told.output


def test_an_empty_list_of_addresses_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="no address is given"):
        addresses([" , "])


def test_backups_that_are_not_where_they_should_be_are_told() -> None:
    command = ["billing", "reconcile", "--backup", "nowhere"]
    told = RUNNER.invoke(mounted(), command, env={"COLUMNS": "200", "TERM": "dumb"})
    assert told.exit_code == 2
    assert "'nowhere' does not exist" in told.output
