"""A whole small system for tests: real processes, real units, a country of a few hundred subscribers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from ruamel.yaml import YAML

from audit import proof
from cluster.filling import Country, load_country, make_units, open_accounts, settle, yesterday_ms
from cluster.folder import Options, clear, fresh_base, voucher_settings
from cluster.layout import journals_of, lay_out
from cluster.supervisor import Supervisor
from cluster.system import Shape, System
from country.population import MOBILE, POSTPAID, SampleAccount
from country.sending import Advance, Sent
from onetier_client import AsyncClient

ORDINARY_HOUR_MS = 15 * 3_600_000
"""Of the day, by the clock of the country: outside of the sample's night."""


def ordinary_ms() -> int:
    """Give a moment of a past day at ordinary prices: in daytime, and on no holiday of the sample catalogue."""
    path = Path(__file__).parents[1] / "catalogues" / "national" / "services.yaml"
    holidays = {str(day) for calendar in YAML(typ="safe").load(path)["calendars"] for day in calendar["days"]}
    moment_ms = yesterday_ms() + ORDINARY_HOUR_MS
    while datetime.fromtimestamp(moment_ms / 1_000, UTC).date().isoformat() in holidays:
        moment_ms -= 86_400_000
    return moment_ms


DAY_MS = ordinary_ms()
"""When the sample's people call: usage is taken for some weeks only, so it can be no fixed day."""
TIMEOUT_MS = 30_000


class Rehearsal(Struct):
    """The running system and what is in it."""

    system: System
    country: Country
    client: AsyncClient

    def mobiles(self) -> list[SampleAccount]:
        """Active postpaid accounts of a single mobile subscriber."""
        return [
            account
            for account in self.country.people.accounts
            if len(account.members) == 1
            and account.members[0].kind == MOBILE
            and account.payment_mode == POSTPAID
            and not account.suspended
        ]

    async def verdict(self, told: dict[str, int]) -> proof.Verdict:
        """Drain the system, then compare what was told (request key → amount) with the journals."""
        await self.client.close()
        await self.system.supervisor.drain()
        return proof.compare(told, await proof.count(journals_of(self.system.layout, 1)))


@asynccontextmanager
async def rehearse(
    folder: Path, shape: Shape, units: str = "", subscribers: int = 300, tls: Path | None = None
) -> AsyncIterator[Rehearsal]:
    """Start a system in a folder of its own, load the country, open the accounts; drain at the end of the block."""
    options = Options(folder, units, subscribers=subscribers, shape=shape, tls=tls)
    clear(folder)
    country = settle(subscribers, options.seed, DAY_MS)
    narrator = _Quiet()
    async with Supervisor(folder / "logs") as supervisor:
        system = System(supervisor, lay_out(fresh_base(options)), voucher_settings(folder), tls=options.tls)
        await make_units(narrator, system.layout)
        await system.start(shape)
        await load_country(narrator, system, system.layout, country, options)
        async with AsyncClient(system.endpoints, tls=system.tls("frontend"), timeout_ms=TIMEOUT_MS) as client:
            await open_accounts(narrator, system, client, country.people)
            yield Rehearsal(system, country, client)


class _Quiet:
    """Tells nobody what is done."""

    def say(self, text: str) -> None:
        """Keep it."""

    async def with_bar(self, title: str, total: int, work: Callable[[Advance], Awaitable[Sent]]) -> Sent:
        """Do the sending."""
        return await work(lambda _: None)
