"""Settings from code, environment and file; wrong ones end in one sentence."""

from pathlib import Path

import pytest

from appserver.settings import AppServerSettings
from datacenter.settings import DataCenterSettings
from domainservers.settings import DomainServerSettings
from runtime.settings import BadSettings, TierSettings, check_tables, load


def test_defaults_stand_alone() -> None:
    settings = load(AppServerSettings)
    assert settings.listen == "127.0.0.1:0"
    assert settings.batch_requests_max == 1_000
    assert settings.tls_cert is None


def test_code_wins_over_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "onetier.toml"
    file.write_text(
        'log_level = "error"\n[datacenter]\npoll_ms = 50\nbatches_in_flight_max = 3\n[appserver]\ntimeout_ms = 7\n'
    )
    monkeypatch.setenv("ONETIER_CONFIG", str(file))
    monkeypatch.setenv("ONETIER_POLL_MS", "60")
    settings = load(DataCenterSettings)
    assert (settings.log_level, settings.poll_ms, settings.batches_in_flight_max) == ("error", 60, 3)
    assert load(DataCenterSettings, poll_ms=70).poll_ms == 70
    assert load(AppServerSettings).timeout_ms == 7


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETIER_DATACENTERS", "10.0.0.1:7100, 10.0.0.2:7100")
    assert load(AppServerSettings).datacenters == ["10.0.0.1:7100", "10.0.0.2:7100"]
    assert load(DomainServerSettings).datacenters == ["10.0.0.1:7100", "10.0.0.2:7100"]


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("ONETIER_POLL_MS", "often", "ONETIER_POLL_MS"),
        ("ONETIER_POLL_MS", "0", "greater than 0"),
        ("ONETIER_LISTEN", "7000", "write host:port"),
        ("ONETIER_LISTEN", "127.0.0.1:70000", "write host:port"),
        ("ONETIER_LOG_LEVEL", "loud", "expected debug"),
        ("ONETIER_TLS_CERT", "/tmp/cert.pem", "go together"),
        ("ONETIER_COUNTRY", "C\nN", "without control characters"),
    ],
)
def test_a_bad_value_is_told_in_one_sentence(
    variable: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSettings) as caught:
        load(DataCenterSettings)
    text = str(caught.value)
    assert told in text
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("pol_ms = 5\n", "'pol_ms'"),
        ("[datacenter]\npol_ms = 5\n", "'pol_ms'"),
        ("poll_ms = 5\n", "'poll_ms'"),
        ("no toml", "is no TOML"),
        ('datacenter = "x"\n', "table"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(
    content: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "onetier.toml"
    file.write_text(content)
    monkeypatch.setenv("ONETIER_CONFIG", str(file))
    with pytest.raises(BadSettings, match=told):
        load(DataCenterSettings)


@pytest.mark.parametrize(
    "content", ["[datacenter]\n\n[datacentre]\npoll_ms = 5\n", "\n\ndatacentre.poll_ms = 5\n", '\n\n["datacentre"]\n']
)
def test_a_table_that_no_process_reads_is_told_with_its_line(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "onetier.toml"
    file.write_text(content)
    monkeypatch.setenv("ONETIER_CONFIG", str(file))
    with pytest.raises(BadSettings, match=r"onetier\.toml, line 3, has a table 'datacentre' that no process reads"):
        check_tables(["datacenter"])
    check_tables(["datacentre", "datacenter"])


def test_a_missing_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONETIER_CONFIG", "/nowhere/onetier.toml")
    with pytest.raises(BadSettings, match="can't be read"):
        load(DataCenterSettings)


@pytest.mark.parametrize("cls", [AppServerSettings, DataCenterSettings, DomainServerSettings])
def test_every_setting_is_used_by_its_tier(cls: type[TierSettings]) -> None:
    root = Path(__file__).resolve().parents[3]
    rooms = {"appserver": "appserver", "datacenter": "datacenter", "domainserver": "domainservers"}
    folders = (root / rooms[cls.section], root / "runtime", root / "directory")
    code = "".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    unused = [name for name in cls.model_fields if f"ettings.{name}" not in code]
    assert unused == []
