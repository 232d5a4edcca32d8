"""Catalogues that nobody would write: samples mutated as text and as structure, each read, checked and used.

Run as `python -m tests.unit.authoring.catalogue_fuzz SEED SECONDS`; prints what it did as JSON, and what failed with
the seed and number of the case, by which it is made again.
"""

import json
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from types import FrameType

from msgspec.structs import replace

from authoring.files import read_folder
from authoring.publication import publication
from charging.base.account import MAIN_BOOK, MONEY, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Charge, Usage
from charging.catalogue.document import Catalogue, pack, unpack
from charging.errors import Fault
from charging.plans.timeline import Timeline
from charging.rating import explain
from charging.rating.rating import fee, next_switch, rate
from charging.wire import CatalogueRef
from datacenter.operators.changes import changes_of
from datacenter.operators.publication import check_catalogues
from testkit.ledger import an_account
from tests.unit.charging.test_catalogue_effects import NATION, REGION

SAMPLE = Path(__file__).resolve().parents[3] / "catalogues"
MEMORY_BYTES_MAX = 3 << 29
CASE_S_MAX = 20
ME = "msisdn:8613012345678"
MOMENTS = ("2026-03-02T23:59:59", "2026-10-01T12:00:00", "2027-01-01T00:00:00")
SCALARS = [
    "", "0", "-1", "1", "9" * 18, "9" * 4300, "0.000000000001", "999999999", "1e999", "nan", "inf", "true", "null", "~",
    "1.5 min", "0.1 MB", "999999999999999999 TB", "2026-02-30", "0000-00-00", "9999-12-31T23:59:59+14:00", "24:00", "*",
    "????????????????????", "86$", "home", "account", "a" * 300, "a|b", "a@b", "é", "\u0000", "call", "life",
    "subscription", "package", "volume", "second", "byte", "event", "p", "q", "calls", "night", "spent", "free",
]  # fmt: skip
TOKENS = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "&a ",
    "*a",
    "- ",
    "? ",
    "|\n",
    ">\n",
    "!!int ",
    "<<: ",
    "---\n",
    "\t",
    "#",
    '"',
    "'",
]


class Slow(Exception):
    """A case took too long."""


