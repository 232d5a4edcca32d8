"""What the console says before and after it publishes: what is new, what may surprise, how long it waits."""

import socket
from pathlib import Path

import pytest
from onetier.v1 import data_center_pb2 as dc
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from charging.errors import Expired, Invalid
from console.catalogues import publishing
from console.catalogues.published import Label
from console.catalogues.publishing import amend, timeout_s, words
from datacenter.main import build
from datacenter.room import PROCESS as DATACENTER
from datacenter.settings import DataCenterSettings
from runtime.channel import open_channel
from runtime.server import start_tier
from runtime.settings import load
from tests.unit.console.test_published import country, onetier

DAY_MS = 86_400_000
SNIPPET = """\
catalogue: n
version: {version}
effective_from: {since}
services: [{{id: sms, unit: event}}]
tariffs: [{{id: sms, service: sms, standard: true, prices: [{{id: all, rates: [{{price: 0.{version}}}]}}]}}]
"""


def nation(version: int, day: int) -> Label:
    return Label(day * DAY_MS, version, "")


def test_a_first_version_surprises_nobody() -> None:
    assert words([nation(1, 0), Label(0, 1, "GD")], [], 99 * DAY_MS) == []
    assert words([nation(2, 100)], [nation(1, 0)], 99 * DAY_MS) == []


def test_a_version_that_begins_in_the_past_is_told_with_the_events_it_rates() -> None:
    told = words([nation(7, 10)], [nation(1, 0), nation(6, 20)], 99 * DAY_MS)
    assert len(told) == 1
    assert "national-7: it is retroactive: events since 1970-01-11 00:00 UTC" in told[0]
    assert "until national-6 begins, 1970-01-21 00:00 UTC" in told[0]


def test_numbers_that_go_back_are_told_with_the_next_one() -> None:
    told = words([nation(5, 100)], [nation(9, 0)], 99 * DAY_MS)
    assert told == ["national-5: numbers go back, national-9 is published: a correction is the next version, 10"]


def test_the_time_to_wait_grows_with_the_work_and_can_be_given() -> None:
    assert timeout_s(0.5, 0) == publishing.TIMEOUT_S_MIN
    assert timeout_s(60, 0) == 480
    assert timeout_s(60, 7) == 7


async def test_more_than_a_message_holds_is_refused_with_what_to_do() -> None:
    big = dc.CatalogueVersion(version=1, content=bytes(publishing.REQUEST_BYTES_MAX))
    request = dc.AmendRequest(changes=[dc.DirectoryChange(catalogue=big)])
    channel = open_channel("127.0.0.1:1")
    with pytest.raises(Invalid, match="publish the nation and some regions first"):
        await amend(DirectoryServiceStub(channel), request, 1)
    await channel.close()


async def test_a_folder_is_published_once_and_each_version_is_told_as_what_it_is(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/directory.db"
    await country(url)
    settings = load(DataCenterSettings, directory=url, metrics_listen="", drain_grace_ms=1_000)
    tier = await start_tier(DATACENTER, settings, build)
    folder = tmp_path / "catalogue"
    folder.mkdir()

    async def publish(version: int, since: str) -> tuple[int, str]:
        (folder / "n.yaml").write_text(SNIPPET.format(version=version, since=since))
        status, told = await onetier("publish", str(folder), "--datacenter", tier.address)
        return status, " ".join(told.split())

    try:
        (folder / "gd.yaml").write_text("{catalogue: gd, version: 1, domain: GD}")
        status, told = await publish(9, "2016-04-01")
        assert (status, "published 2 catalogues (national-9, GD-1); directory" in told) == (0, True), told
        status, told = await publish(9, "2016-04-01")
        assert (status, told) == (0, "nothing new: all 2 catalogues are published (national-9, GD-1)")
        status, told = await publish(6, "2016-03-01")
        assert status == 0, told
        assert "national-6: numbers go back, national-9 is published" in told
        assert "national-6: it is retroactive: events since 2016-02-29 16:00 UTC, until national-9 begins" in told
        assert "published 1 catalogue (national-6); published before: GD-1; directory" in told
        status, told = await publish(5, "2016-04-01")
        assert status == 1
        assert "CATALOGUE_NEVER_IN_FORCE" in told
        assert "9 begins at the same moment and has the higher number, so 5 would never be" in told
    finally:
        await tier.stop()


async def test_no_answer_in_time_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        channel = open_channel(f"{host}:{port}")
        with pytest.raises(Expired, match="publish the same folder again with --timeout 1,"):
            await amend(DirectoryServiceStub(channel), dc.AmendRequest(actor="tests", request_key="k"), 0.25)
        await channel.close()
