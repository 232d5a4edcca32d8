"""Whole usage files with their own small catalogues, each line with the price it must have in a column `expect`."""

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.catalogues.rate import app

DATA = Path(__file__).resolve().parents[2] / "data" / "rating"


def rated(case: str, folder: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Rate the file of a case; give the lines with a price, and those without."""
    out = folder / "out.csv"
    catalogue, usage = str(DATA / case / "catalogue"), str(DATA / case / "usage.csv")
    result = CliRunner().invoke(app, ["--catalog", catalogue, "--usage", usage, "--out", str(out)])
    assert result.exit_code == 0, result.output
    with out.open(newline="", encoding="utf-8") as good, out.with_name("out.errors.csv").open(encoding="utf-8") as bad:
        return list(csv.DictReader(good)), list(csv.DictReader(bad))


@pytest.mark.parametrize("case", ["late-usage", "pesos", "numbers-as-e164", "numbers-of-germany"])
def test_every_line_costs_what_it_says(case: str, tmp_path: Path) -> None:
    good, bad = rated(case, tmp_path)
    assert bad == []
    assert [(row["start"], row["amount"]) for row in good] == [(row["start"], row["expect"]) for row in good]


def test_a_number_of_absurd_length_harms_its_own_line_alone(tmp_path: Path) -> None:
    good, bad = rated("absurd-numbers", tmp_path)
    assert [row["amount"] for row in good] == ["1", "1"]
    assert [(row["line"], row["reason"]) for row in bad] == [
        ("3", "QUANTITY_INVALID"),
        ("4", "EVENT_TIME_INVALID"),
        ("5", "CYCLE_DAY_OUT_OF_RANGE"),
        ("6", "PAYMENT_MODE_UNKNOWN"),
    ]


def test_charges_are_in_the_currency_of_the_catalogue(tmp_path: Path) -> None:
    good, _ = rated("pesos", tmp_path)
    assert {row["currency"] for row in good} == {"CLP"}
