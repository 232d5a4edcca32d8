"""What a scenario of load left behind: locust's figures and what callers were told, read and judged.

A scenario fails when an answer was wrong or missing, or when it moved nothing.
"""

import csv
from collections import Counter
from pathlib import Path

from msgspec import Struct

OWNER_KILLED = "OwnerKilled"
"""BusyHour again, with one domain server killed half-way."""
SCENARIOS = (
    "ChargeMix",
    "QueryMix",
    "PrepaidSessions",
    "BusyHour",
    "HotAccount",
    "UnaryCharge",
    "PortStorm",
    OWNER_KILLED,
)
MOVES_NO_MONEY = "QueryMix"
NATIONAL = ("BusyHour", OWNER_KILLED)
"""Scenarios in which every domain must have been charged."""


class LoadRow(Struct, frozen=True):
    """One line of locust's statistics."""

    scenario: str
    name: str
    batches: int
    failures: int
    items_per_s: float
    p50_ms: float
    p99_ms: float


class LoadResult(Struct, frozen=True):
    """How one scenario went."""

    rows: list[LoadRow]
    told: dict[str, int]
    """Request key → amount, as callers were told."""
    by_domain: Counter[str]
    """Charges told, by the domain that made them."""
    repeated: int
    """Charges whose key was sent more than once before the outcome was known."""
    faults: list[str]
    """Why the scenario has failed; nothing when it went well."""


def lines_of(told: Path) -> list[str]:
    """Give what was told so far, a line a charge."""
    return told.read_text("utf-8").splitlines() if told.exists() else []


def result_of(scenario: str, stem: Path, domains: set[str], killed_at: int | None) -> LoadResult:
    """Read what locust left and judge it. `killed_at` = charges told when a server was killed, None = none was.

    Files begin with `stem`. Nothing is raised for a scenario that failed: see `LoadResult.faults`.
    """
    rows = _rows(scenario, Path(f"{stem}_stats.csv"))
    told: dict[str, int] = {}
    by_domain: Counter[str] = Counter()
    repeated = lines = 0
    faults = [f"{row.failures:,} of {row.batches:,} {row.name} failed: see {stem}.html" for row in rows if row.failures]
    for line in lines_of(Path(f"{stem}_told.csv")):
        key, amount, domain, again = line.split("\t")
        if key in told:
            faults.append(f"{key} was told twice")
        told[key] = int(amount)
        by_domain[domain] += 1
        repeated += int(again)
        lines += 1
    faults += _thrown(Path(f"{stem}_exceptions.csv"))
    if not sum(row.batches for row in rows) or (scenario != MOVES_NO_MONEY and not told):
        faults.append(f"it moved nothing: see {stem}.log")
    if scenario in NATIONAL and domains - set(by_domain):
        faults.append(f"nothing was charged in {', '.join(sorted(domains - set(by_domain)))}")
    if killed_at is not None and not 0 < killed_at < lines:
        faults.append(
            f"{killed_at:,} charges were told before the kill, {lines - killed_at:,} after it: give more time"
        )
    return LoadResult(rows, told, by_domain, repeated, faults)


def _rows(scenario: str, stats: Path) -> list[LoadRow]:
    if not stats.exists():
        return []
    with stats.open(newline="", encoding="utf-8") as lines:
        return [
            LoadRow(
                scenario,
                line["Name"],
                int(line["Request Count"]),
                int(line["Failure Count"]),
                float(line["Requests/s"]) * _items(line["Name"]),
                float(line["50%"]),
                float(line["99%"]),
            )
            for line in csv.DictReader(lines)
            if line["Name"] != "Aggregated"
        ]


def _items(name: str) -> int:
    _, times, count = name.rpartition("×")
    return int(count) if times else 1


def _thrown(exceptions: Path) -> list[str]:
    """Defects of the users themselves: locust counts them apart from its requests."""
    if not exceptions.exists():
        return []
    with exceptions.open(newline="", encoding="utf-8") as lines:
        return [f"{line['Count']} times {line['Message']}" for line in csv.DictReader(lines)]
