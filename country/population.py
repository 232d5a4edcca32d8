"""A sample population: subscribers of all 31 domains by their real weights, in accounts of one or several members.

Seeded and pure: the same seed gives the same people. Amounts are micro-yuan, times milliseconds UTC.
"""

import random
from collections.abc import Iterator, Sequence

from msgspec import Struct

from country import offers
from country.domains import REGIONS, Region
from country.number_plan import COUNTRY, SEVEN_DIGITS, NationalPlan, is_mobile

YUAN = 1_000_000
DAY_MS = 86_400_000
MOBILE, FIXED, BROADBAND = "mobile", "fixed", "broadband"
KINDS = (MOBILE, FIXED, BROADBAND)
MOBILE_DIGITS = len(COUNTRY) + 11
SUBSCRIBERS_OF_A_DOMAIN_MIN = 4
"""One family with a mobile, a fixed line and a broadband access, so that every domain has every kind."""

PREPAID, POSTPAID = "prepaid", "postpaid"
SUSPENDED_SHARE = 0.005
NEARLY_EMPTY_SHARE = 0.03
ROAMING_SHARE = 0.06
ABROAD_SHARE = 0.05
"""Of those who roam."""
NETWORKS_ABROAD = ("HK-CSL", "HK-SMT", "MO-CTM", "TW-CHT", "JP-DOCOMO", "TH-AIS", "US-TMO", "FR-ORANGE")


class Subscriber(Struct, frozen=True):
    """One identity with what it subscribes to."""

    identity: str
    kind: str
    domain: str
    account_id: str
    offerings: tuple[str, ...]
    valid_from_ms: int
    order_id: str
    family: tuple[str, ...] = ()
    """Identities of the family group, empty outside families."""
    away: str = ""
    """Where a roamer spends the day, a domain or a network abroad; "" = at home."""


class SampleAccount(Struct, frozen=True):
    """One account; the first member is its primary identity and names it."""

    account_id: str
    domain: str
    customer_id: str
    payment_mode: str
    credit_limit: int
    cycle_day: int
    opening: int
    """Money in the main book at the start."""
    grade: str
    """Attribute of the customer that discount rules read (level C)."""
    agreements: tuple[str, ...]
    suspended: bool
    members: tuple[Subscriber, ...]


class Population(Struct, frozen=True):
    """All accounts, in the order of domains."""

    accounts: tuple[SampleAccount, ...]

    def subscribers(self) -> Iterator[Subscriber]:
        """Give the members of all accounts, account by account."""
        for account in self.accounts:
            yield from account.members


