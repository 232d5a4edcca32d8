"""Who is who on one machine without TLS: a token that only the processes of one user can read.

Whoever can connect to a port of the loopback may be anybody of the machine. So each user's processes share a secret in
a file with mode 0600, made by the first one that needs it. A caller proves that it can read the file with a code over
the address it dials and the time: the secret itself never travels, and what another program on that address might hear
is of no use elsewhere, or later. Who proves nothing is a front end, and no more.

`localhost` is several addresses, and one that our server has not taken is free for anybody's program with the same
port. So without TLS it is 127.0.0.1, for those who serve there and for those who dial (`numeric`).
"""

import hmac
import os
import secrets
import stat
import time
from contextlib import suppress
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

TOKEN_VARIABLE = "ONETIER_TOKEN_FILE"  # where it is, not what it is
TOKEN_BYTES = 32
PROOF_KEY = "onetier-proof"
"""Metadata of a call: `<seconds of the epoch>.<hex code>`."""
PROOF_AGE_S_MAX = 30.0
"""One machine has one clock; this is for callers that are slow to connect."""
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

LOCALHOST = "127.0.0.1"

Metadata = tuple[tuple[str, str], ...]


class BadToken(Exception):
    """The token file can't be had, or others can read it; the message is one sentence that says what to do."""


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a host: an address of the loopback, or the name `localhost` itself."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False  # Names are what a resolver says today.
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def host_of(address: str) -> str:
    """Give the host of host:port."""
    return address.rpartition(":")[0]


def numeric(address: str) -> str:
    """Give host:port with the one address that `localhost` is here; others as they are."""
    host, _, port = address.rpartition(":")
    return f"{LOCALHOST}:{port}" if host.lower() == "localhost" else address


def token_file() -> Path:
    """Where the token of this user's processes is: as ONETIER_TOKEN_FILE says, else in the user's state folder."""
    named = os.environ.get(TOKEN_VARIABLE)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "onetier" / "token"


def use_token_file(path: Path) -> None:
    """Let this process, its channels and its children use that file."""
    os.environ[TOKEN_VARIABLE] = str(path)


def make_token(path: Path) -> bytes:
    """Read the token, made first where there is none; several processes may do so at once. Raises `BadToken`."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            _write_once(path, secrets.token_hex(TOKEN_BYTES).encode())
        return read_token(path)
    except OSError as error:
        hint = f"name a file that this user may write with {TOKEN_VARIABLE}"
        raise BadToken(f"the token file {path} can't be made: {error.strerror}; {hint}.") from error


def read_token(path: Path) -> bytes:
    """Read the token of a file that is this user's alone. Raises `BadToken`, or OSError when it can't be read."""
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        if state.st_uid != os.geteuid() or stat.S_IMODE(state.st_mode) & 0o077:
            raise BadToken(f"the token file {path} must be this user's with mode 0600; remove it to get a new one.")
        token = file.read().strip()
    if len(token) < TOKEN_BYTES:
        raise BadToken(f"the token file {path} holds no token; remove it to get a new one.")
    return token


def prove(token: bytes, address: str, now_s: float) -> str:
    """Prove to whoever serves at host:port of the loopback that one knows the token."""
    when = str(int(now_s))
    return f"{when}.{_code(token, address, when)}"


def proves(token: bytes, address: str, proof: str, now_s: float) -> bool:
    """Say whether a proof is one, for this address and of just now."""
    when, _, code = proof.partition(".")
    if not (when.isascii() and when.isdecimal() and len(when) < 16 and abs(now_s - int(when)) <= PROOF_AGE_S_MAX):
        return False
    return hmac.compare_digest(code.encode("utf-8", "replace"), _code(token, address, when).encode())


def shown_to(address: str) -> Metadata:
    """Give the metadata that proves us to an address of this machine; none without a token, or to other machines.

    What dials `localhost` must dial `numeric` of it.
    """
    host, _, port = address.rpartition(":")
    if not is_loopback(host) or not port.isdecimal():
        return ()
    try:
        return ((PROOF_KEY, prove(read_token(token_file()), address, time.time())),)
    except (OSError, BadToken):
        return ()


def _code(token: bytes, address: str, when: str) -> str:
    host, _, port = numeric(address).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    with suppress(ValueError):
        host = ip_address(host).exploded  # However it is written.
    return hmac.new(token, f"{host} {port} {when}".encode(), sha256).hexdigest()


def _write_once(path: Path, content: bytes) -> None:
    """Write a file whole, unless another process was faster."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.link(scratch, path)
    except FileExistsError:
        return
    finally:
        scratch.unlink()
