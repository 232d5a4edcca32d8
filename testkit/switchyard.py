"""Servers of switches for tests: SFTP by asyncssh, FTP and FTPS by pyftpdlib, each on a folder of this machine.

They can do what switches do wrong: break a transfer off, forbid to rename, offer no MLSD, present another key.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Thread

import asyncssh
from msgspec import Struct
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "cdr", "what the switch wants"


class Faults(Struct):
    """What a server does wrong; changed while it runs."""

    break_after: int = -1
    """The connection breaks when a transfer has sent so many bytes; -1 = it doesn't."""
    read_only: bool = False
    """It forbids to rename."""
    times: int = 1
    """So many transfers are broken, then it does well."""

    def breaks(self, sent: int) -> bool:
        """Say whether the connection breaks now."""
        if self.break_after < 0 or sent < self.break_after or not self.times:
            return False
        self.times -= 1
        return True


class _Login(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


class _Files(asyncssh.SFTPServer):
    faults = Faults()

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], root: Path, faults: Faults) -> None:
        self._connection = chan.get_connection()
        self._faults = faults
        super().__init__(chan, chroot=str(root).encode())

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if self._faults.breaks(offset + size):
            self._connection.abort()
        found = super().read(file_obj, offset, size)
        assert isinstance(found, bytes)
        return found

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if self._faults.read_only:
            raise asyncssh.SFTPPermissionDenied("this switch lets nobody rename")
        super().rename(oldpath, newpath)


class SftpYard(Struct):
    """A running SFTP server."""

    port: int
    faults: Faults
    host_key: str
    """Its public key, a line."""

    def written(self, home: Path) -> str:
        """Write what a plant must know into its folder; gives the entry `server` of a source."""
        _secret(home, "yard.password", PASSWORD)
        (home / "yard.pub").write_text(self.host_key, encoding="utf-8")
        files = "password: yard.password, host_keys: yard.pub"
        return f"{{by: sftp, host: 127.0.0.1, port: {self.port}, user: {USER}, {files}}}"


@asynccontextmanager
async def sftp_yard(root: Path, faults: Faults | None = None, port: int = 0) -> AsyncIterator[SftpYard]:
    """Serve a folder by SFTP."""
    told = faults or Faults()
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=_Login,
        server_host_keys=[key],
        sftp_factory=lambda chan: _Files(chan, root, told),
        allow_scp=False,
    )
    async with server:
        yield SftpYard(server.get_port(), told, key.export_public_key().decode())


class FtpYard(Struct):
    """A running FTP or FTPS server."""

    port: int
    faults: Faults
    tls: bool
    authority: str = ""
    user: str = USER

    def written(self, home: Path, more: str = "") -> str:
        """Write what a plant must know into its folder; gives the entry `server` of a source."""
        _secret(home, "yard.password", PASSWORD)
        by = "ftps" if self.tls else "ftp"
        signed = ""
        if self.authority:
            (home / "yard.ca").write_text(self.authority, encoding="utf-8")
            signed = ", authority: yard.ca"
        reached = f"by: {by}, host: localhost, port: {self.port}, user: {self.user}"
        return f"{{{reached}, password: yard.password{signed}{more}}}"


@contextmanager
def ftp_yard(root: Path, faults: Faults | None = None, *, machine: bool = True) -> Iterator[FtpYard]:
    """Serve a folder by FTP, in a thread; `machine` false = without MLSD, MDTM and SIZE, as old switches do."""
    told = faults or Faults()
    handler = _handler(FTPHandler, DTPHandler, root, told, machine=machine)
    with _served(handler) as port:
        yield FtpYard(port, told, tls=False)


@contextmanager
def ftps_yard(root: Path, certificate: Path, authority: str, faults: Faults | None = None) -> Iterator[FtpYard]:
    """Serve a folder by FTPS; `certificate` holds key and certificate, PEM."""
    told = faults or Faults()
    handler = _handler(TLS_FTPHandler, TLS_DTPHandler, root, told, machine=True)
    handler.certfile = str(certificate)
    handler.tls_control_required = handler.tls_data_required = True
    with _served(handler) as port:
        yield FtpYard(port, told, tls=True, authority=authority)


def _handler(
    kind: type[FTPHandler], transfers: type[DTPHandler], root: Path, faults: Faults, *, machine: bool
) -> type[FTPHandler]:
    class Transfer(transfers):  # type: ignore[misc]
        def send(self, data: bytes) -> int:
            # The lists of files go this way, too, in one piece.
            if self.cmd == "RETR" and faults.breaks(self.tot_bytes_sent + len(data)):
                self.cmd_channel.close()
                return 0
            return int(super().send(data))

    class Handler(kind):  # type: ignore[misc]
        def ftp_RNTO(self, path: str) -> object:
            if faults.read_only:
                self.respond("550 This switch lets nobody rename.")
                return None
            return super().ftp_RNTO(path)

    login = DummyAuthorizer()
    login.add_user(USER, PASSWORD, str(root), perm="elrfmw")
    Handler.authorizer = login
    Handler.dtp_handler = Transfer
    Handler.use_sendfile = False
    Handler.unicode_errors = "surrogateescape"
    if not machine:
        unknown = ("MLSD", "MLST", "SIZE", "MDTM")
        Handler.proto_cmds = {name: what for name, what in kind.proto_cmds.items() if name not in unknown}
    return Handler


@contextmanager
def _served(handler: type[FTPHandler]) -> Iterator[int]:
    server = FTPServer(("127.0.0.1", 0), handler)
    port = int(server.socket.getsockname()[1])
    stop = False

    def serve() -> None:
        while not stop:
            server.serve_forever(timeout=0.05, blocking=False, handle_exit=False)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        stop = True
        thread.join(10)
        with contextlib.suppress(OSError):
            server.close_all()


def _secret(home: Path, name: str, text: str) -> None:
    path = home / name
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
