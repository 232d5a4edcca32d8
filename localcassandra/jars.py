"""The real Cassandra from Maven Central: its jars, fetched once a user and kept in a cache folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from localcassandra.errors import LocalCassandraError

VERSIONS = "[5.0.0,5.1-alpha)"
"""What we accept, in Maven's notation; the newest that the user's repository offers is taken."""
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
      <version>{versions}</version>
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


def fetch(report: Callable[[str], None], cache: Path | None = None, versions: str = VERSIONS) -> Path:
    """The folder of Cassandra's jars, fetched by Maven when it is not in the cache yet.

    Several processes may call this at once: each fetches into a folder of its own, the first one's is kept.
    """
    root = cache or cache_folder()
    folder = root / "cassandra-5.0"
    if version_of(folder):
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalCassandraError(
            "Maven is needed to fetch Cassandra and is not on the PATH: install it (package `maven`), "
            f"or put the jars of org.apache.cassandra:cassandra-all 5.0.x into {folder}."
        )
    report("fetching Cassandra 5.0 from Maven (67 MB, once)")
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix="fetch-") as scratch:
        place = Path(scratch)
        (place / "pom.xml").write_text(_POM.format(versions=versions), "utf-8")
        _run_maven(maven, place)
        if not version_of(place / "lib"):
            raise LocalCassandraError(f"Maven ended well but brought no cassandra-all {versions}.")
        try:
            (place / "lib").rename(folder)
        except OSError as failure:
            if not version_of(folder):  # else another process was faster, with the same jars
                raise LocalCassandraError(f"The jars can't be put into {folder}: {failure}.") from failure
    return folder


def _run_maven(maven: str, place: Path) -> None:
    command = [maven, "--batch-mode", "--quiet", "dependency:copy-dependencies", f"-DoutputDirectory={place / 'lib'}"]
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise LocalCassandraError(f"Maven did not finish in {FETCH_TIMEOUT_S} s; is the repository slow?") from None
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line][:5]
        raise LocalCassandraError("Maven could not fetch Cassandra:\n" + "\n".join(said or [done.stdout[-2000:]]))
