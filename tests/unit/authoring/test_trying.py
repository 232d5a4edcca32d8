"""Trying a plan: uses as people write them, and what they cost one after the other on the sample catalogue."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from authoring.files import read_folder
from authoring.trying import Tried, read_use, try_uses
from charging.errors import Invalid
from console.main import mounted

CATALOGUES = Path(__file__).parents[3] / "catalogues"
FACTS = {
    "identity": "+8613900000000",
    "domain": "GD",
    "offerings": "mobile-59",
    "start": "2026-01-05T10:00:00",
    "other_party": "13912345678",
}


def tried(*uses: str, **facts: str) -> list[Tried]:
    return list(try_uses(read_folder(CATALOGUES).catalogues, FACTS | facts, uses))


def amounts(found: list[Tried]) -> list[int | None]:
    return [one.charge.amount if one.charge is not None else None for one in found]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("voice 61 s", {"service": "voice", "quantity": "61"}),
        ("voice 3", {"service": "voice", "quantity": "3"}),
        ("data 1.5 GB at 2026-01-31T23:50", {"service": "data", "quantity": "1610612736", "start": "2026-01-31T23:50"}),
        ("sms 1 to 10086 in HK-CSL", {"service": "sms", "quantity": "1", "other_party": "10086", "visited": "HK-CSL"}),
        ("  voice   2  min  to 10086 ", {"service": "voice", "quantity": "120", "other_party": "10086"}),
    ],
)
def test_a_use_is_read_as_people_write_it(text: str, row: dict[str, str]) -> None:
    assert read_use(text, {}) == row


@pytest.mark.parametrize(
    "text",
    ["", "voice", "voice many", "61 s voice", "voice 61 s on monday", "voice 1 parsec", "voice 0.5 s", "voice 2 GB"],
)
def test_what_is_no_use_is_refused_before_anything_is_rated(text: str) -> None:
    with pytest.raises(Invalid, match=r"write SERVICE|is counted in seconds") as refused:
        tried("voice 61 s", text)
    assert refused.value.reason == "USE_MALFORMED"


def test_allowances_run_on_from_use_to_use() -> None:
    # 100 minutes are free; of 99 + 3 minutes two are charged, at 0.20 in Guangdong.
    assert amounts(tried("voice 99 min", "voice 3 min")) == [0, 400_000]
    assert amounts(tried("voice 3 min", "voice 99 min")) == [0, 400_000]
    assert amounts(tried("voice 2 min to 13912345678 in HK-CSL")) == [3_980_000]


def test_what_has_no_price_is_told_and_the_rest_goes_on() -> None:
    first, second = tried("tv 1", "voice 61 s")
    assert first.refused is not None
    assert first.refused.reason == "SERVICE_NOT_SUBSCRIBED"
    assert second.charge is not None


def test_the_command_prints_steps_and_the_sum_and_ends_with_one_when_something_has_no_price() -> None:
    words = ["catalog", "try", str(CATALOGUES), "mobile-59", "voice 99 min", "voice 3 min", "--domain", "GD"]
    words += ["--to", "13912345678", "--time", "2026-01-05T10:00:00"]
    done = CliRunner().invoke(mounted(), words)
    assert done.exit_code == 0, done.output
    assert "Tariff voice-standard/domestic [GD]: 120 seconds cost 0.4" in done.output
    assert done.output.endswith("in all: 0.4 CNY\n")
    failed = CliRunner().invoke(mounted(), [*words, "tv 1"])
    assert failed.exit_code == 1
    assert "SERVICE_NOT_SUBSCRIBED" in failed.output
