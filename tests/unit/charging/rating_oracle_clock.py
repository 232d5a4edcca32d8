"""The oracle's clock: bands by the second, periods by the day, and the keys that accumulators count under."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.usage import Usage
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Allowance
from charging.catalogue.words import Band

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Clock:
    """Knows what time it is in a usage, and what that means for who has it."""

    def __init__(self, catalogue: Catalogue, zone: str, usage: Usage, contract: Contract, account: Account) -> None:
        self.catalogue = catalogue
        self.zone = ZoneInfo(zone)
        self.usage = usage
        self.contract = contract
        self.account = account
        self.start_s = usage.start_ms // 1000

    def clock(self, offset: int) -> datetime:
        return datetime.fromtimestamp(self.start_s + offset, UTC).astimezone(self.zone)

    def inside(self, band: Band, at: datetime) -> bool:
        if band.weekdays and DAYS[at.weekday()] not in band.weekdays:
            return False
        days = {name: calendar.days for calendar in self.catalogue.calendars for name in [calendar.id]}
        today = at.date().isoformat()
        if band.calendars and not any(today in days[name] for name in band.calendars):
            return False
        if any(today in days[name] for name in band.except_calendars):
            return False
        now = at.strftime("%H:%M:%S")
        start, end = (text if len(text) == 8 else text + ":00" for text in (band.start, band.end))
        if start < end:
            return start <= now < end
        return now >= start or now < end

    def in_bands(self, names: tuple[str, ...], offset: int) -> bool:
        at = self.clock(offset)
        return any(self.inside(band, at) for band in self.catalogue.bands if band.id in names)

    def period(self, over: str, today: date | None = None) -> str:
        today = today or self.clock(0).date()
        if over in ("life", "call", "subscription"):
            return "all"
        if over == "week":
            today -= timedelta(days=today.weekday())
        elif over == "month":
            today = today.replace(day=1)
        elif over == "year":
            today = today.replace(month=1, day=1)
        elif over == "cycle":
            today = self.cycle(today)
        return today.strftime("%Y%m%d")

    def cycle(self, today: date) -> date:
        while today.day != self.account.terms.cycle_day:
            today -= timedelta(days=1)
        return today

    def key(self, name: str, over: str, shared: bool) -> str:
        return f"{name}@{self.period(over)}" if shared else f"{name}|{self.contract.identity}@{self.period(over)}"

    def days(self, over: str, today: date) -> list[date]:
        """Give the days of the period that a day lies in, one by one in both directions."""
        found = [today]
        for step in (timedelta(days=-1), timedelta(days=1)):
            day = today + step
            while self.period(over, day) == self.period(over, today):
                found.append(day)
                day += step
        return sorted(found)

    def day_before(self, allowance: Allowance) -> date:
        """Give the last day of the period before this one."""
        return self.days(allowance.period, self.clock(0).date())[0] - timedelta(days=1)

    def key_before(self, allowance: Allowance) -> str:
        """Give the key of an allowance in the period before."""
        owner = "" if allowance.shared else f"|{self.contract.identity}"
        return f"{allowance.id}{owner}@{self.period(allowance.period, self.day_before(allowance))}"

    def key_of_subscription(self, allowance: Allowance, since_ms: int) -> str:
        """Give the key of an allowance that each subscription brings once."""
        owner = "" if allowance.shared else self.contract.identity
        return f"{allowance.id}|{owner}|{since_ms}@all"

    def had(self, key: str) -> int:
        return self.account.accumulators.get(key, 0)
