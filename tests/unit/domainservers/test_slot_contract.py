"""What a slot holds a command against: the contract it was written for, and what was told before."""

from msgspec.structs import replace

from charging.base.contract import Contract
from charging.ledger.commands.set_contract import SetContract
from charging.wire import Done, Failed, Lookup
from tests.unit.domainservers.room import ALICE, BOB, FlakyUnit, ask, charge, do, opening, own


async def test_a_contract_written_for_an_older_one_is_refused_and_kept() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    contract = Contract(ALICE, ALICE, "GD", attributes={"colour": "red"})
    first = await do(slot, "first", SetContract(contract, expected_version=1))
    assert isinstance(first, Done)
    for _ in range(2):
        late = await do(slot, "late", SetContract(contract, expected_version=1))
        assert isinstance(late, Failed)
        assert (late.reason, late.facts) == ("CONTRACT_CHANGED", {"version": str(first.version)})
    assert isinstance(await do(slot, "again", SetContract(contract, expected_version=first.version)), Done)
    assert isinstance(await do(slot, "whatever", SetContract(contract)), Done)
    stranger = await do(slot, "stranger", SetContract(Contract(BOB, ALICE, "GD"), expected_version=7))
    assert isinstance(stranger, Failed)
    assert (stranger.reason, stranger.facts) == ("CONTRACT_CHANGED", {"version": "0"})
    await slot.close()


async def test_a_repeated_charge_tells_what_its_first_reply_said() -> None:
    slot = await own(FlakyUnit())
    await do(slot, "open", opening())
    first = await do(slot, "k", charge(7))
    again = await do(slot, "k", charge(7))
    (known,) = await ask(slot, Lookup(ALICE, "k"))
    assert isinstance(again, Done)
    assert again.told is not None
    assert (again.told.currency, again.told.domain, again.told.catalogue) == ("CNY", "GD", 1)
    assert known == again
    assert replace(again, repeated=False, told=None) == first
    await slot.close()
