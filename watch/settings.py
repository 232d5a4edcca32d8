"""Settings of a process that serves the feed."""

from pathlib import Path
from typing import ClassVar

from directory.settings import UnitSettings
from runtime.settings import Positive


class WatchSettings(UnitSettings):
    """The feed."""

    section: ClassVar[str] = "watch"

    chain_keys: Path | None = None
    """File of the keys that chain the journals; None = beside a SQLite directory."""
    anchors: Path | None = None
    """Folder of the anchor files that the control log must not fall short of; None = beside the key file."""
    poll_ms: Positive = 20
    """Pause between looks at a journal in which something happens; doubled while nothing does."""
    poll_idle_ms: Positive = 500
    """Longest pause: how late the first event after a quiet time may be."""
    heartbeat_ms: Positive = 10_000
    """A watcher hears something at least so often."""
    recent_bytes_max: Positive = 4_000_000
    """Events kept in memory of each journal, for all watchers; who is further behind reads the store itself."""
    behind_max: Positive = 4
    """Reads of stores at once for watchers that are behind."""
    streams_max: Positive = 1_000
    """Watchers at once."""
