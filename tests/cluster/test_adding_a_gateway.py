"""docs/adding-a-gateway.md is followed to the letter: its files, its entry, its certificate, its commands.

The house is copied, the page's gateway is added to the copy, and everything below runs from there.
"""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Iterator
from pathlib import Path

import grpc
import pytest
from msgspec import Struct
from onetier.v1.data_center_pb2 import DescribeRequest
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from charging.errors import Denied
from house.rooms import processes
from onetier_client import AsyncClient, Tls, read_tls
from runtime.channel import open_channel
from runtime.status import from_rpc_error
from tests.cluster.pages import ROOT, add, blocks, copy_house, environment_of, files

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
PAGE = (ROOT / "docs" / "adding-a-gateway.md").read_text("utf-8")
STRANGER = """
openssl ecparam -name prime256v1 -genkey -noout -out kiosk.key
openssl req -new -key kiosk.key -subj "/CN=kiosk" -out kiosk.csr
echo "subjectAltName=URI:spiffe://onetier/kiosk" > kiosk.ext
openssl x509 -req -in kiosk.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 -extfile kiosk.ext -out kiosk.pem
"""
SECOND_OPERATOR = """
mkdir second
cp ca.pem second
openssl ecparam -name prime256v1 -genkey -noout -out second/operator.key
openssl req -new -key second/operator.key -subj "/CN=operator" -out second/operator.csr
echo "subjectAltName=URI:spiffe://onetier/operator/li" > second/operator.ext
openssl x509 -req -in second/operator.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 \\
  -extfile second/operator.ext -out second/operator.pem
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house with the page's gateway in it."""
    copy = copy_house(tmp_path_factory.mktemp("house"), "tests/unit/runtime/test_operation_manual.py")
    made = files(PAGE)
    assert len(made) == len(blocks("python", PAGE)) == 5
    for path, text in made:
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_text(text, "utf-8")
    for diff in blocks("diff", PAGE):
        add(copy, diff)
    return copy


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of certificates: those of docs/tls.md, that of the page, one of no room's role, a second operator's."""
    folder = tmp_path_factory.mktemp("tls")
    (recipe,) = blocks("bash", (ROOT / "docs" / "tls.md").read_text("utf-8"))[:1]
    for script in (recipe, *blocks("bash", PAGE), STRANGER, SECOND_OPERATOR):
        subprocess.run(["bash", "-ec", script], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


def environment(house: Path, **settings: str) -> dict[str, str]:
    own = {f"ONETIER_{name.upper()}": value for name, value in settings.items()}
    return {**environment_of(house), **own}


def run(house: Path, *arguments: str, **settings: str) -> tuple[int, str]:
    """Run a program of the copy; gives its exit status and what it said."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(
        command, cwd=house, env=environment(house, **settings), capture_output=True, text=True, timeout=200, check=False
    )
    return done.returncode, done.stdout + done.stderr


def onetier(house: Path, *arguments: str, **settings: str) -> tuple[int, str]:
    return run(house, "console.main", *arguments, **settings)


class Country(Struct):
    """A small system of the copy, which runs with TLS and the gateway."""

    house: Path
    certificates: Path
    data: Path
    gateway: str
    desk: str
    datacenter: str

    def tls(self, role: str) -> Tls:
        folder = self.certificates
        return read_tls(folder / f"{role}.pem", folder / f"{role}.key", folder / "ca.pem")

    def number(self) -> str:
        lines = (self.data / "subscribers.csv").read_text("utf-8").splitlines()[1:]
        return next(line.partition(",")[0] for line in lines if line.startswith("msisdn:")).removeprefix("msisdn:")


