"""Rating by columns beside the row engine: a class that is all columns', and a month of the sample country.

python -m bench.columns [--uses N]
"""

import argparse
import gc
import time
from collections import Counter
from collections.abc import Mapping

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from authoring.files import read_folder
from bench.rerating import BEGIN_MS, ROOT, ZONE
from bench.table import Aim, Bench, Row
from charging.base.account import MONEY, Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.usage import Usage
from charging.catalogue.document import from_plain, pack
from charging.catalogue.published import CatalogueRef
from charging.plans.timeline import Timeline
from charging.rating.rating import Unrated, rate_sum
from country.number_plan import read
from country.offers import FAMILY_GROUP
from country.population import SampleAccount, populate
from country.traffic import DAY_MS, draw, records
from mediation.columns.chunk import USES, AccountState
from mediation.columns.rater import ColumnRater
from testkit.ledger import an_account

DAYS = 28
REGIONS = ("BJ", "GD", "SC", "SD", "ZJ")
"""A quarter of the people: prices, steps, shares and discounts of their own, and the capital."""
USES_EACH = 300
"""Of one subscriber in the month."""
States = Mapping[str, AccountState]


class Month(Struct):
    """Usage of one region."""

    timeline: Timeline
    frame: pl.DataFrame
    states: dict[str, AccountState]


class Measured(Struct):
    """What both engines took for the same uses, seconds of CPU."""

    uses: int = 0
    columns_s: float = 0.0
    rows_s: float = 0.0
    row_uses: int = 0
    """Uses that the row engine was timed on."""
    left: Counter[str] = Counter()
    """Uses that columns left to the row engine, by reason; its time for them is in `columns_s`."""

    @property
    def per_s(self) -> float:
        """Uses a second by columns."""
        return self.uses / self.columns_s

    @property
    def rows_per_s(self) -> float:
        """Uses a second by the row engine."""
        return self.row_uses / self.rows_s


