"""Front ends in other languages, from the contracts alone: the clients of `clients/` against a running system."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.rpc import code_pb2
from onetier.v1 import data_center_pb2 as dc

from cluster import loading
from cluster.system import Shape, System
from console.frontend.protos import write
from tests.cluster.small_country import settle_country

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients"
BUILD_S = 240
pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
Lines = dict[str, dict[str, object]]


def run(folder: Path, *command: str, timeout_s: float = BUILD_S, **environment: str) -> str:
    program = shutil.which(command[0])
    assert program, f"the tests of clients need {command[0]}: install Go 1.26 and Node 18 with npm"
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def protos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("protos")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority that the document makes."""
    folder = tmp_path_factory.mktemp("tls")
    page = (ROOT / "docs" / "tls.md").read_text("utf-8")
    script = re.findall(r"```bash\n(openssl .*?)```", page, re.DOTALL)[0]
    run(folder, "bash", "-euc", script)
    return folder


def node(folder: Path, address: str, identity: str, protos: Path, feed: str, tls: Path | None) -> str:
    home = folder / "node"
    if not home.exists():
        shutil.copytree(CLIENTS / "node", home, ignore=shutil.ignore_patterns("node_modules"))
        run(home, "npm", "ci", "--no-audit", "--no-fund")
    return run(
        home, "node", "first.mjs", address, identity, str(protos), feed, *([str(tls)] if tls else []), timeout_s=30
    )


def go(folder: Path, address: str, identity: str, protos: Path, feed: str, tls: Path | None) -> str:
    home = folder / "go"
    if not home.exists():
        shutil.copytree(CLIENTS / "go", home, ignore=shutil.ignore_patterns("v1"))
        run(home, "sh", "generate.sh", str(protos), PROTOC=f"{sys.executable} -m grpc_tools.protoc")
        run(home, "go", "vet", "./...")
        run(home, "go", "build", "-o", "first", ".")
    return run(home, str(home / "first"), address, identity, feed, *([str(tls)] if tls else []), timeout_s=30)


def listed(found: object) -> list[object]:
    assert isinstance(found, list)
    return found


def code(found: dict[str, object]) -> int:
    """The status, spelt by each language as it likes."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(found["code"])).upper()
    return code_pb2.Code.Value(name)


async def let_watch(system: System, principal: str) -> None:
    """Grant all there is to a front end, the feed too."""
    grant = dc.Grant(grant_id="feed", subject=principal, commands=["*"], amount_max=-1, alone_max=-1, actors=True)
    async with system.directory_of(0) as stub:
        await loading.until_known(stub, await loading.amend(stub, [dc.DirectoryChange(grant=grant)], "feed"))


@pytest.mark.parametrize("secured", [False, True], ids=["loopback", "tls"])
async def test_a_first_day_in_node_and_in_go(tmp_path: Path, protos: Path, certificates: Path, secured: bool) -> None:
    tls = certificates if secured else None
    country = settle_country(tmp_path / "country", slots={"GD": 1}, people=2, shape=Shape(1, 1, 1, feeds=1), tls=tls)
    (tmp_path / "country").mkdir()
    async with country as small:
        if tls is None:
            await let_watch(small.system, "frontend/local")
        address, feed = small.system.endpoints[0], small.system.running["watch"][0].address
        for client, identity in zip((node, go), small.everybody, strict=True):
            before = (await small.client.balance(identity)).real
            printed = await asyncio.to_thread(client, tmp_path, address, identity, protos, feed, tls)
            told: Lines = {line["what"]: line for line in map(json.loads, printed.splitlines())}
            amount = int(str(told["charged"]["amount"]))
            assert amount > 0
            assert told["charged"]["currency"] == "CNY"
            assert (told["charged"]["repeated"], told["repeated"]["repeated"]) == (False, True)
            assert int(str(told["repeated"]["amount"])) == amount
            for what, status, reason, fields in (
                ("other content", code_pb2.ALREADY_EXISTS, "REQUEST_KEY_REUSED", ["request_key"]),
                ("nobody", code_pb2.NOT_FOUND, "IDENTITY_UNROUTED", []),
                ("misspelt", code_pb2.INVALID_ARGUMENT, "QUANTITY_NEGATIVE", ["quantity"]),
            ):
                found = told[what]
                assert (code(found), found["reason"], found["fields"]) == (status, reason, fields)
            assert int(str(told["session"]["granted"])) == 120
            charged = told["session"]["charged"]
            assert isinstance(charged, list)
            groups = told["groups"]
            assert groups["results"] == [
                [10, "data", "RESULT_CODE_SUCCESS", ""],
                [20, "data", "RESULT_CODE_SUCCESS", ""],
                [77, "", "RESULT_CODE_RATING_FAILED", "UNIT_KEY_UNKNOWN"],
            ]
            assert [int(str(granted)) for granted in listed(groups["granted"])] == [1 << 20, 100 << 20, 0]
            by_group = [int(str(one)) for one in listed(groups["charged"])]
            assert by_group[1] == 2 * by_group[0] > 0
            spent = amount + int(charged[-1]) + sum(by_group)
            assert int(str(told["balance"]["real"])) == before - spent
            assert int(str(told["balance"]["reserved"])) == 0
            assert (await small.client.balance(identity)).real == before - spent
            watch = told["watch"]
            if tls is None:
                assert (int(str(watch["amount"])), watch["kinds"], watch["next"]) == (amount, ["charged"], "session")
            else:  # No operator has granted it to front ends.
                assert (code(watch), watch["reason"]) == (code_pb2.PERMISSION_DENIED, "COMMAND_NOT_GRANTED")


def test_the_contracts_stand_alone(protos: Path) -> None:
    files = sorted(path.relative_to(protos).as_posix() for path in protos.rglob("*.proto"))
    imported = {
        name for path in protos.rglob("*.proto") for name in re.findall(r'^import "(.*)";', path.read_text(), re.M)
    }
    assert {name for name in imported if not name.startswith("google/protobuf/")} <= set(files)
    assert "onetier/v1/service_desk.proto" in files
