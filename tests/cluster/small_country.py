"""Two domains that share three units, with real processes in front: as small as a country of several domains can be."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import service_desk_pb2 as desk

from authoring.files import read_folder
from authoring.publication import publication
from cluster import loading
from cluster.layout import Layout, keys_of
from cluster.supervisor import Supervisor
from cluster.system import Shape, System
from country import offers, reference
from directory.slots import slot_key
from evidence.keyfile import ring_at
from evidence.keys import KeyRing
from house.stores import STORES
from onetier_client import AsyncClient, requests
from testkit.rehearsal import DAY_MS

CATALOGUES = Path(__file__).parents[2] / "catalogues"
OPENING = 1_000_000_000_000
"""Micro-units in the main book of each account at the beginning."""
PREFIXES = {"GD": "86130", "XJ": "86131"}
UNITS = ("shared", "private-gd", "private-xj")


class SmallCountry(Struct):
    """The running system and who lives in it."""

    system: System
    client: AsyncClient
    slots: Mapping[str, int]
    people: dict[str, tuple[str, ...]]
    """Domain → identities, each with an account of its own."""

    @property
    def everybody(self) -> list[str]:
        """All identities."""
        return [identity for domain in self.people.values() for identity in domain]

    @property
    def journals(self) -> dict[str, list[str]]:
        """Unit URL → journals in it."""
        layout = self.system.layout
        return {
            layout.units[layout.private_of[domain]]: [slot_key(domain, slot) for slot in range(count)]
            for domain, count in self.slots.items()
        }

    @property
    def ring(self) -> KeyRing:
        """The keys of the country."""
        return ring_at(keys_of(self.system.layout, self.system.supervisor.folder), make=False)

    async def balances(self) -> dict[str, int]:
        """What the service tells of everybody's money, by account id."""
        told = [await self.client.balance(identity) for identity in self.everybody]
        return {balance.account_id: balance.real for balance in told}

    async def settled_balances(self, total: int, timeout_s: float) -> dict[str, int]:
        """Balances once no money is under way any more: they add up to `total`. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout_s):
            while True:
                balances = await self.balances()
                if sum(balances.values()) == total:
                    return balances
                await asyncio.sleep(0.3)

    async def until_nothing_is_reserved(self, timeout_s: float) -> None:
        """Wait until every session that was left open has ended by itself. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout_s):
            for identity in self.everybody:
                while (await self.client.balance(identity)).reserved:  # noqa: ASYNC110
                    await asyncio.sleep(0.3)


@asynccontextmanager
async def settle_country(
    folder: Path,
    *,
    slots: Mapping[str, int],
    people: int,
    shape: Shape,
    base: str = "",
    elsewhere: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    attempt_timeout_ms: int = 3_000,
    tls: Path | None = None,
) -> AsyncIterator[SmallCountry]:
    """Start it; drain at the end of the block. `base` is a Cassandra URL whose keyspace is a prefix; "" = SQLite.

    `elsewhere` has the addresses of units, by name, that are not with the others; `tls` is a folder of certificates.
    """
    layout = lay_out_small(folder, base)
    layout.units.update(elsewhere or {})
    # Once and here: processes that start together would otherwise make one schema against each other.
    for url in (layout.directory, *layout.units.values()):
        await STORES.migrate(url)
    async with Supervisor(folder / "logs") as supervisor:
        system = System(supervisor, layout, settings or {}, tls=tls)
        await system.start(shape)
        async with system.directory_of(0) as stub:
            revision = await loading.amend(stub, _changes(layout, slots), "small country")
        for number in range(len(system.datacenters)):
            async with system.directory_of(number) as stub:
                await loading.until_known(stub, revision)
        inhabitants = {
            domain: tuple(f"msisdn:{prefix}{number:08d}" for number in range(people))
            for domain, prefix in PREFIXES.items()
            if domain in slots
        }
        async with AsyncClient(
            system.endpoints, tls=system.tls("frontend"), timeout_ms=60_000, attempt_timeout_ms=attempt_timeout_ms
        ) as client:
            country = SmallCountry(system, client, slots, inhabitants)
            # With certificates a front end makes no money at an opening, only by small top-ups.
            await _open_accounts(country, OPENING if tls is None else 0)
            if tls is not None:
                await _all(country, [deposit(identity, number) for number, identity in enumerate(country.everybody)])
            yield country


def lay_out_small(folder: Path, base: str) -> Layout:
    """Give the addresses of its units: files in the folder, or keyspaces with a prefix of their own."""
    if base:
        address, _, query = base.partition("?")
        prefix = f"{address}_{secrets.token_hex(3)}"
        urls = {name: f"{prefix}_{name.replace('-', '_')}?{query}" for name in ("directory", *UNITS)}
    else:
        (folder / "units").mkdir(parents=True)
        urls = {name: f"sqlite://{folder.resolve()}/units/{name}.db" for name in ("directory", *UNITS)}
    private = {domain: f"private-{domain.lower()}" for domain in PREFIXES}
    units = {name: urls[name] for name in UNITS}
    return Layout(base, urls["directory"], units, dict.fromkeys(PREFIXES, "shared"), private)


