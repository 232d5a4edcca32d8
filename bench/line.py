"""The line of mediation on one core: files of a switch → batches committed; keys against hundreds of millions known.

    python -m bench.line intake [--records N]
    python -m bench.line duplicates [--known N] [--records N]

Each is measured in CPU time of one process, its limit in the same process in turn: the machine may be shared. Batches
are synced and named by a commit; polars alone reads the same bytes into the same columns and keeps nothing.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

from bench.table import Aim, Bench, Row
from mediation.decoding.decoder import Decoder
from mediation.duplicates import runs
from mediation.duplicates.keys import HIGH, LOW, Columns
from mediation.formats.reading import read_format
from mediation.plant.files import LANDED, LandedFile
from mediation.plant.home import digest_of
from mediation.plant.intake import Intake
from mediation.plant.known import KnownKeys
from mediation.plant.plant import Plant
from mediation.samples.plant import FORMATS
from runtime.durable import place

PAGE = FORMATS / "gx-voice.yaml"
NOW_MS = 1_800_000_000_000
DAYS = 30
FILE_RECORDS = 999_999
"""As many as the trailer of the format can count."""
TURNS = 3
RUNS_OF_DAY = 4
MEMORY_MAX = 2 << 30


def a_file(records: int, seed: int = 1) -> bytes:
    """Write a file of a switch: calls of a day, one in ten of which nobody answered."""
    pick = np.random.default_rng(seed)
    places = pl.select(pl.int_range(records, dtype=pl.Int64).alias("n")).with_columns(
        caller=pl.Series(pick.integers(0, 1_000_000, records)),
        called=pl.Series(pick.integers(0, 100_000_000, records)),
        second=pl.Series(pick.integers(0, 86_400, records)),
        seconds=pl.Series(pick.integers(0, 3_000, records)),
    )
    began = pl.datetime(2026, 1, 5) + pl.duration(seconds=pl.col("second"))
    line = pl.concat_str(
        pl.format("{}{}", pl.lit(f"{seed:06}"), pl.col("n").cast(pl.String).str.zfill(8)),
        pl.format("13{}", (pl.col("caller") + 800_000_000).cast(pl.String)),
        pl.format("139{}", pl.col("called").cast(pl.String).str.zfill(8)),
        began.dt.strftime("%Y%m%d%H%M%S"),
        pl.col("seconds").cast(pl.String),
        pl.when(pl.col("n") % 10 == 0).then(pl.lit("busy")).otherwise(pl.lit("released")),
        separator=",",
    )
    lines = places.select(line).to_series().str.join("\n").item()
    return f"{lines}\nEND {records:06}\n".encode()


def polars_alone(content: bytes) -> pl.DataFrame:
    """Read the same columns by polars, of which numbers and times get their types."""
    names = ["id", "caller", "called", "began", "seconds", "cause"]
    frame = pl.read_csv(content, has_header=False, new_columns=names, truncate_ragged_lines=True, infer_schema=False)
    return frame.with_columns(
        pl.col("began").str.strptime(pl.Datetime("ms"), "%Y%m%d%H%M%S", strict=False),
        pl.col("seconds").cast(pl.Int64, strict=False),
    )


def intake(records: int, home: Path) -> dict[str, float]:
    """Give the CPU seconds of polars alone and of the line, the middle of some turns, and its memory."""
    decoder, plant = Decoder(read_format(PAGE)), Plant(home)
    taker, alone, ours = Intake(plant), list[float](), list[float]()
    for turn in range(TURNS):
        content = a_file(records, turn + 1)
        alone.append(_cpu_s(partial(polars_alone, content)))
        file = LandedFile(digest_of(content), "gx", f"{turn}.cdr", len(content), NOW_MS, LANDED)
        place(plant.folder.landed(file.digest), content)
        with plant.commit():
            plant.files.land(file)
        ours.append(_cpu_s(partial(taker.take, file, decoder, NOW_MS)))
    taken = plant.files.all()
    plant.close()
    if any(file.records != records for file in taken):
        raise RuntimeError(f"of {records} records not all were decoded: {taken}")
    return {"alone": records / median(alone), "ours": records / median(ours)}


def _cpu_s(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def duplicates(known: int, records: int, home: Path) -> dict[str, float]:
    """Give keys a CPU second that a batch of one day is sorted in alone and held against all known ones in."""
    plant, pick = Plant(home), np.random.default_rng(7)
    keys, each = KnownKeys(plant.folder, plant.work), max(known // DAYS // RUNS_OF_DAY, 1)
    first_day = NOW_MS // 86_400_000 - DAYS
    there: Columns = np.zeros((3, 0), np.uint64)
    for day in range(DAYS):
        for _ in range(RUNS_OF_DAY):
            made = pick.integers(0, 1 << 64, (3, each), np.uint64)
            with plant.commit():
                keys.name(keys.write(made[:, runs.in_order(made)], np.full(each, first_day + day)))
            if day == DAYS // 2:
                there = np.concatenate((there, made[:, : records // 40]), axis=1)
    fresh = pick.integers(0, 1 << 64, (3, records - there.shape[1]), np.uint64)
    batch = pick.permutation(np.concatenate((there, fresh), axis=1), axis=1)
    days = np.full(records, first_day + DAYS // 2)
    alone: list[float] = []
    ours: list[float] = []
    for _ in range(TURNS):
        alone.append(_cpu_s(lambda: np.lexsort((batch[LOW], batch[HIGH]))))
        begin = time.process_time()
        found = keys.seek(batch[:, runs.in_order(batch)], days, True)
        ours.append(time.process_time() - begin)
        if int((found != runs.NEW).sum()) != there.shape[1]:
            raise RuntimeError(f"{(found != runs.NEW).sum()} of {there.shape[1]} keys were known")
    plant.close()
    return {"alone": records / median(alone), "ours": records / median(ours)}


def line(bench: Bench) -> None:
    """Add the rows of the table."""
    many = min(10 * bench.scale.items, FILE_RECORDS)
    told = _measured("intake", "--records", str(many))
    row = Row("CSV → batch committed", f"{told['ours']:,.0f} records/s of CPU")
    row.limit, share = f"polars reads it alone {told['alone']:,.0f}/s", told["ours"] / told["alone"]
    row.ratio, row.how = f"{share:.0%}", f"{many:,} records a file; {told['memory'] / (1 << 20):,.0f} MiB at most"
    bench.add(row, Aim("≥ 300,000/s, ≥ 15 %", 1), min(told["ours"] / 300_000, share / 0.15))
    known = bench.scale.known_keys
    told = _measured("duplicates", "--known", str(known), "--records", str(many))
    row = Row(f"duplicates against {known:,} known keys", f"{told['ours']:,.0f} keys/s of CPU")
    row.limit, share = f"numpy sorts the batch alone {told['alone']:,.0f}/s", told["ours"] / told["alone"]
    row.ratio, row.how = f"{share:.0%}", f"{many:,} keys of one day; {told['memory'] / (1 << 20):,.0f} MiB at most"
    bench.add(row, Aim("≥ 50 %, < 2 GiB", 1), min(share / 0.5, MEMORY_MAX / told["memory"]))


def _measured(*arguments: str) -> dict[str, float]:
    """Measure in a process of its own, whose memory is that of the work."""
    command = [sys.executable, "-m", "bench.line", *arguments]
    told: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return told


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("intake", "duplicates"))
    parser.add_argument("--records", type=int, default=FILE_RECORDS)
    parser.add_argument("--known", type=int, default=30_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onetier-bench-") as name:
        if arguments.what == "intake":
            told = intake(arguments.records, Path(name))
        else:
            told = duplicates(arguments.known, arguments.records, Path(name))
    told["memory"] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(told))


if __name__ == "__main__":
    main()
