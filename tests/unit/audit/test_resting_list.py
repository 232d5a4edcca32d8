"""Numbers that rest stand in their region's list: one that is missing there is told by the audit, and put back."""

import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from audit.journals import audit_journal
from charging.base.contract import Contract
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.set_contract import SetContract
from charging.wire import Done
from domainservers.contracts.relisting import relist
from domainservers.contracts.resting import COLLECTION, partition_of
from evidence.seals import open_sealed
from house.stores import STORES
from tests.unit.audit.sound import owned, ref, ring_of
from tests.unit.audit.test_bill_records import run
from tests.unit.domainservers.room import ALICE, do, opening
from tests.unit.domainservers.test_quarantine import CAROL, UNTIL_MS, held


@pytest.fixture
async def rested(tmp_path: Path) -> str:
    """A unit with an account that let a number go, which rests."""
    url = f"sqlite://{tmp_path}/unit.db"
    await STORES.migrate(url)
    unit = await open_sealed(STORES, url, ring_of(url))
    national = await STORES.open(f"sqlite://{tmp_path}/directory.db")
    async with owned(unit, "GD/0", ring_of(url), national=national) as slot:
        await do(slot, "open", opening())
        await do(slot, "add", SetContract(Contract(CAROL, ALICE, "GD")))
        left = Leave("", 0, "", await held(slot, CAROL), rests_until_ms=UNTIL_MS)
        assert isinstance(await do(slot, "leave", left), Done)
    await national.close()
    await unit.close()
    return url


async def findings(url: str) -> list[str]:
    where = replace(ref(url, "GD/0"), shared=url)
    return (await audit_journal(where, "", lambda _: None)).report.findings


async def test_a_list_that_has_what_rests_agrees(rested: str) -> None:
    assert await findings(rested) == []


async def test_a_number_that_is_missing_in_the_list_is_told_and_put_back(
    rested: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.beside.LATE_PAUSE_S", 0.0)
    run(rested, f"DELETE FROM record WHERE collection = '{COLLECTION}'")
    assert await findings(rested) == [f"{CAROL} rests, and is not in the list of GD"]
    unit = await open_sealed(STORES, rested, ring_of(rested))
    now_ms = time.time_ns() // 1_000_000
    assert (await relist(unit, now_ms), await relist(unit, now_ms)) == (1, 0)
    assert CAROL in await unit.get(COLLECTION, partition_of("GD", CAROL), [CAROL])
    await unit.close()
    assert await findings(rested) == []