@pytest.fixture(scope="module")
def country(house: Path, tls: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """Start it as the page does, by `onetier up`; Ctrl-C stops it, and all its processes end well."""
    data = tmp_path_factory.mktemp("data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gateway = f"127.0.0.1:{probe.getsockname()[1]}"
    arguments = (
        "up",
        "--data",
        str(data),
        "--subscribers",
        "60",
        "--port",
        "0",
        "--tls",
        str(tls),
        "--gateway",
        "ussd",
    )
    with subprocess.Popen(
        [sys.executable, "-m", "console.main", *arguments],
        cwd=house,
        env=environment(house, ussd_listen=gateway),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C drains" in line:
                break
        found = re.search(r"front ends call (\S+)", said), re.search(r"operators call (\S+)", said)
        assert found[0] is not None, said
        assert found[1] is not None, said
        assert "ussd-0" in said
        yield Country(house, tls, data, gateway, found[0][1], found[1][1])
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 0, rest
        assert re.search(r"drained: .*ussd-0 0", rest), rest


def test_the_gateway_is_of_the_house_s_own_quality(house: Path) -> None:
    assert run(house, "ruff", "check", "gateways", "house", "--no-cache")[0] == 0
    assert run(house, "ruff", "format", "--check", "gateways", "house", "--no-cache")[0] == 0
    status, said = run(house, "mypy", "gateways", "house", "--cache-dir", str(house / ".mypy_cache"))
    assert status == 0, said


def test_the_gateway_keeps_the_import_rules_and_they_can_be_broken(house: Path) -> None:
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", script, "--no-cache"]

    def lint() -> tuple[int, str]:
        done = subprocess.run(
            command, cwd=house, env=environment(house), capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout

    assert lint()[0] == 0
    main = house / "gateways" / "ussd" / "main.py"
    good = main.read_text("utf-8")
    main.write_text(good + "\n\nfrom charging import wire  # noqa\n", "utf-8")
    status, said = lint()
    main.write_text(good, "utf-8")
    assert status != 0
    assert "gateways is not allowed to import charging" in said


def test_the_manual_tells_of_its_settings(house: Path) -> None:
    status, said = run(
        house, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/unit/runtime", "-k", "setting"
    )
    assert status == 0, said
    # What all processes have, the house's own, and the gateway's.
    assert f"{1 + len(list(processes())) + 1} passed" in said


def test_a_start_with_wrong_settings_is_told_in_one_sentence(house: Path, tls: Path, tmp_path: Path) -> None:
    serve = ("serve", "ussd")
    assert onetier(house, *serve)[1].endswith("desks is missing: give the addresses of app servers, host:port.\n")
    status, said = onetier(house, *serve, desks="127.0.0.1:1", line_bytes_max="0")
    assert (status, "ONETIER_LINE_BYTES_MAX" in said) == (2, True), said
    file = tmp_path / "onetier.toml"
    file.write_text('[ussd]\ndesks = ["127.0.0.1:1"]\nline_bytes = 3\n', "utf-8")
    status, said = onetier(house, *serve, config=str(file))
    assert (status, "unknown key 'line_bytes'" in said) == (2, True), said
    other = {"tls_cert": str(tls / "frontend.pem"), "tls_key": str(tls / "frontend.key"), "tls_ca": str(tls / "ca.pem")}
    status, said = onetier(house, *serve, desks="127.0.0.1:1", **other)
    assert (status, "is a certificate of frontend: give one of the role ussd" in said) == (2, True), said


async def test_a_handset_is_answered_through_the_front_door(country: Country) -> None:
    number = country.number()
    status, said = onetier(country.house, "ussd", "dial", number, "--gateway", country.gateway)
    assert status == 0, said
    async with AsyncClient([country.desk], tls=country.tls("frontend")) as client:
        balance = await client.balance(number)
    assert said == f"Your balance is {balance.available / 1_000_000:.2f} {balance.currency}.\n"
    assert onetier(country.house, "ussd", "dial", number, "*1#", "--gateway", country.gateway) == (
        0,
        "Dial *100# for your balance.\n",
    )
    status, said = onetier(country.house, "accesses", str(country.data / "access"), "--principal", "ussd")
    assert status == 0, said
    assert number in said


async def refused(call: Awaitable[object]) -> str:
    with pytest.raises(Denied) as caught:
        await call
    return caught.value.reason


async def test_its_role_may_do_what_the_descriptor_says_and_no_more(country: Country) -> None:
    number = country.number()
    async with AsyncClient([country.desk], tls=country.tls("ussd"), channel="sms-hall") as client:
        assert (await client.balance(number)).currency
        assert await refused(client.charge(number, "voice", 61)) == "COMMAND_NOT_GRANTED"
    async with AsyncClient([country.desk], tls=country.tls("ussd"), channel="front") as client:
        assert await refused(client.balance(number)) == "CHANNEL_NOT_GRANTED"
    where = ("--datacenter", country.datacenter, "--tls", str(country.certificates))
    listed = await asyncio.to_thread(onetier, country.house, "grant", "list", *where)
    assert re.search(r"ussd-1 +\S* *ussd", listed[1]), listed[1]


async def test_what_the_descriptor_brings_is_written_by_one_operator_and_approved_by_another(country: Country) -> None:
    first = ("--datacenter", country.datacenter, "--tls", str(country.certificates))
    status, said = await asyncio.to_thread(onetier, country.house, "grant", "room", "ussd", *first)
    assert (status, "APPROVAL_NEEDED" in said) == (1, True), said
    key = said.split()[2]
    second = (*first[:3], str(country.certificates / "second"))
    status, said = await asyncio.to_thread(onetier, country.house, "grant", "approve", key, *second)
    assert (status, "revision" in said) == (0, True), said
    status, said = await asyncio.to_thread(onetier, country.house, "grant", "room", "appserver", *first)
    assert (status, "no room brings grants for 'appserver'" in " ".join(said.split())) == (2, True), said


async def test_its_role_opens_no_other_door_and_no_other_role_opens_its_own(country: Country) -> None:
    async with open_channel(country.datacenter, country.tls("ussd"), role="datacenter") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await DirectoryServiceStub(channel).Describe(DescribeRequest(), timeout=10)
    assert from_rpc_error(caught.value).reason == "ROLE_NOT_ALLOWED"
    async with AsyncClient([country.desk], tls=country.tls("kiosk"), timeout_ms=5_000) as client:
        assert await refused(client.balance(country.number())) == "ROLE_NOT_ALLOWED"
