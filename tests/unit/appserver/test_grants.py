"""The platform holds every request against the grants of its principal, and notes who reads whose data."""

import asyncio
import os
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from onetier.v1 import service_desk_pb2 as pb
from typer.testing import CliRunner

from appserver.access_log import WAITING_MAX, Access, AccessLog, turn_over
from appserver.reading.queries import VIEWS
from appserver.reading.request import QueryRequest
from charging.errors import Unavailable
from charging.ledger.permission import COMMANDS, JOBS, NO_LIMIT, Grant
from charging.ledger.permission import READS as READS_NAMED
from console.main import mounted
from testkit.front import A, B, Front, fault_of
from testkit.owner import OwnerInMemory

FrontOf = Callable[..., Awaitable[Front]]
READS = ("balance", "usage", "contract", "history")
_read = msgspec.json.Decoder(Access).decode


def accesses(folder: Path) -> list[Access]:
    return [_read(line) for path in folder.glob("access-*") for line in path.read_bytes().splitlines()]


async def written(folder: Path, count: int) -> list[Access]:
    """Wait until so many accesses are in the files."""
    for _ in range(500):
        if len(accesses(folder)) >= count:
            break
        await asyncio.sleep(0.02)
    return accesses(folder)


@pytest.mark.parametrize(
    ("grant", "reason"),
    [
        (Grant("local", ("open_account", "quote"), NO_LIMIT, NO_LIMIT), "COMMAND_NOT_GRANTED"),
        (Grant("local", ("charge", "balance"), NO_LIMIT, NO_LIMIT, ("fax",), actors=True), "CHANNEL_NOT_GRANTED"),
        (Grant("local", ("charge", "balance"), NO_LIMIT, NO_LIMIT, (), ("gone",), actors=True), "PARTNER_NOT_GRANTED"),
        (Grant("local", ("charge", "balance"), NO_LIMIT, NO_LIMIT, (), (), ("BJ",), True), "REGION_NOT_GRANTED"),
        (Grant("local", ("charge", "balance"), NO_LIMIT, NO_LIMIT), "ACTOR_NOT_GRANTED"),
    ],
)
async def test_a_request_beyond_the_grants_is_refused_before_any_commit(
    front: Front, owner: OwnerInMemory, grant: Grant, reason: str
) -> None:
    await front.open()
    owner.grants, owner.revision = (grant,), owner.revision + 1
    await front.one(front.query(B))
    commits = owner.asked["Commit"]
    for request in (front.query(actor="CEO"), front.charge(actor="CEO")):
        assert fault_of(await front.one(request)).reason == reason
    # A change of the grants is known with the first answer that tells the new revision.
    assert owner.asked["Commit"] == commits


async def test_an_amount_beyond_the_grants_is_refused(front: Front, owner: OwnerInMemory) -> None:
    await front.open()
    owner.grants = (Grant("local", ("balance", "top_up", "transfer"), 5, NO_LIMIT),)
    owner.revision += 1
    await front.one(front.query())
    assert not (await front.one(front.execute(top_up=pb.TopUp(amount=5)))).HasField("error")
    for command in ({"top_up": pb.TopUp(amount=6)}, {"transfer": pb.Transfer(to_identity=B, amount=6)}):
        assert fault_of(await front.one(front.execute(**command))).reason == "AMOUNT_NOT_GRANTED"
    refused = await front.one(front.execute(adjust=pb.Adjust(delta=1, reason="gift"), actor="CEO"))
    assert fault_of(refused).reason == "COMMAND_NOT_GRANTED"


async def test_the_principal_goes_with_the_command_and_into_the_history(front: Front) -> None:
    await front.open()
    await front.one(front.execute(top_up=pb.TopUp(amount=5), actor="CEO"))
    newest = (await front.one(front.query(view="history"))).history.lines[0]
    assert (newest.actor, newest.principal) == ("CEO", "local")


async def test_each_read_of_a_subscriber_s_data_is_noted(
    front_of: FrontOf, owner: OwnerInMemory, tmp_path: Path
) -> None:
    folder = tmp_path / "access"
    front = await front_of(access_log=folder)
    await front.open()
    for view in READS:
        await front.one(front.query(view=view, actor="clerk", channel="partner", partner="acme"))
    await front.one(front.query(B))
    await front.one(front.charge())
    owner.grants, owner.revision = (Grant("local", ("usage",), actors=True),), owner.revision + 1
    await front.one(front.query(view="usage"))
    assert fault_of(await front.one(front.query(view="balance", actor="spy"))).reason == "COMMAND_NOT_GRANTED"
    rows = await written(folder, 6)
    told = [(row.view, row.identity, row.principal, row.actor, row.channel, row.partner, row.refused) for row in rows]
    assert told[:4] == [(view, A, "local", "clerk", "partner", "acme", "") for view in READS]
    assert told[4:] == [
        ("usage", A, "local", "", "front", "", ""),
        ("balance", A, "local", "spy", "front", "", "COMMAND_NOT_GRANTED"),
    ]
    assert all(abs(row.time_ms - time.time() * 1000) < 60_000 and row.account for row in rows)


async def test_the_access_log_is_its_reader_s_alone(front_of: FrontOf, tmp_path: Path) -> None:
    folder = tmp_path / "access"
    front = await front_of(access_log=folder)
    await front.open()
    await front.one(front.query())
    await written(folder, 1)
    (path,) = folder.glob("access-*")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    shown = CliRunner().invoke(mounted(), ["accesses", str(folder), "--identity", A])
    assert shown.exit_code == 0
    assert f"local (no actor, front) balance of {A}" in shown.stdout
    nobody = CliRunner().invoke(mounted(), ["accesses", str(folder), "--principal", "frontend/web-hall"])
    assert nobody.exit_code == 1


async def test_reads_that_can_t_be_noted_are_not_answered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    access = AccessLog(tmp_path / "file", "p", 1_000, 2)
    query = _query()
    for _ in range(WAITING_MAX):
        assert access.note(query, "local", "a", 1) is None
    refused = access.note(query, "local", "a", 1)
    assert isinstance(refused, Unavailable)
    assert refused.reason == "ACCESS_LOG_FULL"
    access._waiting.clear()
    await access.close()


async def test_files_turn_over_and_the_oldest_goes(tmp_path: Path) -> None:
    access = AccessLog(tmp_path, "127.0.0.1:7100", 200, 3)
    for number in range(8):
        access.note(_query(), "local", f"account-{number}", number)
        access._write(access._take())
    await access.close()
    names = sorted(os.listdir(tmp_path))
    assert names == ["access-127.0.0.1_7100.jsonl.1", "access-127.0.0.1_7100.jsonl.2"]
    newest = _read((tmp_path / names[0]).read_bytes().splitlines()[-1])
    assert newest.account == "account-7"
    turn_over(tmp_path / "absent", 3)
    assert len(os.listdir(tmp_path)) == 2


def _query() -> QueryRequest:
    return QueryRequest(A, "front", "", "", "", 1, False, "balance", 0, 0)


def test_grants_have_a_name_for_every_view_and_every_command() -> None:
    commands = [field.name for field in pb.ServiceRequest.DESCRIPTOR.oneofs_by_name["command"].fields]
    assert set(VIEWS) <= READS_NAMED | JOBS
    assert set(commands) <= COMMANDS
