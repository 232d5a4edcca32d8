"""`make bench`: one table, each row beside its own limit, measured on the same machine in the same run.

    python -m bench.everything [--cassandra HOSTS | --no-cassandra] [--full | --quick] [--only THEME …] [--report FILE]

A limit is measured right before and right after its row and averaged, so that a noisy machine still gives a true ratio.
`--full` adds a million subscribers and a million journal entries; `--quick` shrinks everything, to see that it runs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from bench.bills import beside_business, bills
from bench.buckets import bucket_rows
from bench.closes import closes
from bench.collecting import collecting
from bench.columns import rating_by_columns
from bench.contracts import contracts
from bench.details import details
from bench.documents import documents
from bench.growth import growth
from bench.histories import histories
from bench.life import memory, starts
from bench.line import line
from bench.posting import posting
from bench.rerating import rerating
from bench.stages import stages
from bench.table import FULL, NORMAL, QUICK, Aim, Bench, Row, out
from bench.through import through
from bench.tiers import both_shapes
from bench.uses import posted_uses
from bench.vouchers import vouchers
from bench.watchers import watchers
from cluster.cassandra.lifecycle import Settings
from testkit.cassandra import LocalCluster, free_network

ROOT = Path(__file__).resolve().parents[1]
COMPILED = ROOT / "build" / "compiled"
THEMES = (
    "decoding",
    "rating",
    "documents",
    "bills",
    "sqlite",
    "cassandra",
    "columns",
    "rerating",
    "growth",
    "starts",
    "memory",
    "watch",
    "collecting",
    "line",
)


def rating_alone(bench: Bench) -> None:
    """Rate without any tier, by case: compiled beside pure, each in a process of its own."""
    pure = _rated(bench, [str(ROOT), str(ROOT / "proto")], "rating.py")
    if not COMPILED.exists():
        for name, speed, middle in pure:
            bench.add(
                Row(f"rating only, {name}", f"{speed:,.0f}/s a core", "", "", f"p50 {middle:.1f} µs, pure Python")
            )
        return
    compiled = _rated(bench, [str(COMPILED), str(ROOT)], ".so")
    for (name, slow, _), (_, speed, middle) in zip(pure, compiled, strict=True):
        row = Row(f"rating only, {name}", f"{speed:,.0f}/s a core", f"pure Python {slow:,.0f}/s")
        row.ratio, row.how = f"{speed / slow:.1f} times", f"p50 {middle:.1f} µs"
        bench.add(row)


def switch_files(bench: Bench) -> None:
    """Decode records of TS 32.298 beside pycrate, and join parts of calls: compiled where there is a build."""
    command = [sys.executable, "-m", "bench.decoding", str(bench.scale.items // 5), str(bench.scale.rating_s)]
    kinds = [("pure", [str(ROOT), str(ROOT / "proto")], Aim("≥ 15 times", 15))]
    if COMPILED.exists():
        kinds.append(("compiled", [str(COMPILED), str(ROOT)], Aim("≥ 40 times", 40)))
    for kind, path, aim in kinds:
        environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(path)}
        told = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout)
        times = told["ours"] / told["theirs"]
        row = Row(f"TS 32.298 decode, {kind}", f"{told['ours']:,.0f} records/s", f"pycrate {told['theirs']:,.0f}/s")
        row.ratio, row.how = f"{times:.1f} times", f"CPU time, {Path(told['file']).suffix}"
        bench.add(row, aim, times)
        bench.add(
            Row(f"parts of calls joined, {kind}", f"{told['joined']:,.0f} records/s", how="CPU time, with commits")
        )


def _rated(bench: Bench, path: list[str], ending: str) -> list[tuple[str, float, float]]:
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(path)}
    command = [sys.executable, "-m", "bench.rating", str(bench.scale.rating_s), "--json"]
    told = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout)
    if not told["file"].endswith(ending):
        raise RuntimeError(f"{told['file']} was measured, a file that ends with {ending} was meant")
    return [(name, speed, middle) for name, speed, middle in told["cases"]]


async def run(bench: Bench, themes: list[str]) -> None:
    """Measure what needs no Cassandra."""
    if "rating" in themes:
        rating_alone(bench)
    if "decoding" in themes:
        switch_files(bench)
    if "documents" in themes:
        documents(bench)
    if "bills" in themes:
        await bills(bench, "SQLite", "")
        await closes(bench)
        await stages(bench)
        await beside_business(bench)
        await bucket_rows(bench)
    if "sqlite" in themes:
        base = bench.base()
        await both_shapes(bench, "SQLite", base + "-{}", f"sqlite://{bench.folder}/raw.db")
        await histories(bench)
        await details(bench)
        await contracts(bench)
        await vouchers(bench)
    if "columns" in themes:
        rating_by_columns(bench)
    if "rerating" in themes:
        rerating(bench)
    if "growth" in themes:
        await growth(bench)
    if "starts" in themes:
        await starts(bench)
    if "memory" in themes:
        await memory(bench)
    if "watch" in themes:
        await watchers(bench)
    if "collecting" in themes:
        await collecting(bench)
    if "line" in themes:
        line(bench)
        await posting(bench)
        await posted_uses(bench)
        await through(bench)


async def on_cassandra(bench: Bench, hosts: str, themes: list[str]) -> None:
    """The same tiers on Cassandra; keyspaces of this run have names of their own."""
    name = f"cassandra://{hosts}/bench_{time.time_ns():x}"
    if "bills" in themes:
        await bills(bench, "Cassandra", name + "_{}?rf=1", shapes=(1,))
    await both_shapes(bench, "Cassandra", name + "_{}?rf=1", f"{name}_raw?rf=1")


def main() -> None:
    """Read the arguments, measure, print the table and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--cassandra", default="", help="hosts of a running cluster; default: one started for the run")
    where.add_argument("--no-cassandra", action="store_true")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true")
    size.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=THEMES, default=list(THEMES))
    parser.add_argument("--report", type=Path, default=Path("reports/bench.md"))
    arguments = parser.parse_args()
    scale = FULL if arguments.full else QUICK if arguments.quick else NORMAL
    with tempfile.TemporaryDirectory(prefix="onetier-bench-") as name:
        bench = Bench(Path(name), scale)
        uvloop.run(run(bench, arguments.only))
        if "cassandra" in arguments.only and not arguments.no_cassandra:
            _cassandra(bench, arguments.cassandra, arguments.only)
        out.print(bench.table())
        bench.write(arguments.report)
        out.print(f"written to {arguments.report}")


def _cassandra(bench: Bench, hosts: str, themes: list[str]) -> None:
    if hosts:
        uvloop.run(on_cassandra(bench, hosts, themes))
        return
    cluster = LocalCluster(bench.folder / "cassandra", Settings(nodes=1, network=free_network(1)))
    try:
        uvloop.run(on_cassandra(bench, cluster.hosts, themes))
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
