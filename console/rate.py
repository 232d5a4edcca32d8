"""`onetier rate`: rate a file of usage offline, with no server, by the catalogues of a folder.

The usage file is CSV with a header: identity, domain, offerings (";" between them), service, start (ISO 8601 or
milliseconds UTC), quantity; and, where they matter, account, other_party, visited, family (";" between numbers),
agreements. Accumulators and allowances run on from line to line, per account, in the order of the file.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, TextIO
from zoneinfo import ZoneInfo

import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn

from charging.account import MAIN_BOOK, MONEY, Account, Book
from charging.catalogue import Catalogue, pack
from charging.commands import Command, PostCharge
from charging.contract import Contract, Subscription
from charging.errors import Fault, Invalid
from charging.explain import sentence
from charging.identity import normalise
from charging.ledger import decide, seal
from charging.money import show
from charging.party import party
from charging.rating import rate
from charging.timeline import Timeline
from charging.usage import Charge, Usage
from charging.wire import CatalogueRef
from console.catalog import NATIONAL_ZONE, checked, effective_from_ms

REQUIRED = ("identity", "domain", "offerings", "service", "start", "quantity")
UNLIMITED = 10**18
"""Credit of offline accounts, micro-units: prices are asked here, not funds."""
SHOW_EVERY = 1_000
out = Console(highlight=False)
app = typer.Typer()


class Rated(Struct, frozen=True):
    """One line that has a price."""

    row: dict[str, str]
    charge: Charge


class Refusal(Struct, frozen=True):
    """One line that has none."""

    line: int
    reason: str
    message: str
    nearest: str
    row: dict[str, str]


class OfflineRater:
    """Rates line after line; keeps the accumulators of each account between them."""

    def __init__(self, catalogues: list[Catalogue], zone: str = NATIONAL_ZONE) -> None:
        self._zone = zone
        self._references = [CatalogueRef(c.domain, c.version, effective_from_ms(c, zone), pack(c)) for c in catalogues]
        self._timelines: dict[str, Timeline] = {}
        self._accounts: dict[str, Account] = {}
        self._count = 0

    def rate(self, row: dict[str, str]) -> Charge:
        """Rate one line. Raises a `Fault` with a reason when it can't be read or nothing prices it."""
        usage = self._usage(row)
        contract = self._contract(row, usage.identity)
        account = self._account(contract)
        charge = rate(self._timeline(contract.domain).plan_at(usage.start_ms), usage, contract, account)
        self._count += 1
        command = Command(
            account.account_id,
            f"line-{self._count}",
            b"",
            "",
            "offline",
            usage.start_ms,
            PostCharge(usage, seal(charge), account.version),
        )
        self._accounts[account.account_id] = decide(account, command, usage.start_ms).account
        return charge

    def _timeline(self, domain: str) -> Timeline:
        if domain not in self._timelines:
            mine = [reference for reference in self._references if reference.domain in ("", domain)]
            self._timelines[domain] = Timeline.build(mine, domain, self._zone)
        return self._timelines[domain]

    def _account(self, contract: Contract) -> Account:
        account = self._accounts.get(contract.account_id)
        if account is None:
            account = Account(contract.account_id, 1, contract.domain, payment_mode="postpaid", credit_limit=UNLIMITED)
            account = replace(account, books=(Book(MAIN_BOOK, MONEY, 0),))
        if contract.identity not in account.members:
            account = replace(account, members=(*account.members, contract.identity))
        return account

    def _contract(self, row: dict[str, str], identity: str) -> Contract:
        subscriptions = tuple(Subscription(name) for name in _list(row, "offerings"))
        if not subscriptions:
            raise Invalid("OFFERINGS_MISSING", "no offering is named: write one or several, ';' between them")
        family = tuple(normalise(number) for number in _list(row, "family"))
        return Contract(
            identity,
            row.get("account") or identity,
            row["domain"],
            subscriptions=subscriptions,
            groups={"family": family} if family else {},
            agreements=tuple(_list(row, "agreements")),
        )

    def _usage(self, row: dict[str, str]) -> Usage:
        try:
            quantity = int(row["quantity"])
        except ValueError:
            raise Invalid("QUANTITY_INVALID", f"quantity {row['quantity']!r} is no whole number") from None
        if quantity < 0:
            raise Invalid("QUANTITY_INVALID", f"quantity {quantity} is negative")
        other = party(row["other_party"]) if row.get("other_party") else ""
        return Usage(
            normalise(row["identity"]), row["service"], self._start_ms(row["start"]), quantity, other,
            row.get("visited") or "",
        )  # fmt: skip

    def _start_ms(self, text: str) -> int:
        if text.isdigit():
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Invalid("EVENT_TIME_MALFORMED", f"start {text!r} is no time: write 2026-01-31T08:00:00") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self._zone))
        return int(moment.timestamp() * 1000)


