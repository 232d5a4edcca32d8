"""One throughput figure quickly, for the work on it: charges or queries through all tiers.

python -m bench.quick [--units URL] [--domains 1] [--subscribers 10000] [--items 100000] [--batch 500] [--what charges]
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from bench.driver import Driven, drive, pack
from bench.system import charges, cpu_seconds, out, queries, running
from cluster.system import Shape
from country.domains import REGIONS


async def measure(arguments: argparse.Namespace) -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory(prefix="onetier-bench-") as name:
        folder = Path(name)
        (folder / "units").mkdir()
        base = arguments.units or f"sqlite://{folder}/units"
        domains = [region.code for region in REGIONS][: arguments.domains]
        shape = Shape(1, arguments.domain_servers, arguments.app_servers)
        people, slots = arguments.subscribers, arguments.slots
        async with running(base, folder, domains, people, shape, slots=slots) as (system, population):
            items = arguments.items
            for run in range(arguments.runs):
                asked = arguments.what == "queries"
                requests = queries(population, items) if asked else charges(population, items, f"r{run}")
                batches = pack(requests, arguments.batch, system.endpoints)
                before, own = cpu_seconds(system), time.process_time()
                done = await drive(batches, arguments.window)
                spent = {tier: used - before[tier] for tier, used in cpu_seconds(system).items()}
                out.print(told(done))
                spent["driver"] = time.process_time() - own
                out.print("           CPU an item: ", *[f"{k} {v / items * 1e6:.0f} µs  " for k, v in spent.items()])


def told(done: Driven) -> str:
    """Say a result in a line."""
    waits = sorted(done.batch_ms)
    return (
        f"{done.per_second:10,.0f} items/s   {done.items:,} in {done.seconds:.2f} s   batch p50 "
        f"{waits[len(waits) // 2]:.0f} ms   p99 {waits[len(waits) * 99 // 100]:.0f} ms   faults {dict(done.faults)}"
    )


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", default="")
    parser.add_argument("--domains", type=int, default=1)
    parser.add_argument("--subscribers", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--window", type=int, default=8)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--domain-servers", type=int, default=1)
    parser.add_argument("--app-servers", type=int, default=1)
    parser.add_argument("--slots", type=int, default=1, help="of a domain")
    parser.add_argument("--what", choices=("charges", "queries"), default="charges")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