def call(identity: str, number: int) -> desk.ServiceRequest:
    """Charge a voice call under a key of its own."""
    return requests.charge(
        identity,
        offers.VOICE,
        61 + number % 600,
        request_key=f"call-{number}",
        event_time_ms=DAY_MS + number,
        channel=reference.FRONT,
        other_party="8613800000000",
    )


def deposit(identity: str, number: int) -> desk.ServiceRequest:
    """Pay money in under a key of its own."""
    facts: requests.Facts = {"request_key": f"deposit-{number}", "channel": reference.FRONT, "event_time_ms": DAY_MS}
    return requests.execute(identity, requests.top_up(5_000_000 + number), **facts)


def transfer(identity: str, to_identity: str, number: int) -> desk.ServiceRequest:
    """Send money to another account under a key of its own."""
    command = desk.Transfer(to_identity=to_identity, amount=1_000_000 + number, reason="gift")
    facts: requests.Facts = {"request_key": f"transfer-{number}", "channel": reference.FRONT, "event_time_ms": DAY_MS}
    return requests.execute(identity, command, **facts)


def refund(identity: str, charge_key: str, number: int, amount: int = 0) -> desk.ServiceRequest:
    """Give a charge back under a key of its own; amount 0 = all that is left of it."""
    command = desk.Refund(charge_key=charge_key, amount=amount, reason="bad line")
    facts: requests.Facts = {"request_key": f"refund-{number}", "channel": reference.FRONT, "event_time_ms": DAY_MS}
    return requests.execute(identity, command, **facts)


def session(identity: str, number: int, *, released: bool) -> list[desk.ServiceRequest]:
    """Talk in a session of four steps; without its release the last one is left to expire."""
    session_id, seconds = f"session-{number}", 61 + number % 60
    operations = desk.SessionRequest
    steps = [
        (operations.OPERATION_CREATE, 120, 0),
        (operations.OPERATION_UPDATE, 120, seconds),
        (operations.OPERATION_UPDATE, 120, seconds),
        (operations.OPERATION_RELEASE, 0, number % 50),
    ]
    asked: list[desk.ServiceRequest] = []
    for invocation, (operation, requested, used) in enumerate(steps if released else steps[:-1]):
        unit = desk.UnitUse(
            service_code=offers.VOICE,
            requested=requested,
            used=used,
            other_party="8613800000000",
            event_time_ms=DAY_MS + number,
        )
        facts: requests.Facts = {
            "request_key": f"{session_id}-{invocation}",
            "channel": reference.FRONT,
            "event_time_ms": DAY_MS + number,
        }
        asked.append(requests.execute(identity, requests.session(session_id, operation, invocation, [unit]), **facts))
    return asked


def _changes(layout: Layout, slots: Mapping[str, int]) -> list[dc.DirectoryChange]:
    changes = [dc.DirectoryChange(unit=dc.UnitAddress(name=name, url=url)) for name, url in layout.units.items()]
    changes += [
        dc.DirectoryChange(
            domain=dc.Domain(
                code=domain,
                name=domain,
                time_zone="Asia/Shanghai",
                slots=count,
                shared_unit=layout.shared_of[domain],
                private_unit=layout.private_of[domain],
            )
        )
        for domain, count in slots.items()
    ]
    ranges = [dc.NumberRange(prefix=PREFIXES[domain], domain=domain) for domain in slots]
    changes.append(dc.DirectoryChange(number_plan=dc.NumberPlan(ranges=ranges)))
    changes += [dc.DirectoryChange(channel=channel) for channel in reference.CHANNELS]
    return changes + publication([one for one in read_folder(CATALOGUES).catalogues if not one.domain])


async def _open_accounts(country: SmallCountry, amount: int) -> None:
    def opening(identity: str, domain: str) -> desk.ServiceRequest:
        contract = desk.Contract(
            identity=identity,
            account_id=identity,
            domain=domain,
            status="active",
            subscriptions=[desk.Subscription(offering=offers.MOBILE_PAY_AS_YOU_GO)],
        )
        command = desk.OpenAccount(
            account_id=identity,
            customer_id="customer",
            payment_mode="prepaid",
            currency="CNY",
            contract=contract,
            books=[desk.BalanceBook(book_id="main", unit="money", amount=amount)],
            cycle_day=1,
        )
        facts: requests.Facts = {"request_key": f"open-{identity}", "channel": reference.FRONT, "event_time_ms": DAY_MS}
        return requests.execute(identity, command, **facts)

    await _all(country, [opening(identity, domain) for domain, names in country.people.items() for identity in names])


async def _all(country: SmallCountry, asked: list[desk.ServiceRequest]) -> None:
    async for request, reply in country.client.exchange(asked, timeout_ms=60_000):
        assert not reply.HasField("error"), f"{request.request_key}: {reply.error.message}"
