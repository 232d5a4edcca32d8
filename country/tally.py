"""Counts what a usage file came to, from the replies alone: requests, charges, amounts and refusals of each region."""

from collections import Counter, defaultdict

from google.rpc.error_details_pb2 import ErrorInfo
from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from country import planted
from country.usage_file import UnreadableLine, UsageRecord

NOWHERE = "-"
"""Region of requests whose identity belongs to nobody."""
UNREADABLE = "LINE_UNREADABLE"
NO_REASON = "NO_REASON"
SURPRISES_TOLD_MAX = 20


class RegionCount(Struct):
    """One region's figures; amounts in micro-units, of charges only (repeats not counted again)."""

    requests: int = 0
    charges: int = 0
    amount: int = 0
    repeats: int = 0
    refusals: Counter[str] = Counter()


class Tally:
    """Adds replies up. `acknowledged` holds the amount of each request key once, however often it was answered."""

    def __init__(self, home: dict[str, str]) -> None:
        self.regions: defaultdict[str, RegionCount] = defaultdict(lambda: RegionCount(refusals=Counter()))
        self.acknowledged: dict[str, int] = {}
        self.refused: set[str] = set()
        """Keys of honest records that the business refused; a refusal is kept like a charge."""
        self.planted: Counter[str] = Counter()
        self.surprises: list[str] = []
        """Outcomes that should not be: a planted fault accepted, a repeat answered differently, an unknown failure."""
        self.surprise_count = 0
        self._home = home

    def take(self, record: UsageRecord, reply: desk.ServiceReply) -> None:
        """Count one reply. Replies to one key may come in any order; what does not fit another is a surprise."""
        region = self.regions[self._home.get(record.identity, NOWHERE)]
        region.requests += 1
        if record.planted:
            self.planted[record.planted] += 1
        if reply.HasField("error"):
            reason = reason_of(reply)
            region.refusals[reason] += 1
            self._expect_refusal(record, reason)
            if record.planted in ("", planted.DUPLICATE):
                self.refused.add(record.request_key)
                if record.request_key in self.acknowledged:
                    self._surprise(f"key {record.request_key} was charged and is refused as {reason}")
            return
        charge = reply.charge
        if record.request_key in self.refused:
            self._surprise(f"key {record.request_key} was refused and is charged")
        first = self.acknowledged.get(record.request_key)
        if first is None:
            self.acknowledged[record.request_key] = charge.amount
            region.charges += 1
            region.amount += charge.amount
        else:
            region.repeats += 1
            if first != charge.amount:
                self._surprise(f"key {record.request_key} was answered {first} and then {charge.amount}")
        if record.planted in planted.REASONS:
            self._surprise(f"key {record.request_key} is planted as {record.planted} and was charged")

    def take_unreadable(self, line: UnreadableLine) -> None:
        """Count a line that never became a request."""
        self.planted[line.planted] += 1
        region = self.regions[NOWHERE]
        region.requests += 1
        region.refusals[UNREADABLE] += 1

    @property
    def total(self) -> RegionCount:
        """The whole country."""
        total = RegionCount(refusals=Counter())
        for region in self.regions.values():
            total.requests += region.requests
            total.charges += region.charges
            total.amount += region.amount
            total.repeats += region.repeats
            total.refusals.update(region.refusals)
        return total

    def _expect_refusal(self, record: UsageRecord, reason: str) -> None:
        wanted = planted.REASONS.get(record.planted)
        if wanted is not None and reason not in wanted:
            self._surprise(f"{record.planted} was refused as {reason} instead of {' or '.join(sorted(wanted))}")
        if wanted is None and reason not in planted.HONEST_REFUSALS:
            self._surprise(f"honest key {record.request_key} ({record.service}) was refused as {reason}")

    def _surprise(self, text: str) -> None:
        self.surprise_count += 1
        if len(self.surprises) < SURPRISES_TOLD_MAX:
            self.surprises.append(text)


def reason_of(reply: desk.ServiceReply) -> str:
    """Give the reason of a refusal."""
    for detail in reply.error.details:
        info = ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return NO_REASON
