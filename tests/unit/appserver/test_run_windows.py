"""`onetier billing run` opens a run in the window that was planned, else in one of a day."""

import asyncio

import pytest
from onetier.v1 import billing_pb2 as pb
from onetier.v1.billing_pb2_grpc import BillingServiceStub
from typer.testing import CliRunner

from console.operations.billing import app
from runtime.channel import open_channel
from testkit.owner import OwnerInMemory
from tests.unit.appserver.conftest import Platforms

HOUR_MS = 3_600_000
PERIOD = "2026-08/14"


@pytest.mark.parametrize("planned", [True, False])
async def test_a_run_that_was_planned_keeps_its_window(
    start_platform: Platforms, owner: OwnerInMemory, planned: bool
) -> None:
    tier = await start_platform()
    until_ms = owner.desk.now_ms + HOUR_MS
    window = ["--from", str(owner.desk.now_ms), "--until", str(until_ms)]
    for command in (["plan", "GD", PERIOD, *window], ["run", "GD", PERIOD])[not planned :]:
        ask = [*command, "--slot", "0", "--endpoint", tier.address]
        result = await asyncio.to_thread(CliRunner().invoke, app, ask)
        assert result.exit_code == 0, result.output
    async with open_channel(tier.address) as channel:
        asked = pb.ListBillRunsRequest(domain="GD", slots=[0], channel="front")
        (run,) = (await BillingServiceStub(channel).ListBillRuns(asked)).runs
    assert run.state == "completed"
    assert (run.until_ms == until_ms) is planned


async def test_what_is_wrong_with_a_window_is_said_in_words_of_the_command_line(
    start_platform: Platforms, owner: OwnerInMemory
) -> None:
    tier = await start_platform()
    past, future = str(owner.desk.now_ms - HOUR_MS), str(owner.desk.now_ms + HOUR_MS)

    async def said(*command: str) -> str:
        ask = [*command, "--slot", "0", "--endpoint", tier.address]
        result = await asyncio.to_thread(CliRunner().invoke, app, ask)
        assert result.exit_code == 1, result.output
        return result.stderr

    assert "no window is planned: say with --until when it ends" in await said("open", "GD", PERIOD)
    assert "--until is over already" in await said("open", "GD", PERIOD, "--until", past)
    assert "--until is no time after --from" in await said("plan", "GD", PERIOD, "--from", future, "--until", future)
