"""An SFTP server on a folder of this machine, on loopback, for one user with one key. It lets nobody write."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import asyncssh

USER = "cdr"
_READ_FLAGS = asyncssh.FXF_READ


class _Login(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._key


class _ReadOnly(asyncssh.SFTPServer):
    """As many switches do: whoever comes may list and read."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if pflags != _READ_FLAGS:
            raise asyncssh.SFTPPermissionDenied("read only")
        return super().open(path, pflags, attrs)

    def open56(self, path: bytes, desired_access: int, flags: int, attrs: asyncssh.SFTPAttrs) -> object:
        raise asyncssh.SFTPPermissionDenied("read only")

    def _refuse(self, *_given: object, **_named: object) -> NoReturn:
        raise asyncssh.SFTPPermissionDenied("read only")

    remove = rmdir = mkdir = rename = posix_rename = symlink = link = setstat = lsetstat = fsetstat = _refuse


@asynccontextmanager
async def serve_folder(folder: Path, host_key: Path, user_key: Path, port: int) -> AsyncIterator[int]:
    """Serve a folder until left; gives the port. Keys that are not there are made. Raises OSError."""
    server_key, known = _key(host_key), _key(user_key)
    server = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=lambda: _Login(known.convert_to_public()),
        server_host_keys=[server_key],
        sftp_factory=lambda chan: _ReadOnly(chan, chroot=str(folder).encode()),
        allow_scp=False,
    )
    async with server:
        yield server.get_port()


def _key(path: Path) -> asyncssh.SSHKey:
    """Read a key, or make it, and its public half beside it."""
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519")
        path.touch(mode=0o600)
        path.write_bytes(key.export_private_key())
        path.with_suffix(".pub").write_bytes(key.export_public_key())
    return asyncssh.read_private_key(str(path))