def main(seed: int, seconds: float) -> int:
    """Fuzz for some seconds; give the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    signal.signal(signal.SIGALRM, _too_slow)
    told = {"seed": seed, "cases": 0, "sound": 0, "charges": 0, "refused": 0, "slowest_ms": 0}
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as scratch:
        while time.monotonic() < until:
            number = told["cases"]
            began = time.process_time()
            signal.alarm(CASE_S_MAX)
            try:
                _case(random.Random(f"{seed}/{number}"), Path(scratch), told)
            except Exception:
                print(
                    f"seed {seed}, case {number}:", *(p.read_bytes()[:2_000] for p in Path(scratch).iterdir()), sep="\n"
                )
                raise
            finally:
                signal.alarm(0)
            told["cases"] += 1
            told["slowest_ms"] = max(told["slowest_ms"], round((time.process_time() - began) * 1000))
    told["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(told))
    return 0


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise Slow(f"more than {CASE_S_MAX} s")


def _case(rnd: random.Random, folder: Path, told: dict[str, int]) -> None:
    nation, region = deepcopy(NATION), deepcopy(REGION)
    kind = rnd.choice(["structure", "structure", "region", "text", "bytes", "sample"])
    if kind in ("structure", "region"):
        for _ in range(rnd.choice([1, 1, 2, 5])):
            _mutate(rnd, nation if kind == "structure" else region)
    contents = [json.dumps(nation, ensure_ascii=False), json.dumps(region)]
    if kind == "text":
        contents[0] = _mutated_text(rnd, contents[0])
    elif kind == "sample":
        contents = [_mutated_text(rnd, path.read_text()) for path in sorted((SAMPLE / "national").iterdir())]
    raw = [content.encode("utf-8", "surrogatepass") for content in contents]
    if kind == "bytes":
        at = rnd.randrange(len(raw[0]))
        raw[0] = raw[0][:at] + rnd.randbytes(rnd.choice([1, 4])) + raw[0][at + rnd.choice([0, 1, 50]) :]
    for old in folder.iterdir():
        old.unlink()
    for number, content in enumerate(raw):
        (folder / f"{number}.yaml").write_bytes(content)
    found = read_folder(folder)
    assert all(str(fault) and fault.line > 0 for fault in found.faults)
    if not found.faults:
        told["sound"] += 1
        _use(rnd, found.catalogues, told)


def _mutate(rnd: random.Random, tree: object) -> None:
    """Change one node of a tree, somewhere below."""
    while isinstance(tree, (dict, list)) and tree:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        key = rnd.choice(keys)
        below = tree[key]  # type: ignore[index]
        if isinstance(below, (dict, list)) and below and rnd.random() < 0.8:
            tree = below
            continue
        change = rnd.randrange(5)
        if change == 0:
            tree.pop(key)  # type: ignore[arg-type]
        elif change == 1 and isinstance(tree, list):
            tree.append(deepcopy(below))
        elif change == 2:
            tree[key] = rnd.choice([[], {}, [below], {"id": below}])  # type: ignore[index]
        elif change == 3 and isinstance(tree, dict):
            tree[rnd.choice([*keys, "id", "prices", "extra"])] = deepcopy(below)
        else:
            tree[key] = rnd.choice(SCALARS)  # type: ignore[index]
        return


def _mutated_text(rnd: random.Random, text: str) -> str:
    for _ in range(rnd.choice([1, 2, 6])):
        a = rnd.randrange(len(text) + 1)
        b = min(len(text), a + rnd.choice([0, 1, 3, 30]))
        put = rnd.choice([rnd.choice(SCALARS), rnd.choice(TOKENS) * rnd.choice([1, 1, 2_000]), text[b : b + 40]])
        text = text[:a] + put + text[b:]
    return text


def _use(rnd: random.Random, catalogues: list[Catalogue], told: dict[str, int]) -> None:
    """What passes the check is published, compiled, and rates or refuses."""
    for catalogue in catalogues:
        assert unpack(pack(catalogue)) == catalogue
    changes = changes_of(publication(catalogues))
    check_catalogues(changes, [])  # type: ignore[arg-type]
    refs = [CatalogueRef(one.domain, one.version, 0, pack(one)) for one in catalogues]
    zone = rnd.choice(["Asia/Shanghai", "America/New_York"])
    local = LocalTime(zone)
    timeline = Timeline.build(refs, rnd.choice(["GD", "SH"]), zone)
    for moment in MOMENTS:
        start_ms = local.moment_ms(moment)
        plan = timeline.plan_at(start_ms)
        held = tuple(Subscription(name) for name in plan.offerings)
        contract = Contract(ME, "acc", "GD", subscriptions=held, agreements=tuple(plan.agreements))
        books = (Book(MAIN_BOOK, MONEY, 10**9), Book("u", "second", 100, allowance=next(iter(plan.allowances), "")))
        account = an_account("acc", 1, "GD", books=books, members=(ME,), agreements=tuple(plan.rules))
        for service in plan.services.values():
            usage = Usage(
                ME, service.name, start_ms, rnd.choice([0, 1, 59, 4_000, 10**8, service.quantity_max]), "8613900000001"
            )
            for asked in (usage, replace(usage, visited="HK-CSL", attributes={"kind": rnd.choice("xy")})):
                _rated(partial(rate, plan, asked, contract, account), told)
                next_switch(plan, contract, account, asked)
        for name in plan.fees:
            _rated(partial(fee, plan, name, contract, account, start_ms), told)


def _rated(ask: Callable[[], Charge], told: dict[str, int]) -> None:
    try:
        charge = ask()
    except Fault:
        told["refused"] += 1
        return
    told["charges"] += 1
    assert charge.amount >= 0
    assert explain.adds_up(charge)
    assert explain.lines(charge)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
