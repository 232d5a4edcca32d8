"""Rating usage from a CSV file with no server: each line becomes a charge or a refusal with its reason.

Columns that must be there: identity, domain, offerings (";" between them), service, start (ISO 8601 or milliseconds
UTC), quantity. Where they matter: account, other_party, visited, family (";" between numbers), agreements,
account_agreements, cycle_day, payment_mode, customer_id; and attributes, one a column: `usage.direction`,
`subscriber.grade`, `account.segment`, `customer.industry`. Other columns are handed on to the output.

Accumulators and allowances run on from line to line, per account, in the order of the file.
"""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TextIO
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from charging.account import MAIN_BOOK, MONEY, Account, Book
from charging.catalogue import Catalogue, pack
from charging.commands import Command, PostCharge
from charging.contract import Contract, Subscription
from charging.errors import Fault, Invalid
from charging.identity import normalise
from charging.ledger import decide, seal
from charging.party import party
from charging.plan import Plan
from charging.rating import rate
from charging.selling import check_agreements, check_offerings
from charging.timeline import Timeline
from charging.usage import Charge, Usage
from charging.wire import CatalogueRef
from console.catalog import NATIONAL_ZONE, effective_from_ms

REQUIRED = ("identity", "domain", "offerings", "service", "start", "quantity")
OPTIONAL = (
    "account", "other_party", "visited", "family", "agreements", "account_agreements", "cycle_day", "payment_mode",
    "customer_id",
)  # fmt: skip
ATTRIBUTES = ("usage", "subscriber", "account", "customer")
UNLIMITED = 10**18
"""Credit of offline accounts, micro-units: prices are asked here, not funds."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MS = (datetime(1990, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
LAST_MS = (datetime(2100, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
"""What the tables of time zones reach."""

Row = dict[str, str]


class Rated(Struct, frozen=True):
    """One line that has a price."""

    row: Row
    charge: Charge


class Refusal(Struct, frozen=True):
    """One line that has none."""

    line: int
    reason: str
    message: str
    nearest: str
    row: Row


class OfflineRater:
    """Rates line after line; keeps the accumulators of each account between them."""

    def __init__(self, catalogues: Sequence[Catalogue], zone: str = NATIONAL_ZONE) -> None:
        self._zone = ZoneInfo(zone)
        self._references = [CatalogueRef(c.domain, c.version, effective_from_ms(c, zone), pack(c)) for c in catalogues]
        self._timelines: dict[str, Timeline] = {}
        self._accounts: dict[tuple[str, str], Account] = {}
        self._sold: set[tuple[int, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = set()
        self._count = 0
        self.regional = frozenset(catalogue.domain for catalogue in catalogues if catalogue.domain)
        self.domains: set[str] = set()
        """Those that lines named so far."""

    def rate(self, row: Row) -> Charge:
        """Rate one line. Raises a `Fault` with a reason when it can't be read or nothing prices it."""
        usage = self._usage(row)
        contract = _contract(row, usage.identity)
        account = self._account(row, contract)
        plan = self._timeline(contract.domain).plan_at(usage.start_ms)
        self._check_sold(plan, contract, account, usage.start_ms)
        charge = rate(plan, usage, contract, account)
        self._count += 1
        action = PostCharge(usage, seal(charge), account.version)
        command = Command(
            account.account_id, f"line-{self._count}", b"", "", "offline", usage.start_ms, action
        )  # fmt: skip
        self._accounts[contract.domain, account.account_id] = decide(account, command, usage.start_ms).account
        self.domains.add(contract.domain)
        return charge

    def _timeline(self, domain: str) -> Timeline:
        if domain not in self._timelines:
            self._timelines[domain] = Timeline.build(self._references, domain, self._zone.key)
        return self._timelines[domain]

    def _check_sold(self, plan: Plan, contract: Contract, account: Account, start_ms: int) -> None:
        """Refuse offerings and agreements that the catalogue does not know: a slip would change the price silently."""
        offerings = tuple(held.offering for held in contract.subscriptions)
        key = (id(plan), offerings, contract.agreements, account.agreements)
        if key in self._sold:
            return
        check_offerings(plan, contract, start_ms)
        check_agreements(plan, contract.agreements, "subscriber", "agreements")
        check_agreements(plan, account.agreements, "account", "account_agreements")
        self._sold.add(key)

    def _account(self, row: Row, contract: Contract) -> Account:
        account = self._accounts.get((contract.domain, contract.account_id))
        if account is None:
            account = Account(
                contract.account_id,
                1,
                contract.domain,
                payment_mode=row.get("payment_mode") or "postpaid",
                credit_limit=UNLIMITED,
                cycle_day=_cycle_day(row.get("cycle_day") or "1"),
                books=(Book(MAIN_BOOK, MONEY, 0),),
            )
        if contract.identity not in account.members:
            account = replace(account, members=(*account.members, contract.identity))
        return replace(
            account,
            attributes=_attributes(row, "account"),
            customer_id=row.get("customer_id") or "",
            customer_attributes=_attributes(row, "customer"),
            agreements=_list(row, "account_agreements"),
        )

    def _usage(self, row: Row) -> Usage:
        text = row["quantity"].strip()
        if not (text.isascii() and text.isdigit()):
            raise Invalid("QUANTITY_INVALID", f"quantity {text[:40]!r} is no whole number from 0 on")
        other = party(row["other_party"]) if row.get("other_party") else ""
        return Usage(
            normalise(row["identity"]),
            row["service"],
            self._start_ms(row["start"].strip()),
            int(text),
            other,
            row.get("visited") or "",
            _attributes(row, "usage"),
        )

    def _start_ms(self, text: str) -> int:
        if text.isascii() and text.isdigit():
            start_ms = int(text)
        else:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                raise Invalid(
                    "EVENT_TIME_MALFORMED", f"start {text[:40]!r} is no time: write 2026-01-31T08:00:00"
                ) from None
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self._zone)
            start_ms = (moment - EPOCH) // timedelta(milliseconds=1)
        if not FIRST_MS <= start_ms < LAST_MS:
            raise Invalid("EVENT_TIME_MALFORMED", f"start {text[:40]!r} is not between 1990 and 2100")
        return start_ms


