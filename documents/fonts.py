"""The font of documents: fetched once a user from Debian's archive, checked to the byte, kept in the cache folder.

WenQuanYi Micro Hei (Apache-2.0, or GPL-3.0 with an exception for documents) has Latin and Chinese letters in one file
of 5 MB. The package is unpacked here, without root and without dpkg: an `ar` archive that holds a tar archive.
`font.sha256` beside this file says which font it is, wherever it came from.
"""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from charging.errors import NotFound

FONT_NAME = "fonts-wqy-microhei"
FILE = "wqy-microhei.ttc"
CHECKSUM = Path(__file__).with_name("font.sha256")
INSTALLED = Path("/usr/share/fonts/truetype/wqy") / FILE
"""Where the package puts it, on a machine that has it."""
FETCH_TIMEOUT_S = 120
ARCHIVE_BYTES_MAX = 8 << 20
_MAGIC = b"!<arch>\n"
_HEADER = 60


def cache_folder() -> Path:
    """Where it stays: ONETIER_CACHE, else the user's cache folder."""
    named = os.environ.get("ONETIER_CACHE")
    if named:
        return Path(named) / "fonts"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onetier" / "fonts"


def font_folder(report: Callable[[str], None], cache: Path | None = None) -> Path:
    """Give a folder with the font alone, fetched when it is not there yet, and checked each time.

    Several processes may call this at once: each fetches into a folder of its own, the first one's is kept. Raises
    `NotFound` FONT_MISSING, which says what to do.
    """
    folder = cache or cache_folder()
    kept = folder / FILE
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _keep(INSTALLED.read_bytes() if _is_font(INSTALLED) else _fetched(report), kept)
    if not _is_font(kept):
        raise _missing(f"{kept} is not the font of {CHECKSUM.name}: delete it, so that it is fetched again")
    return folder


def unpacked(archive: bytes) -> bytes:
    """Give the font out of a Debian package. Raises `ValueError` when it isn't in it."""
    place = len(_MAGIC)
    while archive.startswith(_MAGIC) and place + _HEADER <= len(archive):
        name, size = archive[place : place + 16].decode("ascii", "replace"), int(archive[place + 48 : place + 58])
        content = archive[place + _HEADER : place + _HEADER + size]
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=io.BytesIO(content)) as contents:
                for member in contents:
                    if member.isfile() and member.name.endswith("/" + FILE) and (found := contents.extractfile(member)):
                        return found.read()
        place += _HEADER + size + size % 2
    raise ValueError(f"no {FILE} in the package")


def _fetched(report: Callable[[str], None]) -> bytes:
    apt = shutil.which("apt-get")
    if apt is None:
        raise _missing(f"the font is fetched by apt-get, which is not here: put {FILE} into {cache_folder()}")
    report(f"fetching the font {FONT_NAME} from Debian's archive (1.6 MB, once)")
    with tempfile.TemporaryDirectory(prefix="onetier-font-") as scratch:
        # apt drops root for the download only where its own user may write.
        Path(scratch).chmod(0o777)
        try:
            done = subprocess.run(
                [apt, "download", "--quiet", FONT_NAME],
                cwd=scratch, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise _missing(f"apt-get did not bring {FONT_NAME} in {FETCH_TIMEOUT_S} s") from None
        brought = sorted(Path(scratch).glob("*.deb"))
        if done.returncode or not brought:
            said = " ".join(done.stderr.split())[:200]
            raise _missing(f"apt-get could not bring {FONT_NAME}: {said}; put {FILE} into {cache_folder()}")
        if brought[0].stat().st_size > ARCHIVE_BYTES_MAX:
            raise _missing(f"what apt-get brought as {FONT_NAME} is larger than it ever was")
        try:
            return unpacked(brought[0].read_bytes())
        except (ValueError, tarfile.TarError) as failure:
            raise _missing(f"{FONT_NAME} can't be unpacked: {failure}") from None


def _keep(font: bytes, kept: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as scratch:
        scratch.write(font)
    Path(scratch.name).replace(kept)


def _is_font(path: Path) -> bool:
    if not path.is_file():
        return False
    wanted = CHECKSUM.read_text("utf-8").split()[0]
    return hashlib.sha256(path.read_bytes()).hexdigest() == wanted


def _missing(message: str) -> NotFound:
    return NotFound("FONT_MISSING", message)
