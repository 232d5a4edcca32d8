"""Charges of a running system are rated again from its journals, and one that was forged with the keys is told."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from audit.national import Sources, audit_country, survey
from audit.rerating import Rerater
from charging.base.account import Account
from charging.ledger.commands.post_charge import Charged
from charging.ledger.entry import Entry
from charging.ledger.ledger import replay
from cluster.layout import keys_of
from cluster.system import Shape
from domainservers.journal.groups import unpack_group
from domainservers.journal.journal import Position, genesis, read_chain
from evidence.keyfile import ring_at
from evidence.places import anchors_folder
from house.stores import STORES
from onetier_client import requests
from testkit.rehearsal import DAY_MS, rehearse

SECONDS = (1, 61, 3_600, 59, 7_201)


async def test_every_charge_of_a_running_system_gives_the_same_again(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape()) as small:
        people = [account.account_id for account in small.mobiles()][:20]
        for number, identity in enumerate(people * 3):
            facts = {"request_key": f"call-{number}", "event_time_ms": DAY_MS + number, "other_party": "8613800000000"}
            used = SECONDS[number % len(SECONDS)]
            done = await small.client.ask(requests.charge(identity, "voice", used, channel="front", **facts))
            assert done.charge.amount >= 0
        await small.client.close()
        await small.system.supervisor.drain()
        layout, folder = small.system.layout, small.system.supervisor.folder
        keys = keys_of(layout, folder)
        sources = Sources(layout.directory, ring_at(keys, make=False), anchors_folder(None, keys), rerate=True)
    found = await asyncio.to_thread(audit_country, sources, "", 2)
    assert (found.sentences, found.notes) == ([], [])
    assert sum(slot.rerated for slot in found.slots) == 60
    assert {why for slot in found.slots for why in slot.left_out} == set()
    await forged(sources)


async def forged(sources: Sources) -> None:
    """Follow the first slot that charged anybody, with one amount changed."""
    for ref in (await survey(sources, contracts=False)).refs:
        assert ref.published is not None
        rerater = Rerater(ref.published)
        unit = await STORES.open_to_read(ref.url)
        states: dict[str, Account] = {}
        async for _, groups in read_chain(unit, ref.name, Position(0, -1, genesis(ref.name)), sources.ring):
            for group in groups:
                for _, entry in unpack_group(group.payload)[0]:
                    before = states.get(entry.account_id)
                    if entry.events and isinstance(entry.events[0], Charged):
                        await unit.close()
                        (finding,) = rerater.take(dearer(entry, entry.events[0]), before)
                        assert "rated again it gives" in finding
                        return
                    assert rerater.take(entry, before) == []
                    if entry.events:
                        states[entry.account_id] = replay(before, entry)
        await unit.close()
    raise AssertionError("nobody was charged")


def dearer(entry: Entry, event: Charged) -> Entry:
    return replace(entry, events=(replace(event, charge=replace(event.charge, amount=event.charge.amount + 1)),))