def _contract(row: Row, identity: str) -> Contract:
    subscriptions = tuple(Subscription(name) for name in _list(row, "offerings"))
    if not subscriptions:
        raise Invalid("OFFERINGS_MISSING", "no offering is named: write one or several, ';' between them")
    if not row["domain"]:
        raise Invalid("REGION_UNKNOWN", "no domain is named: write the code of the subscriber's region")
    family = tuple(normalise(number) for number in _list(row, "family"))
    return Contract(
        identity,
        row.get("account") or identity,
        row["domain"],
        subscriptions=subscriptions,
        attributes=_attributes(row, "subscriber"),
        groups={"family": family} if family else {},
        agreements=_list(row, "agreements"),
    )


def _list(row: Row, column: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in (row.get(column) or "").split(";") if part.strip())


def _attributes(row: Row, owner: str) -> dict[str, str]:
    head = f"{owner}."
    return {name[len(head) :]: value for name, value in row.items() if value and name.startswith(head)}


def _cycle_day(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 28):
        raise Invalid("CYCLE_DAY_INVALID", f"cycle_day {text[:40]!r} is no day on which a cycle begins: write 1 to 28")
    return int(text)


def columns(lines: TextIO) -> tuple["csv.DictReader[str]", list[str]]:
    """Open a usage file: the reader, and the columns that rating does not look at.

    Raises `Invalid` when a required column is missing or one is there twice.
    """
    reader = csv.DictReader(lines)
    names = list(reader.fieldnames or ())
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise Invalid("COLUMN_MISSING", f"the usage file has no column {', '.join(missing)}: put them in its header")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid("COLUMN_DOUBLED", f"the usage file has column {', '.join(twice)} twice: keep one in its header")
    known = {*REQUIRED, *OPTIONAL}
    return reader, [name for name in names if name not in known and name.partition(".")[0] not in ATTRIBUTES]


def rate_lines(rater: OfflineRater, reader: "csv.DictReader[str]") -> Iterator[Rated | Refusal]:
    """Rate a CSV file line by line."""
    width = len(reader.fieldnames or ())
    while True:
        row: Row = {}
        try:
            row = next(reader)
            if None in row or None in row.values():
                raise Invalid("LINE_MALFORMED", f"the line has not the header's {width} columns: mend its commas")
            "".join(row.values()).encode()
            yield Rated(row, rater.rate(row))
        except StopIteration:
            return
        except csv.Error as error:
            yield Refusal(reader.reader.line_num, "LINE_MALFORMED", f"the line is no CSV: {error}", "", row)
        except UnicodeEncodeError:
            # What is no UTF-8 was read as surrogates.
            message = "the line holds bytes that are no UTF-8 text: mend its encoding"
            yield Refusal(reader.line_num, "LINE_MALFORMED", message, "", row)
        except Fault as fault:
            nearest = "; ".join(f"{name}={value}" for name, value in fault.facts.items())
            yield Refusal(reader.line_num, fault.reason, fault.message, nearest, row)
