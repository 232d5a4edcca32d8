"""Settings of a domain server."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from directory.settings import UnitSettings
from runtime.settings import Listed, Positive, split_words


class DomainServerSettings(UnitSettings):
    """The single writer of its slots."""

    section: ClassVar[str] = "domainserver"

    server_id: str = ""
    """Unique name of this process; empty = made from host and process id."""
    chain_keys: Path | None = None
    """File of the keys that chain journals and seal records; None = made beside a SQLite directory, needed for any
    other. Every domain server, data center and audit of a country has the same."""
    anchors: Path | None = None
    """Folder of the anchor files, best on another disk than any unit; None = beside the key file."""
    anchors_unit: str = ""
    """URL of the unit that keeps anchors besides, best somebody else's; empty = the directory's."""
    anchor_interval_ms: Positive = 10_000
    """How often it is noted where journals stand: so much of a journal's end can vanish unnoticed."""
    datacenters: Listed = []
    """For transfers that end in another domain."""
    domains: Listed = []
    """Domains served; empty = any."""
    poll_ms: Positive = 200
    heartbeat_ms: Positive = 500
    heartbeat_ttl_ms: Positive = 3_000
    """A member not heard of for so long is taken for gone. Only a hint: epochs protect the journal."""
    group_entries_max: Positive = 2_000
    group_bytes_max: Positive = 1_000_000
    commits_in_flight_max: Positive = 16
    """Journal groups under way in this process, over all slots."""
    queue_entries_max: Positive = 20_000
    """Items waiting in one slot; beyond it new ones are answered RESOURCE_EXHAUSTED."""
    run_percent: Annotated[int, Field(ge=1, le=100)] = 10
    """Of the loop's time, that closing accounts for billing runs takes while others change something in this process;
    what nobody else takes, a run may have whole."""
    stream_items_max: Positive = 40_000
    snapshot_entries: Positive = 100_000
    snapshot_interval_ms: Positive = 30_000
    segment_groups_max: Positive = 5_000
    hot_accounts_max: Positive = 200_000
    outcomes_kept_hours: Positive = 24
    session_sweep_ms: Positive = 1_000
    timeout_ms: Positive = 5_000

    @field_validator("datacenters", "domains", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_words(value)
