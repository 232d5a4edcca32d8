"""Settings of the platform."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from runtime.settings import Listed, Natural, NumberReading, Positive, split_words


class AppServerSettings(NumberReading):
    """The stateless platform."""

    section: ClassVar[str] = "appserver"

    datacenters: Listed = []
    """Addresses of data-center instances."""
    batch_requests_max: Positive = 1_000
    """A front end's batch with more requests is refused whole."""
    batches_in_flight_max: Positive = 4
    """Batches under way to one data center."""
    items_in_flight_max: Positive = 20_000
    """Requests inside this process; beyond it new ones are answered RESOURCE_EXHAUSTED."""
    stream_items_max: Positive = 8_000
    """Requests of one stream inside this process; beyond it the stream isn't read."""
    bytes_in_flight_max: Positive = 256_000_000
    """Of batches inside this process, likewise."""
    client_requests_per_s: Positive = 50_000
    """Of one client, that is of a principal at a host; without TLS of a connection. What is over it is answered
    RESOURCE_EXHAUSTED with the time to wait. Beside its rate a client may hold as much as is still free in all."""
    client_bytes_per_s: Positive = 64_000_000
    client_lines_per_s: Positive = 5_000
    """Journal lines that one client is told: they cost the owners more than anything else that may be asked."""
    client_streams_max: Positive = 64
    accounts_cached_max: Positive = 100_000
    accounts_cached_bytes_max: Positive = 256_000_000
    """Of these accounts, packed; in memory they take some times as much."""
    run_percent: Annotated[int, Field(ge=1, le=100)] = 10
    """Of the loop's time, that making bills for billing runs takes while others ask this process for something; what
    nobody else takes, a run may have whole. Owners have a share of their own, for closing."""
    timeout_ms: Positive = 5_000
    """For requests that name none."""
    future_tolerance_ms: Natural = 300_000
    """How far ahead of our clock an event may be."""
    reference_check_ms: Positive = 200
    """How often it is asked whether the reference data of a domain that is used has changed."""
    rerate_max: Positive = 32
    """How often one request is rated again because its account moved on."""
    session_validity_ms: Positive = 3_600_000
    """How long a session stays open after a step, unless the next one comes; then the owner ends it."""
    trace_every: Natural = 10_000
    """Where `traces` is set: one request in so many is traced; 0 = only those whose callers trace them."""
    traces_per_s_max: Positive = 10
    """At most so many are traced, whoever wants it."""
    details: Path | None = None
    """Folder of `onetier details gather`: usage is told from it as far as it is gathered; None = from journals."""
    access_log: Path | None = None
    """Folder for the log of who read which subscriber's data; None = none is kept."""
    access_log_bytes_max: Positive = 64_000_000
    """Of one file; then it turns over."""
    access_log_files_max: Positive = 16
    """Of one process; the oldest is dropped."""

    voucher_keys: Path | None = None
    """File with the secret keys of vouchers, newest first, one a line, hexadecimal; its owner's alone (0600). None =
    this platform serves no vouchers. All platforms of a country have the same."""

    @field_validator("datacenters", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_words(value)
