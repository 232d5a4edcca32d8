"""On one machine: what only it can reach, and who is of the same user there."""

import os
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from onetier.v1.data_center_pb2 import DescribeRequest
from onetier.v1.data_center_pb2_grpc import DirectoryServiceStub

from datacenter.settings import DataCenterSettings
from runtime.channel import open_channel
from runtime.loopback import BadToken, is_loopback, make_token, numeric, prove, proves, read_token, shown_to, token_file
from runtime.server import RunningTier
from runtime.settings import BadSettings, load
from runtime.status import from_rpc_error

StartEcho = Callable[..., Awaitable[tuple[RunningTier, object]]]
TOKEN = b"t" * 64
NOW_S = 1_800_000_000.0
HERE = "127.0.0.1:7200"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "LocalHost", "[::1]", "[::ffff:127.0.0.1]"])
def test_what_only_this_machine_can_reach(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.evil", "127.0.0.1.evil", "127.evil", "0.0.0.0", "[::]", "10.0.0.1", "", "[::1].evil", "127.1"]
)
def test_what_others_can_reach_or_might(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("listen", ["0.0.0.0:7200", "localhost.evil:7200", "[::]:7200", "10.0.0.1:0"])
def test_serving_others_without_tls_ends_the_start_with_one_sentence(listen: str) -> None:
    with pytest.raises(
        BadSettings, match=r"can be reached from other machines: give tls_cert.*or write insecure"
    ) as told:
        load(DataCenterSettings, listen=listen)
    assert "\n" not in str(told.value)
    assert load(DataCenterSettings, listen=listen, insecure=True).insecure


def test_a_proof_holds_for_one_address_and_half_a_minute() -> None:
    proof = prove(TOKEN, HERE, NOW_S)
    assert proves(TOKEN, HERE, proof, NOW_S + 29)
    assert not proves(TOKEN, "127.0.0.1:7201", proof, NOW_S)
    assert not proves(TOKEN, "127.0.0.2:7200", proof, NOW_S)
    assert not proves(TOKEN, HERE, proof, NOW_S + 31)
    assert not proves(b"o" * 64, HERE, proof, NOW_S)
    assert TOKEN.decode() not in proof


@pytest.mark.parametrize(
    "proof", ["", ".", "1800000000", "1800000000.", "-1.x", "١٨.x", "9" * 5_000 + ".x", "1800000000.é"]
)
def test_what_is_no_proof_proves_nothing(proof: str) -> None:
    assert not proves(TOKEN, HERE, proof, NOW_S)


def test_localhost_is_one_address_so_a_program_on_its_other_one_gets_no_proof_for_ours() -> None:
    proof = prove(TOKEN, "LocalHost:7200", NOW_S)
    assert proves(TOKEN, HERE, proof, NOW_S)
    assert numeric("localhost:7200") == HERE
    assert not proves(TOKEN, "[::1]:7200", proof, NOW_S)
    assert not proves(TOKEN, HERE, prove(TOKEN, "[::1]:7200", NOW_S), NOW_S)
    assert proves(TOKEN, "[::1]:7200", prove(TOKEN, "[0::1]:7200", NOW_S), NOW_S)


async def test_a_proof_that_a_neighbour_s_program_was_shown_opens_nothing_here(start_echo: StartEcho) -> None:
    """It listens on the same port of another address of the loopback, where somebody called it by mistake."""
    running, _tier = await start_echo()
    port = running.address.rpartition(":")[2]
    for address in (f"[::1]:{port}", f"127.0.0.2:{port}"):
        with pytest.raises(grpc.aio.AioRpcError, match="role is frontend"):
            await _describe(running.address, shown_to(address)[0][1])
    assert await _describe(f"localhost:{port}", None) == 7


def test_the_token_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token"
    token = make_token(path)
    assert make_token(path) == token == read_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["token"]


def test_processes_that_begin_at_once_agree_on_one_token(tmp_path: Path) -> None:
    code = "import sys, pathlib, runtime.loopback; print(runtime.loopback.make_token(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(tmp_path / "token")]
    makers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert len({maker.communicate(timeout=20)[0] for maker in makers}) == 1


def test_a_token_that_others_can_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "token"
    make_token(path)
    path.chmod(0o640)
    with pytest.raises(BadToken, match="mode 0600; remove it"):
        read_token(path)


def test_a_token_file_that_can_t_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadToken, match=r"can't be made: .*ONETIER_TOKEN_FILE"):
        make_token(tmp_path / "file" / "token")


def test_no_proof_leaves_this_machine() -> None:
    make_token(token_file())
    assert shown_to("127.0.0.1:7200")
    assert shown_to("localhost:7200")
    assert not shown_to("10.0.0.1:7200")
    assert not shown_to("localhost.evil:7200")


async def _describe(address: str, proof: str | None) -> int:
    """Ask as an operator would, with our own channel, or with a stranger's and what he shows."""
    if proof is None:
        async with open_channel(address) as channel:
            return int((await DirectoryServiceStub(channel).Describe(DescribeRequest(), timeout=5)).revision)
    async with grpc.aio.insecure_channel(address) as channel:
        shown = (("onetier-proof", proof),) if proof else ()
        reply = await DirectoryServiceStub(channel).Describe(DescribeRequest(), timeout=5, metadata=shown)
        return int(reply.revision)


async def test_another_user_of_the_machine_is_a_front_end_and_no_more(start_echo: StartEcho) -> None:
    running, _tier = await start_echo()
    assert await _describe(running.address, None) == 7
    for proof in ("", "1800000000.beef", shown_to("127.0.0.1:1")[0][1]):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _describe(running.address, proof)
        fault = from_rpc_error(caught.value)
        assert fault.reason == "ROLE_NOT_ALLOWED"
        assert "role is frontend" in fault.message


async def test_a_server_that_is_told_to_be_insecure_asks_nobody(start_echo: StartEcho) -> None:
    running, _tier = await start_echo(insecure=True)
    assert await _describe(running.address, "") == 7


async def test_a_token_file_of_the_settings_is_that_of_the_process_s_channels_too(
    start_echo: StartEcho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONETIER_TOKEN_FILE", str(tmp_path / "other"))
    running, _tier = await start_echo(token_file=tmp_path / "own")
    assert token_file() == tmp_path / "own"
    assert await _describe(running.address, None) == 7
