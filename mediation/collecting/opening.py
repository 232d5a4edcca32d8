"""Opens the folder of a source, wherever it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mediation.collecting.folders import SourceFolder
from mediation.collecting.ftp import ftp_folder
from mediation.collecting.local import LocalFolder
from mediation.collecting.patience import PatientThread
from mediation.collecting.s3 import s3_folder
from mediation.collecting.servers import S3Server, SftpServer
from mediation.collecting.sftp import sftp_folder
from mediation.collecting.sources import SwitchSource


@asynccontextmanager
async def open_folder(source: SwitchSource, home: Path) -> AsyncIterator[SourceFolder]:
    """Open it for one look; `home` is the plant's folder. Raises `SourceLost`."""
    server = source.server
    if server is None:
        thread = PatientThread(source.folder)
        try:
            yield LocalFolder(Path(source.folder), thread)
        finally:
            thread.close()
    elif isinstance(server, SftpServer):
        async with sftp_folder(server, home, source.folder) as by_sftp:
            yield by_sftp
    elif isinstance(server, S3Server):
        async with s3_folder(server, home, source.folder) as by_s3:
            yield by_s3
    else:
        async with ftp_folder(server, home, source.folder) as by_ftp:
            yield by_ftp
