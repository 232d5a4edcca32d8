"""Rating usage from a CSV file with no server: each line becomes a charge or a refusal with its reason.

Columns that must be there: identity, domain, offerings (";" between them), service, start (ISO 8601 or milliseconds
UTC), quantity. Where they matter: account, other_party, visited, family (";" between numbers), agreements,
account_agreements, cycle_day, payment_mode, customer_id; and attributes, one a column: `usage.direction`,
`subscriber.grade`, `account.segment`, `customer.industry`. Other columns are handed on to the output.

Accumulators and allowances run on from line to line, per account, in the order of the file; nothing of them is
forgotten, so that lines may come in any order of their times. Bare numbers are those of the nation's `country`, times
without an offset those of its `time_zone`; a nation that names none is read as the sample country.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from authoring.publication import effective_from_ms, zone_of
from authoring.usage_lines import UsageLine
from charging.base.account import MAIN_BOOK, MONEY, NOTHING_OPEN, Account, Book, Terms
from charging.base.bounds import ATTRIBUTE_CHARS_MAX, CYCLE_DAY_MAX, ID_CHARS_MAX
from charging.base.buckets import EMPTY
from charging.base.contract import Contract, Subscription
from charging.base.fields import PAYMENT_MODE
from charging.base.identity import normalise
from charging.base.names import is_code, is_place, is_service
from charging.base.party import party
from charging.base.usage import Charge, Usage
from charging.catalogue.document import Catalogue, pack
from charging.errors import Fault, Invalid
from charging.ledger.accruals import added
from charging.ledger.command import Command
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.ledger import decide, seal
from charging.plans.plan import Plan
from charging.plans.timeline import Timeline
from charging.rating.rating import rate
from charging.rating.selling import check_agreements, check_offerings
from charging.wire import CatalogueRef
from country.domains import COUNTRY

REQUIRED = ("identity", "domain", "offerings", "service", "start", "quantity")
OPTIONAL = (
    "account", "other_party", "visited", "family", "agreements", "account_agreements", "cycle_day", "payment_mode",
    "customer_id",
)  # fmt: skip
ATTRIBUTES = ("usage", "subscriber", "account", "customer")
UNLIMITED = 10**18
"""Credit of offline accounts, micro-units: prices are asked here, not funds."""
DIGITS_MAX = 18
"""Of a number in a column."""
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


class OfflineRater:
    """Rates line after line; keeps the accumulators of each account between them."""

    def __init__(self, catalogues: Sequence[Catalogue]) -> None:
        zone = zone_of(catalogues)
        self._country = next((one.country for one in catalogues if one.country and not one.domain), COUNTRY)
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
        contract = self._contract(row, usage.identity)
        plan = self._timeline(contract.domain).plan_at(usage.start_ms)
        account = self._account(row, contract, plan.currency)
        self._check_sold(plan, contract, account, usage.start_ms)
        charge = rate(plan, usage, contract, account)
        self._count += 1
        action = PostCharge(usage, seal(charge), account.version)
        command = Command(
            account.account_id, f"line-{self._count}", b"", "", "offline", usage.start_ms, action
        )  # fmt: skip
        after = decide(account, command, usage.start_ms).account
        # The owner forgets counters that no usage may reach any more; here every line may still come.
        kept = added(account.accumulators, charge.accruals)
        self._accounts[contract.domain, account.account_id] = replace(after, accumulators=kept)
        self.domains.add(contract.domain)
        return charge

    def _timeline(self, domain: str) -> Timeline:
        if domain not in self._timelines:
            self._timelines[domain] = Timeline.build(self._references, domain, self._zone.key)
        return self._timelines[domain]

    def _check_sold(self, plan: Plan, contract: Contract, account: Account, start_ms: int) -> None:
        """Refuse offerings and agreements that the catalogue does not know: a slip would change the price silently."""
        offerings = tuple(held.offering for held in contract.subscriptions)
        key = (id(plan), offerings, contract.agreements, account.terms.agreements)
        if key in self._sold:
            return
        check_offerings(plan, contract, start_ms)
        check_agreements(plan, contract.agreements, "subscriber", "agreements")
        check_agreements(plan, account.terms.agreements, "account", "account_agreements")
        self._sold.add(key)

    def _account(self, row: Row, contract: Contract, currency: str) -> Account:
        cycle_day = _cycle_day(row.get("cycle_day") or "")
        account = self._accounts.get((contract.domain, contract.account_id))
        if account is None:
            terms = Terms(contract.domain, currency=currency, credit_limit=UNLIMITED, cycle_day=cycle_day or 1)
            books = (Book(MAIN_BOOK, MONEY, 0),)
            account = Account(contract.account_id, 1, 0, 0, "", (), books, {}, terms, NOTHING_OPEN, EMPTY)
        elif cycle_day not in (0, account.terms.cycle_day):
            raise Invalid(
                "CYCLE_DAY_CHANGED",
                f"the account's cycle begins on day {account.terms.cycle_day} in a line before this one",
            )
        if contract.identity not in account.members:
            account = replace(account, members=(*account.members, contract.identity))
        return replace(account, customer_id=row.get("customer_id") or "").with_terms(
            payment_mode=_payment_mode(row.get("payment_mode") or "postpaid"),
            attributes=_attributes(row, "account"),
            customer_attributes=_attributes(row, "customer"),
            agreements=_list(row, "account_agreements"),
        )

    def _contract(self, row: Row, identity: str) -> Contract:
        subscriptions = tuple(Subscription(name) for name in _list(row, "offerings"))
        if not subscriptions:
            raise Invalid("OFFERINGS_MISSING", "no offering is named: write one or several, ';' between them")
        if is_code(row["domain"]) is None:
            text = "write the code of the subscriber's region"
            raise Invalid("REGION_UNKNOWN", f"domain {row['domain'][:40]!r} names no region: {text}")
        family = tuple(normalise(number, self._country) for number in _list(row, "family"))
        return Contract(
            identity,
            row.get("account") or identity,
            row["domain"],
            subscriptions=subscriptions,
            attributes=_attributes(row, "subscriber"),
            groups={"family": family} if family else {},
            agreements=_list(row, "agreements"),
        )

    def _usage(self, row: Row) -> Usage:
        text = row["quantity"].strip()
        quantity = _whole(text)
        if quantity is None:
            raise Invalid("QUANTITY_INVALID", f"quantity {text[:40]!r} is no whole number from 0 on that is believable")
        service, visited = row["service"], row.get("visited") or ""
        if is_service(service) is None:
            raise Invalid("SERVICE_UNKNOWN", f"{service[:40]!r} is no service code: write one of the catalogue")
        if visited and is_place(visited) is None:
            raise Invalid("REGION_UNKNOWN", f"visited {visited[:40]!r} is no code of a region or a network abroad")
        other = party(row["other_party"], self._country) if row.get("other_party") else ""
        return Usage(
            normalise(row["identity"], self._country),
            service,
            self._start_ms(row["start"].strip()),
            quantity,
            other,
            visited,
            _attributes(row, "usage"),
        )

    def _start_ms(self, text: str) -> int:
        start_ms = _whole(text)
        if start_ms is None:
            try:
                moment = datetime.fromisoformat(text)
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=self._zone)
                start_ms = (moment - EPOCH) // timedelta(milliseconds=1)
            except (ValueError, OverflowError):
                raise Invalid(
                    "EVENT_TIME_INVALID", f"start {text[:40]!r} is no time: write 2026-01-31T08:00:00"
                ) from None
        if not FIRST_MS <= start_ms < LAST_MS:
            raise Invalid("EVENT_TIME_INVALID", f"start {text[:40]!r} is not between 1990 and 2100")
        return start_ms


def _list(row: Row, column: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in (row.get(column) or "").split(";") if part.strip())
    if any(len(part) > ID_CHARS_MAX for part in found):
        raise Invalid("NAME_MALFORMED", f"{column}: each part has at most {ID_CHARS_MAX} characters")
    return found


def _attributes(row: Row, owner: str) -> dict[str, str]:
    head = f"{owner}."
    for name, value in row.items():
        if name.startswith(head) and max(len(name) - len(head), len(value)) > ATTRIBUTE_CHARS_MAX:
            text = f"names and values have at most {ATTRIBUTE_CHARS_MAX} characters"
            raise Invalid("ATTRIBUTE_TOO_LONG", f"attribute {name[:40]!r}: {text}")
    return {name[len(head) :]: value for name, value in row.items() if value and name.startswith(head)}


def _whole(text: str) -> int | None:
    """Give a whole number from 0 on; None for anything else, and for one so long that it means nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else None


