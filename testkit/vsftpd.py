"""vsftpd, an FTP server that nobody here wrote: it offers no MLSD, and wants files' TLS sessions to be the commands'.

It is the machine's, or fetched once a user from Debian's archive by apt-get and unpacked without root.
"""

import asyncio
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from documents.fonts import cache_folder
from testkit.certificates import signed_by_itself
from testkit.switchyard import Faults, FtpYard

PACKAGES = ("vsftpd", "libwrap0")
FETCH_TIMEOUT_S = 120
START_TIMEOUT_S = 30.0
_CONFIGURATION = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
anonymous_enable=YES
no_anon_password=YES
anon_root={root}
ftp_username={user}
local_enable=NO
connect_from_port_20=NO
xferlog_enable=NO
seccomp_sandbox=NO
secure_chroot_dir={root}
ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
require_ssl_reuse=YES
rsa_cert_file={certificate}
"""


@asynccontextmanager
async def vsftpd_yard(root: Path, scratch: Path) -> AsyncIterator[FtpYard]:
    """Serve a folder by FTPS on a process of its own; whoever logs in is anonymous."""
    program = await asyncio.to_thread(_program)
    certificate, authority = signed_by_itself(scratch, "localhost")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    words = {"port": port, "root": root, "user": getpass.getuser(), "certificate": certificate}
    (scratch / "vsftpd.conf").write_text(_CONFIGURATION.format(**words), encoding="utf-8")
    libraries = os.pathsep.join(str(path) for path in program.parents[2].glob("**/*-linux-*") if path.is_dir())
    process = await asyncio.create_subprocess_exec(
        str(program), str(scratch / "vsftpd.conf"), env={**os.environ, "LD_LIBRARY_PATH": libraries}
    )
    try:
        await _answers(port, process)
        yield FtpYard(port, Faults(), tls=True, authority=authority, user="anonymous")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_TIMEOUT_S):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"vsftpd ended with {process.returncode}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


def _program() -> Path:
    """Give the program. Raises RuntimeError, which says what to do."""
    if installed := shutil.which("vsftpd", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin"))):
        return Path(installed)
    kept = cache_folder().parent / "vsftpd"
    if not (program := kept / "usr" / "sbin" / "vsftpd").exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            _unpack(Path(scratch))
            try:
                (Path(scratch) / "root").rename(kept)
            except OSError:
                if not program.exists():  # Another process was first.
                    raise
    return program


def _unpack(scratch: Path) -> None:
    advice = "this test needs vsftpd: install it, or let apt-get download vsftpd and libwrap0"
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg")
    if apt is None or dpkg is None:
        raise RuntimeError(advice)
    # apt drops root for the download only where its own user may write.
    scratch.chmod(0o777)
    download = [apt, "download", "--quiet", *PACKAGES]
    for command in (download, [apt, "update", "--quiet"], download):
        done = subprocess.run(
            command, cwd=scratch, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
        )
        if command is download and done.returncode == 0:
            break
    else:
        raise RuntimeError(f"{advice}: {done.stderr.strip()[-300:]}")
    for package in scratch.glob("*.deb"):
        subprocess.run([dpkg, "-x", str(package), str(scratch / "root")], check=True, timeout=FETCH_TIMEOUT_S)
