"""What is published, fetched into files and compared with files: through a real data center, and offline."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from onetier.v1 import data_center_pb2 as dc
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from authoring.files import read_folder
from authoring.publication import publication
from authoring.writing import write_folder
from charging.catalogue.document import pack
from charging.catalogue.words import Zone
from charging.errors import Conflict, NotFound
from console.catalogues.published import Label, Wanted
from datacenter.main import build
from datacenter.room import PROCESS as DATACENTER
from datacenter.settings import DataCenterSettings
from directory.changes import Domain, UnitAddress
from directory.directory import Directory
from evidence.keyfile import key_file, ring_at
from house.stores import STORES
from runtime.channel import open_channel
from runtime.server import start_tier
from runtime.settings import load

SAMPLE = Path(__file__).resolve().parents[3] / "catalogues"
REGIONS = ("BJ", "GD", "SC", "SD", "SH", "TJ", "XJ", "ZJ")


async def onetier(*arguments: str) -> tuple[int, str]:
    """Run the console as an operator does: its exit status and all it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "console.main", "catalog", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, told.decode()


async def country(url: str) -> None:
    """Lay out the regions that the sample has catalogues for."""
    unit = await STORES.open(url)
    directory = await Directory.open(unit, ring=ring_at(key_file(None, url), make=True))
    units = [UnitAddress("one", "memory:one")]
    domains = [Domain(code, code, "Asia/Shanghai", 1, "one", "one") for code in REGIONS]
    await directory.amend([*units, *domains], "country", "tests")
    await directory.close()
    await unit.close()


async def publish(address: str, folder: Path) -> None:
    channel = open_channel(address)
    try:
        changes = publication(read_folder(folder).catalogues)
        request = dc.AmendRequest(changes=changes, request_key=str(folder), actor="tests")
        await DirectoryServiceStub(channel).Amend(request, timeout=60)
    finally:
        await channel.close()


async def test_what_is_published_comes_back_as_files_and_is_compared_with_them(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/directory.db"
    await country(url)
    settings = load(DataCenterSettings, directory=url, metrics_listen="", drain_grace_ms=1_000)
    tier = await start_tier(DATACENTER, settings, build)
    try:
        await publish(tier.address, SAMPLE)
        through = ("--datacenter", tier.address)
        fetched = tmp_path / "fetched"
        status, told = await onetier("fetch", str(fetched), *through)
        assert status == 0, told
        assert str(fetched / "regions" / "GD.yaml") in told
        assert [pack(one) for one in read_folder(fetched).catalogues] == [
            pack(one) for one in read_folder(SAMPLE).catalogues
        ]
        status, told = await onetier("diff", str(fetched), *through)
        assert (status, told) == (0, "")

        second = (fetched / "national.yaml").read_text().replace("version: 1", "version: 2")
        (fetched / "national.yaml").write_text(re.sub(r"\b(amount|price): 59\b", r"\1: 69", second))
        status, told = await onetier("diff", str(fetched), *through)
        assert status == 1
        assert told.splitlines() == [
            "national: version: 1 → 2",
            "national: fees mobile-59-fee amount: 59 → 69",
            "national: splits mobile-129-fee parts[0] price: 59 → 69",
        ]
        await publish(tier.address, fetched)
        assert await onetier("diff", str(fetched), *through) == (0, "")
        status, told = await onetier("diff", str(SAMPLE), *through, "--version", "national-2")
        assert (status, "amount: 69 → 59" in told) == (1, True), told
        status, told = await onetier("fetch", str(tmp_path / "no"), *through, "--version", "national-7")
        assert (status, "national-7 is not published: give one of national-1" in " ".join(told.split())) == (1, True)
    finally:
        await tier.stop()

    status, told = await onetier("diff", str(SAMPLE), "--directory", url, "--version", "national-1")
    assert (status, told) == (0, ""), "read from the unit, with no data center there"
    status, told = await onetier("fetch", str(fetched), "--directory", url)
    assert (status, "FOLDER_NOT_EMPTY" in told) == (1, True)


async def test_a_country_without_catalogues_says_so(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/directory.db"
    tier = await start_tier(
        DATACENTER, load(DataCenterSettings, directory=url, metrics_listen="", drain_grace_ms=1_000), build
    )
    try:
        status, told = await onetier("diff", str(SAMPLE), "--datacenter", tier.address)
        assert (status, "CATALOGUE_UNKNOWN: no catalogue is published yet" in told) == (1, True), told
    finally:
        await tier.stop()


PUBLISHED = [Label(0, 1, ""), Label(2_000, 2, ""), Label(1_000, 3, ""), Label(500, 1, "GD")]


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (Wanted(), ["national-2", "GD-1"]),
        (Wanted(at_ms=0), ["national-1"]),
        (Wanted(at_ms=1_999), ["national-3", "GD-1"]),
        (Wanted(("GD-1",)), ["GD-1"]),
        (Wanted(("national-1", "GD-1")), ["national-1", "GD-1"]),
    ],
)
def test_of_each_domain_one_version_is_chosen(asked: Wanted, chosen: list[str]) -> None:
    assert [str(label) for label in asked.choose(PUBLISHED)] == chosen


@pytest.mark.parametrize("asked", [Wanted(("GD-2",)), Wanted(("GD",))])
def test_what_is_not_published_can_not_be_chosen(asked: Wanted) -> None:
    with pytest.raises(NotFound, match="give one of national-1"):
        asked.choose(PUBLISHED)


def test_files_keep_texts_that_look_like_something_else(tmp_path: Path) -> None:
    sample = read_folder(SAMPLE).catalogues[0]
    odd = Zone("odd", ("*", "NO-*", "46000"), name="null: # - ? ~ 'x' \"y\" 0x1F")
    changed = replace(sample, zones=(*sample.zones, odd))
    write_folder(tmp_path / "odd", [changed])
    assert read_folder(tmp_path / "odd").catalogues == [changed]
    with pytest.raises(Conflict):
        write_folder(tmp_path / "odd", [changed])