def _list(row: dict[str, str], column: str) -> list[str]:
    return [part.strip() for part in (row.get(column) or "").split(";") if part.strip()]


def rate_lines(rater: OfflineRater, lines: TextIO) -> Iterator[Rated | Refusal]:
    """Rate a CSV file line by line. Raises `Invalid` when a required column is missing."""
    reader = csv.DictReader(lines, restval="")
    missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
    if missing:
        raise Invalid("COLUMN_MISSING", f"the usage file has no column {', '.join(missing)}: put them in its header")
    for row in reader:
        row.pop(None, None)  # cells beyond the header
        try:
            yield Rated(row, rater.rate(row))
        except Fault as fault:
            nearest = "; ".join(f"{name}={value}" for name, value in fault.facts.items())
            yield Refusal(reader.line_num, fault.reason, fault.message, nearest, row)


@app.command("rate")
def rate_command(
    catalog: Annotated[Path, typer.Option(help="Folder of catalogue files.", exists=True)],
    usage: Annotated[Path, typer.Option(help="CSV of usage.", exists=True, dir_okay=False)],
    out_file: Annotated[Path, typer.Option("--out", help="CSV to write: the lines with their charges.")],
) -> None:
    """Rate a usage file offline; lines without a price go to a side file with their reason."""
    rater = OfflineRater(checked(catalog).catalogues)
    total = usage.stat().st_size
    errors = out_file.with_name(out_file.stem + ".errors.csv")
    counts, amount = {"rated": 0, "refused": 0}, 0
    with (
        usage.open("rb") as raw,
        TextIOWrapper(raw, encoding="utf-8", newline="") as lines,
        out_file.open("w", newline="", encoding="utf-8") as good,
        errors.open("w", newline="", encoding="utf-8") as bad,
        Progress(*Progress.get_default_columns()[:1], BarColumn(), DownloadColumn(), TimeElapsedColumn()) as bar,
    ):
        task = bar.add_task("rating", total=total)
        good_lines, bad_lines = csv.writer(good), csv.writer(bad)
        bad_lines.writerow(("line", "reason", "message", "nearest"))
        try:
            for number, result in enumerate(rate_lines(rater, lines)):
                if isinstance(result, Rated):
                    if counts["rated"] == 0:
                        good_lines.writerow((*result.row, "amount", "currency", "catalogue", "steps"))
                    counts["rated"] += 1
                    amount += result.charge.amount
                    good_lines.writerow((*result.row.values(), *_cells(result.charge)))
                else:
                    counts["refused"] += 1
                    bad_lines.writerow((result.line, result.reason, result.message, result.nearest))
                if number % SHOW_EVERY == 0:
                    bar.update(task, completed=raw.tell())
        except Invalid as fault:
            bar.stop()
            out.print(f"{usage}: {fault.message}", markup=False)
            raise typer.Exit(1) from fault
        bar.update(task, completed=total)
    out.print(f"rated {counts['rated']} lines, {show(amount)} in all → {out_file}")
    out.print(f"refused {counts['refused']} lines → {errors}")


def _cells(charge: Charge) -> tuple[str, str, str, str]:
    steps = " | ".join(sentence(step) for step in charge.steps)
    return show(charge.amount), charge.currency, str(charge.catalogue), steps