def share_out(total: int, regions: Sequence[Region] = REGIONS) -> dict[str, int]:
    """Split a number of subscribers over the domains by population (largest remainder), with a floor for each.

    The shares add up to `total`.
    """
    floor = min(SUBSCRIBERS_OF_A_DOMAIN_MIN, total // len(regions))
    people = sum(region.population for region in regions)
    free = total - floor * len(regions)
    shares = {region.code: floor + free * region.population // people for region in regions}
    remainders = sorted(regions, key=lambda region: (-(free * region.population % people), region.code))
    for region in remainders[: total - sum(shares.values())]:
        shares[region.code] += 1
    return shares


def populate(plan: NationalPlan, subscribers: int, seed: int, day_ms: int, cycle_day: int = 1) -> Population:
    """Make a population that has been living for at least a month before the day that begins at `day_ms`, UTC.

    `cycle_day` is the day of the month on which the cycles of most begin. The same arguments make the same people;
    domain by domain.
    """
    prefixes = plan.by_domain()
    accounts: list[SampleAccount] = []
    for code, share in share_out(subscribers).items():
        maker = _Maker(code, prefixes[code], random.Random(f"{seed}/{code}"), day_ms, cycle_day)
        accounts.extend(maker.accounts(share))
    return Population(tuple(accounts))


class _Maker:
    """Makes the accounts of one domain."""

    def __init__(self, code: str, prefixes: Sequence[str], chance: random.Random, day_ms: int, cycle_day: int) -> None:
        self._code = code
        self._chance = chance
        self._day_ms = day_ms
        self._cycle_day = cycle_day
        self._taken: set[str] = set()
        self._count = 0
        self._mobile = [p for p in prefixes if is_mobile(p) and len(p) == SEVEN_DIGITS]
        # Longer fixed ranges are special numbers inside an area; people live under the area code itself.
        self._areas = [p for p in prefixes if not is_mobile(p) and len(p) <= len(COUNTRY) + 3]
        others = [region for region in REGIONS if region.code != code]
        self._others = [region.code for region in others]
        self._others_weights = [region.population for region in others]

    def accounts(self, share: int) -> Iterator[SampleAccount]:
        left = share
        while left > 0:
            kinds = self._household(left, first=left == share)
            left -= len(kinds)
            yield self._account(kinds)

    def _household(self, left: int, *, first: bool) -> list[str]:
        draw = self._chance.random()
        family = (
            [MOBILE, MOBILE, BROADBAND, FIXED] if first or self._chance.random() < 0.4 else [MOBILE] * 2 + [BROADBAND]
        )
        if (first or draw < 0.12) and len(family) <= left:
            return family
        return [MOBILE if draw < 0.84 else BROADBAND if draw < 0.93 else FIXED]

    def _account(self, kinds: Sequence[str]) -> SampleAccount:
        chance = self._chance
        identities = [self._identity(kind) for kind in kinds]
        prepaid = chance.random() < 0.65 and kinds[0] == MOBILE
        customer = f"cust-{self._code.lower()}-{self._count:06d}"
        members = tuple(
            self._subscriber(identity, kind, identities, kinds)
            for identity, kind in zip(identities, kinds, strict=True)
        )
        return SampleAccount(
            account_id=identities[0],
            domain=self._code,
            customer_id=customer,
            payment_mode=PREPAID if prepaid else POSTPAID,
            credit_limit=0 if prepaid else chance.choice((100, 200, 300, 500)) * YUAN,
            cycle_day=self._cycle_day if prepaid else chance.choice((*[self._cycle_day] * 3, 5, 10, 20)),
            opening=self._opening(len(kinds)) if prepaid else 0,
            grade=chance.choices(("gold", "silver", "standard"), (5, 15, 80))[0],
            agreements=(offers.AGREEMENT_CORPORATE,) if not prepaid and chance.random() < 0.05 else (),
            suspended=chance.random() < SUSPENDED_SHARE,
            members=members,
        )

    def _subscriber(self, identity: str, kind: str, identities: Sequence[str], kinds: Sequence[str]) -> Subscriber:
        chance = self._chance
        since_ms = self._day_ms - chance.randrange(35, 2_000) * DAY_MS
        roams = kind == MOBILE and chance.random() < ROAMING_SHARE
        family = tuple(i for i, k in zip(identities, kinds, strict=True) if k == MOBILE and i != identity)
        return Subscriber(
            identity=identity,
            kind=kind,
            domain=self._code,
            account_id=identities[0],
            offerings=self._offerings(kind, in_family=len(identities) > 1),
            valid_from_ms=since_ms,
            order_id=f"order-{self._code.lower()}-{self._count:06d}",
            family=family if kind == MOBILE else (),
            away=self._journey() if roams else "",
        )

    def _journey(self) -> str:
        if self._chance.random() < ABROAD_SHARE:
            return self._chance.choice(NETWORKS_ABROAD)
        return self._chance.choices(self._others, self._others_weights)[0]

    def _offerings(self, kind: str, *, in_family: bool) -> tuple[str, ...]:
        if in_family:
            return (offers.FAMILY_BUNDLE, offers.FAMILY_CALLS) if kind == MOBILE else (offers.FAMILY_BUNDLE,)
        if kind == FIXED:
            return (offers.FIXED_LINE,)
        if kind == BROADBAND:
            return (self._chance.choices((offers.BROADBAND_FLAT, offers.BROADBAND_METERED), (70, 30))[0],)
        plans = (offers.MOBILE_PAY_AS_YOU_GO, offers.MOBILE_SMALL, offers.MOBILE_LARGE)
        plan = self._chance.choices(plans, (40, 40, 20))[0]
        return (plan, offers.DATA_PACK) if self._chance.random() < 0.15 else (plan,)

    def _opening(self, members: int) -> int:
        if self._chance.random() < NEARLY_EMPTY_SHARE:
            return self._chance.randrange(YUAN // 2)
        fen = int(self._chance.lognormvariate(8.5, 0.6))
        return min(max(fen, 1_000), 50_000) * members * (YUAN // 100)

    def _identity(self, kind: str) -> str:
        while True:
            self._count += 1
            identity = self._draw(kind)
            if identity not in self._taken:
                self._taken.add(identity)
                return identity

    def _draw(self, kind: str) -> str:
        if kind == BROADBAND:
            return f"broadband:{self._code.lower()}{self._count:06d}@adsl"
        if kind == MOBILE:
            prefix = self._chance.choice(self._mobile)
            return f"msisdn:{prefix}{self._digits(MOBILE_DIGITS - len(prefix))}"
        area = self._chance.choice(self._areas)
        local = 8 if len(area) == len(COUNTRY) + 2 else 7
        return f"fixed:{area}{self._chance.choice('345678')}{self._digits(local - 1)}"

    def _digits(self, count: int) -> str:
        return f"{self._chance.randrange(10**count):0{count}d}"