def _cycle_day(text: str) -> int:
    """Give the day of the month on which the cycle begins; 0 = not said."""
    day = _whole(text or "0")
    if day is None or (text and not 1 <= day <= CYCLE_DAY_MAX):
        raise Invalid(
            "CYCLE_DAY_OUT_OF_RANGE",
            f"cycle_day {text[:40]!r} is no day on which a cycle begins: write 1 to {CYCLE_DAY_MAX}",
        )
    return day


def _payment_mode(text: str) -> str:
    if text not in PAYMENT_MODE.words:
        raise Invalid("PAYMENT_MODE_UNKNOWN", f"payment_mode {text[:40]!r} is neither prepaid nor postpaid")
    return text


def unused(names: Sequence[str]) -> list[str]:
    """Give the columns that rating does not look at, in their order."""
    known = {*REQUIRED, *OPTIONAL}
    return [name for name in names if name not in known and name.partition(".")[0] not in ATTRIBUTES]


def rate_lines(rater: OfflineRater, names: Sequence[str], lines: Iterable[UsageLine]) -> Iterator[Rated | Refusal]:
    """Rate the lines of a file, in order, one after the other; what is wrong with one never ends the others.

    Each line gives one result. State runs on: what a line uses of allowances and caps, the next one finds used.
    """
    for line in lines:
        try:
            if line.fault is not None:
                raise line.fault
            if len(line.cells) != len(names):
                wanted = f"the line has not the header's {len(names)} columns: mend its commas"
                raise Invalid("LINE_MALFORMED", wanted)
            row = dict(zip(names, line.cells, strict=True))
            yield Rated(row, rater.rate(row))
        except Fault as fault:
            nearest = "; ".join(f"{name}={value}" for name, value in fault.facts.items())
            yield Refusal(line.number, fault.reason, fault.message, nearest)
