"""`make bench` with everything shrunk: each row of the table is there, with its limit and its aim beside it."""

from pathlib import Path

import pytest

from tests.cluster.commands import run_to_end

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(400)]
ROWS = {
    "rating only, flat, 60/60": ("", ""),
    "bills of a run, SQLite": ("", "≥ 5,000/s"),
    "bills of a run, SQLite, 31 domains": ("", "≥ 3,000/s"),
    "charges during a run ÷ without": ("without", "≥ 0.7"),
    "unary p99 during a run ÷ without": ("p50 / p99", "≤ 1.5"),
    "longest that an account waits around its close": ("without", "≤ 50 ms"),
    "CPU of a bill, platform and owner": ("", ""),
    "CPU until a charge is answered, p99": ("without a run", ""),
    "CPU of a charge with buckets ÷ without": ("a charge at its owner", "≤ 1.03"),
    "memory of buckets of 3 items, hot": ("", "≤ 200"),
    "TS 32.298 decode, pure": ("pycrate", "≥ 15 times"),
    "parts of calls joined, pure": ("", ""),
    "charge, SQLite": ("raw group commit", "30,000/s"),
    "charge, SQLite, 31 domains": ("raw group commit", "30,000/s"),
    "charge on one hot account, SQLite": ("echo", "10,000/s"),
    "session step, SQLite": ("echo", ""),
    "query and dry run, SQLite": ("echo", "40,000/s"),
    "unary charge at a tenth of peak, SQLite": ("three bare hops", "p99 < 25 ms"),
    "1,000 subscribers": ("with 500 subscribers on 1", ""),
    "memory of a subscriber, 1,000 of them": ("", ""),
    "2 domain servers, four domains": ("with 500 subscribers on 1", ""),
    "4 domain servers, four domains": ("with 500 subscribers on 1", ""),
    "changes of contracts with a fee, one owner": ("", ""),
    "staged deposit, p99": (" ms", "≤ 1.2"),
    "replays of staged deposits, one owner": ("", "≥ 5,000/s"),
    "refused because of billing": ("", "0"),
    "batches of 1": ("echo", ""),
    "batches of 1,000": ("echo", ""),
    "start of a domain server on 0 charges": ("ready to be called", ""),
    "start of a domain server on 3,000 charges": ("ready to be called", ""),
    "memory of an account in a domain server, hot": ("", "≤ 1,500 bytes"),
    "memory of a route in a data center": ("", ""),
    "details: rated usage gathered": ("polars writes them", ""),
    "details: page of 50 of a subscriber's month": ("", ""),
    "rating by columns, vector class": ("row engine", "≥ 8 times"),
    "rating by columns, sample country's mix": ("row engine", "≥ 3 times"),
    "a cycle rated anew, no difference": ("first rating", "≤ 1.5 times"),
    "CSV → batch committed": ("polars reads it alone", "≥ 300,000/s, ≥ 15 %"),
    "duplicates against 120,000 known keys": ("numpy sorts the batch alone", "≥ 50 %, < 2 GiB"),
    "posting in bulk, one owner": ("one charge an entry", "≥ 5 times, ≥ 100,000/s"),
    "posted uses at the platform, calls of a switch": ("charged one by one", ""),
    "posted uses at the platform, calls, messages, data": ("charged one by one", ""),
    "files → journals → details, all of it": ("one by one", "≥ 150,000/s"),
    "feed, 1 watcher": ("beside as much other work", "≤ 3 % of the owner's CPU"),
    "feed, 10 watchers": ("beside as much other work", "≤ 3 % of the owner's CPU"),
}
"""Row → words of its limit, its aim."""


async def test_every_row_is_measured_with_its_limit(tmp_path: Path) -> None:
    report = tmp_path / "bench.md"
    await run_to_end("bench.everything", "--quick", "--no-cassandra", "--report", str(report), timeout_s=360)
    lines = [
        line.removeprefix("| ").split(" | ") for line in report.read_text("utf-8").splitlines() if line.startswith("| ")
    ]
    found = {cells[0]: cells for cells in lines}
    for name, (limit, aim) in ROWS.items():
        assert any(character.isdigit() for character in found[name][1]), name
        assert limit in found[name][2], found[name]
        assert found[name][4].strip() == aim, found[name]
        assert found[name][5].strip() in (("yes", "no") if aim else ("",)), found[name]
    replayed = found["start of a domain server on 3,000 charges"][6]
    assert "3,500 entries replayed" in replayed, replayed
