"""Details and rating anew, on one core: rows into Parquet, a subscriber's month out of it, a cycle rated twice.

python -m bench.rerating [--uses N]
"""

import argparse
import tempfile
import time
from io import BytesIO
from pathlib import Path

import msgspec
from msgspec import Struct

from authoring.files import read_folder
from bench.table import Aim, Bench, Row
from charging.base.account import Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Usage
from charging.catalogue.document import pack
from charging.catalogue.published import CatalogueRef
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.entry import Entry
from charging.ledger.ledger import seal
from charging.plans.timeline import Timeline
from charging.rating.rating import rate
from details.parts import frame_of, rows_in
from details.rows import StoredUsage, rows_of
from details.store import DetailAsk, DetailStore
from mediation.columns.rater import ColumnRater
from mediation.rerating.bycolumns import Anew, Restater
from mediation.rerating.inputs import past_uses
from testkit.ledger import an_account

ROOT = Path(__file__).resolve().parents[1]
ZONE = "Asia/Shanghai"
BEGIN_MS = LocalTime(ZONE).moment_ms("2026-10-01T00:00:00")
USES = 300
"""Of one subscriber in the month."""
SLOT_USES = 99_000
"""Of the accounts of one slot."""
PAGE = 50
PAGES = 60
OFFERING = "mobile-59"


class RatedTwice(Struct):
    """What was measured."""

    uses: int
    first_s: float = 0.0
    """Rating each use and deciding its charge."""
    anew_s: float = 0.0
    """Reading all uses from the details and rating them anew."""
    differences: int = 0
    share: float = 0.0
    """Of uses that the row engine rated."""
    gathered_s: float = 0.0
    """Rows into the folder, synced."""
    written_s: float = 0.0
    """The same columns by polars alone."""
    page_s: float = 0.0


def sample_timeline() -> Timeline:
    """Give the sample catalogues of one region."""
    refs = [CatalogueRef(one.domain, one.version, 0, pack(one)) for one in read_folder(ROOT / "catalogues").catalogues]
    return Timeline.build(refs, "GD", ZONE)


def measure(uses: int, home: Path) -> RatedTwice:
    """Charge so many uses, gather them, and rate them anew, slot by slot: no more of them is in memory."""
    timeline, found = sample_timeline(), RatedTwice(0)
    restater = Restater(timeline.plan_at, ColumnRater(timeline.plan_at))
    store = DetailStore(home)
    for slot in range(-(-uses // SLOT_USES)):
        accounts = max(1, min(SLOT_USES, uses - slot * SLOT_USES) // USES)
        states: dict[str, tuple[Account, Contract]] = {}
        rows = _charged(timeline, slot, accounts, states, found)
        _gathered(store, slot, rows, found)
        _rate_anew(store, slot, states, restater, found)
    names = list(states)
    began = time.perf_counter()
    for number in range(PAGES):
        store.page(DetailAsk(names[number % len(names)]), PAGE)
    found.page_s = (time.perf_counter() - began) / PAGES
    found.share = restater.ways.share
    store.close()
    return found


def _charged(
    timeline: Timeline, slot: int, accounts: int, states: dict[str, tuple[Account, Contract]], found: RatedTwice
) -> list[StoredUsage]:
    """Charge the accounts of a slot; time the rating and the deciding alone."""
    rows: list[StoredUsage] = []
    for number in range(accounts):
        account, contract = _subscriber(slot, number)
        began = time.process_time()
        entries: list[Entry] = []
        for place in range(USES):
            usage = _usage(contract.identity, place)
            charge = seal(rate(timeline.plan_at(usage.start_ms), usage, contract, account))
            event = PostCharge(usage, charge, account.version, account.mark).charged(account, usage.start_ms)
            account = event.apply(account)
            entries.append(_entry(account, usage, event, place))
        found.first_s += time.process_time() - began
        found.uses += USES
        states[account.account_id] = (account, contract)
        rows += [row for place, entry in enumerate(entries) for row in rows_of(number * USES + place, [(0, entry)])]
    return rows


def _gathered(store: DetailStore, slot: int, rows: list[StoredUsage], found: RatedTwice) -> None:
    began = time.perf_counter()
    store.take(f"GD/{slot}", ZONE, rows, len(rows))
    found.gathered_s += time.perf_counter() - began
    frame = frame_of(rows)
    began = time.perf_counter()
    frame.write_parquet(BytesIO(), compression="zstd")
    found.written_s += time.perf_counter() - began


def _rate_anew(
    store: DetailStore,
    slot: int,
    states: dict[str, tuple[Account, Contract]],
    restater: Restater,
    found: RatedTwice,
) -> None:
    began = time.process_time()
    by_account: dict[str, list[StoredUsage]] = {}
    for row in rows_in(store.frame(f"GD/{slot}").drop("slot", "day").collect()):
        by_account.setdefault(row.account_id, []).append(row)
    asked = [
        Anew(account, {contract.identity: contract}, past_uses(by_account[name], account), ())
        for name, (account, contract) in states.items()
    ]
    found.differences += sum(result.changes for result in restater.restate(asked))
    found.anew_s += time.process_time() - began


def _subscriber(slot: int, number: int) -> tuple[Account, Contract]:
    identity = f"msisdn:86138{slot:04d}{number:04d}"
    name = f"GD/{slot}:{identity}"
    account = an_account(
        name, 1, "GD", members=(identity,), books=(Book("main", "money", 0),), credit_limit=10**15, zone=ZONE,
        currency="CNY",
    )  # fmt: skip
    return account, Contract(identity, name, "GD", subscriptions=(Subscription(OFFERING),))


def _usage(identity: str, place: int) -> Usage:
    start_ms = BEGIN_MS + place * (28 * 86_400_000 // USES)
    if place % 3 == 0:
        return Usage(identity, "data", start_ms, 3_000_000 + place)
    return Usage(identity, "voice", start_ms, 61 + place % 500, "msisdn:8613912345678")


def _entry(account: Account, usage: Usage, event: object, place: int) -> Entry:
    key = f"k-{place}"
    return Entry(
        account.account_id, key, b"", place, -1, usage.start_ms, "c", usage.identity, "", "front",
        (event,), msgspec.Raw(b"\xc0"),  # type: ignore[arg-type]
    )  # fmt: skip


def rerating(bench: Bench) -> None:
    """Add the rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(bench.scale.rerated, Path(folder))
    row = Row("details: rated usage gathered", f"{found.uses / found.gathered_s:,.0f} rows/s")
    row.limit = f"polars writes them in {found.written_s * 1e3:,.0f} ms"
    row.ratio = f"{found.written_s / found.gathered_s:.0%}"
    bench.add(row)
    page = f"details: page of {PAGE} of a subscriber's month"
    bench.add(Row(page, f"{found.page_s * 1e3:.1f} ms", how="one thread, files in the page cache"))
    row = Row("a cycle rated anew, no difference", f"{found.uses / found.anew_s:,.0f} uses/s a core")
    row.limit = f"first rating {found.uses / found.first_s:,.0f}/s"
    row.ratio = f"{found.anew_s / found.first_s:.2f} times its time"
    row.how = f"{found.uses:,} uses, {found.differences} accounts that differ; {found.share:.1%} by the row engine; CPU"
    ratio = found.anew_s / found.first_s
    bench.add(row, Aim("≤ 1.5 times", 1.5, at_least=False), ratio)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uses", type=int, default=90_000)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(parser.parse_args().uses, Path(folder))
    print(found)


if __name__ == "__main__":
    main()
