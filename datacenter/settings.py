"""Settings of the data center."""

from pathlib import Path
from typing import ClassVar

from directory.settings import UnitSettings
from runtime.settings import NumberReading, Positive


class DataCenterSettings(NumberReading, UnitSettings):
    """The router."""

    section: ClassVar[str] = "datacenter"

    chain_keys: Path | None = None
    """File of the keys that chain the control log; None = made beside a SQLite directory, needed for any other."""
    anchors: Path | None = None
    """Folder of the anchor files that the control log must not fall short of; None = beside the key file."""
    poll_ms: Positive = 200
    """How often the control log is read."""
    batches_in_flight_max: Positive = 8
    """Batches under way to one domain server."""
    items_in_flight_max: Positive = 50_000
    bytes_in_flight_max: Positive = 256_000_000
    """Of the bodies of these items."""
    stream_items_max: Positive = 20_000
    batch_items_max: Positive = 4_000
    """Items sent to a domain server in one batch."""
    timeout_ms: Positive = 5_000
    routes_cached_max: Positive = 500_000
