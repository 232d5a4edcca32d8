"""The Java that Cassandra 5.0 runs on, and the options it wants from it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cluster.cassandra.errors import LocalCassandraError

JAVA_VERSION = 17
_EXPORTS = (
    "java.base/java.lang.ref",
    "java.base/jdk.internal.misc",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.attach/sun.tools.attach",
    "jdk.compiler/com.sun.tools.javac.file",
    "jdk.unsupported/sun.misc",
)
_OPENS = (
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "jdk.compiler/com.sun.tools.javac",
    "jdk.management/com.sun.management.internal",
)


def find() -> Path:
    """A Java 17: ONETIER_JAVA, JAVA_HOME, the PATH, then the usual folder of Linux packages.

    Raises `LocalCassandraError`, which says what was found instead.
    """
    seen = []
    for candidate in _candidates():
        version = _version(candidate)
        if version == JAVA_VERSION:
            return candidate
        seen.append(f"{candidate} is {version or 'no Java'}")
    raise LocalCassandraError(
        f"Cassandra 5.0 needs Java {JAVA_VERSION}: install it (package `openjdk-17-jre-headless`) "
        f"or name it in JAVA_HOME. Found: {', '.join(seen) or 'none'}."
    )


def options(heap_mb: int) -> list[str]:
    """Options of the JVM: a heap of `heap_mb`, and the doors into the JDK that Cassandra's libraries walk through."""
    return [
        f"-Xms{heap_mb}m",
        f"-Xmx{heap_mb}m",
        "-Xss512k",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:+PerfDisableSharedMem",
        "-Djava.awt.headless=true",
        "-Djava.security.manager=allow",
        "-Djdk.attach.allowAttachSelf=true",
        "-Dio.netty.tryReflectionSetAccessible=true",
        f"-XX:MaxDirectMemorySize={max(heap_mb, 256)}m",
        *(f"--add-exports={name}=ALL-UNNAMED" for name in _EXPORTS),
        *(f"--add-opens={name}=ALL-UNNAMED" for name in _OPENS),
    ]


def _candidates() -> Iterator[Path]:
    named = os.environ.get("ONETIER_JAVA")
    if named:
        yield Path(named)
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    found = shutil.which("java")
    if found:
        yield Path(found)
    yield from sorted(Path("/usr/lib/jvm").glob("*17*/bin/java"))


def _version(java: Path) -> int:
    """The feature release of that Java, 0 when it does not run."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(\d+)', done.stderr + done.stdout)
    return int(match.group(1)) if match else 0