def vector_class(uses: int) -> Month:
    """Make a month in which all have one price by the minute, and one allowance."""
    catalogue = from_plain(
        {
            "catalogue": "one price",
            "version": "1",
            "currency": "CNY",
            "services": [{"id": "voice", "unit": "second"}],
            "tariffs": [
                {"id": "v", "service": "voice", "prices": [{"id": "p", "rates": [{"price": "0.2", "per": "60"}]}]}
            ],
            "allowances": [{"id": "minutes", "unit": "second", "quota": "200 min", "increment": "60"}],
            "offerings": [{"id": "plan", "tariffs": ["v"], "allowances": ["minutes"]}],
        }
    )
    timeline = Timeline.build([CatalogueRef("", 1, 0, pack(catalogue))], "GD", ZONE)
    rng = np.random.default_rng(7)
    count = max(1, uses // USES_EACH)
    identities = [f"msisdn:86138{number:08d}" for number in range(count)]
    states = {}
    for identity in identities:
        contract = Contract(identity, identity, "GD", subscriptions=(Subscription("plan"),))
        states[identity] = AccountState(_account(identity, "GD", (identity,), 1), {identity: contract})
    moments = np.sort(rng.integers(0, DAYS * DAY_MS, (count, USES_EACH)), axis=1).reshape(-1) + BEGIN_MS
    seconds = np.clip(rng.lognormal(4.0, 1.2, count * USES_EACH), 1, 14_400).astype(np.int64)
    parties = [f"msisdn:86139{number:08d}" for number in rng.integers(0, 10**8, count * USES_EACH).tolist()]
    whose = np.repeat(np.array(identities, dtype=object), USES_EACH).tolist()
    rows = len(whose)
    columns: dict[str, object] = {
        "account": whose, "identity": whose, "service": ["voice"] * rows, "start_ms": moments, "quantity": seconds,
        "other_party": parties, "visited": [""] * rows, "attributes": [""] * rows,
    }  # fmt: skip
    return Month(timeline, pl.DataFrame(columns, schema=USES), states)


def sample_country(uses: int) -> list[Month]:
    """Make a month of some regions of the sample country, in which so much is used."""
    people = populate(read(), max(310, uses // USES_EACH * 4), 11, BEGIN_MS)
    accounts = [account for account in people.accounts if account.domain in REGIONS]
    subscribers, rng = [member for account in accounts for member in account.members], np.random.default_rng(11)
    by_member = {member.identity: account for account in accounts for member in account.members}
    rows: dict[str, list[tuple[str, str, str, int, int, str, str, str]]] = {}
    for day in range(DAYS):
        events = draw(subscribers, uses // DAYS, rng, BEGIN_MS + day * DAY_MS)
        for record in records(subscribers, events, rng, str(day)):
            account = by_member[record.identity]
            rows.setdefault(account.domain, []).append(
                (account.account_id, record.identity, record.service, record.event_time_ms, record.quantity,
                 record.other_party, record.visited_place, "")
            )  # fmt: skip
    catalogues = read_folder(ROOT / "catalogues").catalogues
    refs = [CatalogueRef(one.domain, one.version, 0, pack(one)) for one in catalogues]
    states: dict[str, dict[str, AccountState]] = {}
    for account in accounts:
        states.setdefault(account.domain, {})[account.account_id] = _state(account)
    months = []
    for domain, found in sorted(rows.items()):
        frame = pl.DataFrame(found, schema=USES, orient="row").sort("account", "start_ms", maintain_order=True)
        months.append(Month(Timeline.build(refs, domain, ZONE), frame, states[domain]))
    return months


def _state(sample: SampleAccount) -> AccountState:
    contracts = {
        member.identity: Contract(
            member.identity,
            sample.account_id,
            sample.domain,
            subscriptions=tuple(Subscription(name, member.valid_from_ms) for name in member.offerings),
            groups={FAMILY_GROUP: member.family} if member.family else {},
        )
        for member in sample.members
    }
    account = _account(sample.account_id, sample.domain, tuple(contracts), sample.cycle_day)
    terms = replace(
        account.terms,
        payment_mode=sample.payment_mode,
        agreements=sample.agreements,
        customer_attributes={"grade": sample.grade},
    )
    return AccountState(replace(account, terms=terms, customer_id=sample.customer_id), contracts)


def _account(name: str, domain: str, members: tuple[str, ...], cycle_day: int) -> Account:
    return an_account(
        name, 1, domain, members=members, books=(Book("main", MONEY, 0),), credit_limit=10**15, zone=ZONE,
        currency="CNY", cycle_day=cycle_day,
    )  # fmt: skip


def measure(months: list[Month], rows_max: int) -> Measured:
    """Rate all by columns, those that they leave by rows, and so many uses by rows alone; in turn, region by region."""
    found = Measured(left=Counter())
    gc.collect()
    gc.freeze()
    for month in months:
        rater = ColumnRater(month.timeline.plan_at)
        names = month.frame["account"].unique(maintain_order=True).to_list()
        # Other accounts first: what is learned of a catalogue serves all chunks of a job.
        learned, measured = _of_accounts(month.frame, names[::2]), _of_accounts(month.frame, names[1::2])
        rater.rate(learned, month.states)
        began = time.process_time()
        rated = rater.rate(measured, month.states)
        found.columns_s += time.process_time() - began
        left = _of_accounts(measured, list(rated.left))
        found.columns_s += _by_rows(month, left)
        found.uses += len(measured)
        for account, count in left.group_by("account").len().iter_rows():
            found.left[rated.left[account]] += count
        some = measured.head(rows_max // len(months))
        found.rows_s += _by_rows(month, some)
        found.row_uses += len(some)
    gc.unfreeze()
    return found


def _of_accounts(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    return frame.filter(pl.col("account").is_in(names))


def _by_rows(month: Month, frame: pl.DataFrame) -> float:
    """Rate uses one by one, each on what those before it left; give the seconds of it."""
    usages = [(row[0], Usage(*row[1:7])) for row in frame.iter_rows()]
    running: dict[str, Account] = {}
    began = time.process_time()
    for name, usage in usages:
        account = running.get(name)
        state = month.states[name]
        if account is None:
            account = running[name] = replace(state.account, accumulators=dict(state.account.accumulators))
        try:
            charge = rate_sum(month.timeline.plan_at(usage.start_ms), usage, state.contracts[usage.identity], account)
        except Unrated:
            continue
        counters = account.accumulators
        for key, added in charge.accruals:
            counters[key] = counters.get(key, 0) + added
    return time.process_time() - began


def rating_by_columns(bench: Bench) -> None:
    """Add the rows of the table."""
    uses = bench.scale.items * 10
    for name, months, ratio_aim in (
        ("vector class", [vector_class(uses)], 8.0),
        ("sample country's mix", sample_country(uses), 3.0),
    ):
        found = measure(months, max(len(months), uses // 5))
        ratio = found.per_s / found.rows_per_s
        row = Row(f"rating by columns, {name}", f"{found.per_s:,.0f} uses/s a core")
        row.limit = f"row engine {found.rows_per_s:,.0f}/s"
        row.ratio = f"{ratio:.1f} times"
        share = found.left.total() / found.uses
        row.how = f"{found.uses:,} uses, CPU of one process; {share:.1%} took the row engine"
        bench.add(row, Aim(f"≥ {ratio_aim:.0f} times", ratio_aim), ratio)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uses", type=int, default=300_000)
    uses = parser.parse_args().uses
    for name, months in (("vector class", [vector_class(uses)]), ("sample country", sample_country(uses))):
        found = measure(months, uses // 5)
        ratio = found.per_s / found.rows_per_s
        print(f"{name}: {found.per_s:,.0f}/s by columns, {found.rows_per_s:,.0f}/s by rows, {ratio:.1f} times")
        print(f"  {found.uses:,} uses; left to rows: {dict(found.left)}")


if __name__ == "__main__":
    main()
