"""What goes wrong in a real usage file, planted on purpose: duplicates and bad records, and how each must be refused.

`REASONS` names, for each kind of fault, the reasons (`ErrorInfo.reason`) by which the platform may refuse it. A
duplicate is no fault: it is answered with the first outcome. A line that is no record is refused by the reader.
"""

import random
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from country import offers, reference
from country.population import Subscriber
from country.usage_file import UsageRecord, row

DUPLICATE = "duplicate"
KEY_REUSED = "key-reused"
SUSPENDED = "account-suspended"
CALLED = "13800138000"
"""Whom the suspended call: without a number no price would hold, and that be the reason."""
LINE_QUANTITY, LINE_SHORT, LINE_KEYLESS = "line-quantity", "line-short", "line-keyless"
LINE_FAULTS = (LINE_QUANTITY, LINE_SHORT, LINE_KEYLESS)
YEAR_MS = 366 * 86_400_000
DUPLICATE_GAP_MAX = 5_000
"""How many lines later a duplicate comes at most; often it is the very next line."""
REUSE_GAP_MIN = 5_000
"""So far behind that the first use has been answered, as a rule; the sender waits where it has not."""

REASONS: dict[str, frozenset[str]] = {
    "identity-malformed": frozenset({"IDENTITY_MALFORMED"}),
    "identity-unknown": frozenset({"IDENTITY_UNKNOWN"}),
    "number-outside-plan": frozenset({"IDENTITY_UNROUTED"}),
    "service-unknown": frozenset({"SERVICE_UNKNOWN"}),
    "quantity-negative": frozenset({"QUANTITY_NEGATIVE"}),
    "quantity-absurd": frozenset({"QUANTITY_ABSURD"}),
    "time-future": frozenset({"EVENT_IN_FUTURE"}),
    "time-before-contract": frozenset({"EVENT_BEFORE_CONTRACT"}),
    "region-unknown": frozenset({"REGION_UNKNOWN"}),
    "channel-unknown": frozenset({"CHANNEL_UNKNOWN"}),
    "channel-closed": frozenset({"CHANNEL_CLOSED"}),
    "partner-missing": frozenset({"PARTNER_MISSING"}),
    "partner-unknown": frozenset({"PARTNER_UNKNOWN"}),
    "partner-inactive": frozenset({"PARTNER_INACTIVE"}),
    KEY_REUSED: frozenset({"REQUEST_KEY_REUSED"}),
    SUSPENDED: frozenset({"ACCOUNT_SUSPENDED"}),
}

HONEST_REFUSALS = frozenset({"INSUFFICIENT_FUNDS"})
"""What may happen to an honest record: the money has run out."""


class PlacedLine(Struct, frozen=True):
    """A line to write, and where in the order of the file it belongs."""

    position: int
    cells: tuple[str, ...]


def strangers(known: frozenset[str], prefixes: Sequence[str], chance: random.Random) -> Iterator[str]:
    """Give mobile identities within the plan that nobody has, without end; one may come twice."""
    while True:
        identity = f"msisdn:{chance.choice(prefixes)}{chance.randrange(10_000):04d}"
        if identity not in known:
            yield identity


def _misspelt(identity: str) -> str:
    # The letter O for the digit, as people do; a reader that drops it would charge somebody else.
    return f"{identity[:10]}O{identity[11:]}?"


class Planter:
    """Makes the lines that are wrong on purpose, out of honest records."""

    def __init__(
        self,
        honest: Sequence[UsageRecord],
        suspended: Sequence[Subscriber],
        stranger: Iterator[str],
        chance: random.Random,
    ) -> None:
        self._honest = honest
        self._suspended = suspended
        self._stranger = stranger
        self._chance = chance
        self._faults = self._plain_faults()

    def duplicates(self, count: int) -> Iterator[PlacedLine]:
        """Repeat `count` honest lines, exactly: half of them at once, the others some lines later."""
        for _ in range(count):
            index = self._chance.randrange(len(self._honest))
            gap = 1 if self._chance.random() < 0.5 else self._chance.randrange(1, DUPLICATE_GAP_MAX)
            yield PlacedLine(index + gap, row(replace(self._honest[index], planted=DUPLICATE)))

    def bad(self, count: int) -> Iterator[PlacedLine]:
        """Give `count` bad lines, of all kinds in turn; each names its kind in `planted`."""
        kinds = [*self._faults, KEY_REUSED, *LINE_FAULTS]
        if self._suspended:
            kinds.append(SUSPENDED)
        for number in range(count):
            yield self._bad(kinds[number % len(kinds)], number)

    def _bad(self, kind: str, number: int) -> PlacedLine:
        index = self._chance.randrange(len(self._honest))
        record = self._honest[index]
        if kind == KEY_REUSED:
            reused = replace(record, quantity=record.quantity + 1, planted=kind)
            return PlacedLine(index + REUSE_GAP_MIN, row(reused))
        record = replace(record, request_key=f"bad-{self._chance.getrandbits(32):08x}-{number}", planted=kind)
        cells = row(record)
        if kind == LINE_QUANTITY:
            return PlacedLine(index, (*cells[:4], cells[4] + "x", *cells[5:]))
        if kind == LINE_KEYLESS:
            return PlacedLine(index, ("", *cells[1:]))
        if kind == LINE_SHORT:
            return PlacedLine(index, (*cells[:6], cells[9]))
        if kind == SUSPENDED:
            someone = self._chance.choice(self._suspended)
            service = {"mobile": "voice"}.get(someone.kind, someone.kind)
            called = "" if service == offers.BROADBAND else CALLED
            plain = replace(record, identity=someone.identity, service=service, quantity=60, other_party=called)
            return PlacedLine(index, row(replace(plain, visited_place="")))
        return PlacedLine(index, row(self._faults[kind](record)))

    def _plain_faults(self) -> dict[str, Callable[[UsageRecord], UsageRecord]]:
        return {
            "identity-malformed": lambda r: replace(r, identity=_misspelt(r.identity)),
            "identity-unknown": lambda r: replace(r, identity=next(self._stranger), service="voice", quantity=60),
            "number-outside-plan": lambda r: replace(r, identity=f"msisdn:86192{self._chance.randrange(10**8):08d}"),
            "service-unknown": lambda r: replace(r, service="telegraph"),
            "quantity-negative": lambda r: replace(r, quantity=-r.quantity),
            "quantity-absurd": lambda r: replace(r, quantity=9_000_000_000_000_000_000),
            "time-future": lambda r: replace(r, event_time_ms=r.event_time_ms + 2 * YEAR_MS),
            "time-before-contract": lambda r: replace(r, event_time_ms=r.event_time_ms - 10 * YEAR_MS),
            "region-unknown": lambda r: replace(r, visited_place="ATLANTIS"),
            "channel-unknown": lambda r: replace(r, channel=reference.UNKNOWN_CHANNEL, partner=""),
            "channel-closed": lambda r: replace(r, channel=reference.CLOSED_CHANNEL, partner=""),
            "partner-missing": lambda r: replace(r, channel=reference.PARTNER, partner=""),
            "partner-unknown": lambda r: replace(r, channel=reference.PARTNER, partner=reference.UNKNOWN_PARTNER),
            "partner-inactive": lambda r: replace(r, channel=reference.PARTNER, partner=reference.INACTIVE_PARTNER),
        }
