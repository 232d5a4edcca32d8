"""The real Cassandra from Maven Central: its jars, fetched once a user and kept in a cache folder.

`jars.sha256` beside this file says which jars these are, to the byte: a folder with one more, one less or another one
is not started, wherever it came from. A new version is a new list: `sha256sum *.jar` in the folder Maven filled.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from cluster.cassandra.errors import LocalCassandraError

VERSION = "5.0.9"
CHECKSUMS = Path(__file__).with_name("jars.sha256")
"""Of every jar, those that it depends on included: lines of `sha256sum`."""
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
FETCH_TIMEOUT_S = 900
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>onetier</groupId>
  <artifactId>localcassandra</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.cassandra</groupId>
      <artifactId>cassandra-all</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""


def cache_folder() -> Path:
    """Where fetched jars stay: ONETIER_CACHE, else the user's cache folder."""
    named = os.environ.get("ONETIER_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onetier"


def version_of(folder: Path) -> str:
    """The Cassandra version of a folder of jars, "" when it has none."""
    for jar in folder.glob("cassandra-all-*.jar"):
        return jar.stem.removeprefix("cassandra-all-")
    return ""


def fetch(report: Callable[[str], None], cache: Path | None = None) -> Path:
    """The folder of Cassandra's jars, fetched by Maven when it is not in the cache yet, and checked each time.

    Several processes may call this at once: each fetches into a folder of its own, the first one's is kept.
    """
    root = cache or cache_folder()
    folder = root / f"cassandra-{VERSION}"
    if not folder.exists():
        _fetch_into(root, folder, report)
    check(folder, CHECKSUMS)
    return folder


def check(folder: Path, checksums: Path) -> None:
    """Raise `LocalCassandraError` unless the folder's jars are those of the list, to the byte."""
    lines = (line.split() for line in checksums.read_text("utf-8").splitlines())
    wanted = {name: digest for digest, name in lines}
    there = {jar.name: jar for jar in folder.glob("*.jar")}
    strange = sorted(there.keys() ^ wanted.keys()) or sorted(
        name for name, jar in there.items() if _digest(jar) != wanted[name]
    )
    if strange:
        raise LocalCassandraError(
            f"The jars in {folder} are not those of {checksums.name} ({', '.join(strange[:3])}): "
            "delete the folder, so that they are fetched again, and ask where they came from if it happens again."
        )


def _digest(jar: Path) -> str:
    with jar.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _fetch_into(root: Path, folder: Path, report: Callable[[str], None]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalCassandraError(
            "Maven is needed to fetch Cassandra and is not on the PATH: install it (package `maven`), "
            f"or put the jars of org.apache.cassandra:cassandra-all {VERSION} into {folder}."
        )
    report(f"fetching Cassandra {VERSION} from Maven (67 MB, once)")
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix="fetch-") as scratch:
        place = Path(scratch)
        (place / "pom.xml").write_text(_POM.format(version=VERSION), "utf-8")
        _run_maven(maven, place)
        if not version_of(place / "lib"):
            raise LocalCassandraError(f"Maven ended well but brought no cassandra-all {VERSION}.")
        check(place / "lib", CHECKSUMS)
        try:
            (place / "lib").rename(folder)
        except OSError as failure:
            if not version_of(folder):  # else another process was faster, with the same jars
                raise LocalCassandraError(f"The jars can't be put into {folder}: {failure}.") from failure


def _run_maven(maven: str, place: Path) -> None:
    strictly = ["--batch-mode", "--quiet", "--strict-checksums"]
    command = [maven, *strictly, f"{PLUGIN}:copy-dependencies", f"-DoutputDirectory={place / 'lib'}"]
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise LocalCassandraError(f"Maven did not finish in {FETCH_TIMEOUT_S} s; is the repository slow?") from None
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line][:5]
        raise LocalCassandraError("Maven could not fetch Cassandra:\n" + "\n".join(said or [done.stdout[-2000:]]))
