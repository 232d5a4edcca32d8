"""Typed settings of the tiers, from the environment and one file.

What is given in code wins, then the environment (`ONETIER_POLL_MS=100`), then the TOML file that `ONETIER_CONFIG`
names, then the defaults below. In the file, keys at the top are for every tier, a table for one:

    log_level = "info"
    tls_ca = "/etc/onetier/ca.pem"

    [datacenter]
    listen = "0.0.0.0:7100"

Lists are written with commas in the environment. A value that doesn't fit ends the start with one sentence.
"""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Self, TypeVar, cast

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from charging.base.identity import is_country
from runtime.loopback import host_of, is_loopback

ENV_PREFIX = "ONETIER_"
CONFIG_VARIABLE = "ONETIER_CONFIG"

Words = Annotated[list[str], NoDecode]
Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]


class BadSettings(Exception):
    """A setting is missing, unknown or wrong; the message is one sentence that says which and what to do."""


class TierSettings(BaseSettings):
    """What every tier has."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)
    section: ClassVar[str] = ""

    listen: str = "127.0.0.1:0"
    """Host and port to serve on; port 0 takes a free one."""
    advertise: str = ""
    """Host and port that others dial; empty = the one listened on."""
    metrics_listen: str = "127.0.0.1:0"
    """Where Prometheus reads; empty = nowhere."""
    log_level: str = "info"
    tls_cert: Path | None = None
    """Certificate (chain) of this process, PEM; its SAN `spiffe://onetier/<role>/<name>` names it. None = no TLS."""
    tls_key: Path | None = None
    tls_ca: Path | None = None
    """Authority that both ends' certificates must come from."""
    tls_revoked: Path | None = None
    """List of certificates that count no more, read again when it changes; see `runtime.guard`."""
    token_file: Path | None = None
    """What proves on one machine that a caller is of the same user; None = in the user's state folder."""
    insecure: bool = False
    """Serve whoever calls, as whatever they say, without TLS or token."""
    drain_grace_ms: Natural = 5_000
    """How long work in flight may take after a stop was asked for."""
    message_bytes_max: Positive = 16_000_000
    """Largest gRPC message taken or sent."""

    @field_validator("listen", "advertise", "metrics_listen")
    @classmethod
    def _address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if value and not (host and colon and port.isdecimal() and int(port) < 65_536):
            raise ValueError(f"{value!r} is no address, write host:port")
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("expected debug, info, warning or error")
        return value.lower()

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        given = [bool(self.tls_cert), bool(self.tls_key), bool(self.tls_ca)]
        if any(given) and not all(given):
            raise ValueError("tls_cert, tls_key and tls_ca go together, give all three or none")
        if not any(given) and not self.insecure and self.listen and not is_loopback(host_of(self.listen)):
            reach = f"{self.listen} can be reached from other machines"
            raise ValueError(f"{reach}: give tls_cert, tls_key and tls_ca, or write insecure = true")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Code, environment, file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=_from_file(cls))


class NumberReading(TierSettings):
    """What tiers that read numbers as people write them have besides."""

    country: str = ""
    """ISO 3166 code of the country whose national spellings of numbers are read; empty = E.164 only."""

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str) -> str:
        if value and not is_country(value):
            raise ValueError("expected the code of a country, such as CN, DE or US, or nothing")
        return value


class AppServerSettings(NumberReading):
    """The stateless platform."""

    section: ClassVar[str] = "appserver"

    datacenters: Words = []
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
    access_log: Path | None = None
    """Folder for the log of who read which subscriber's data; None = none is kept."""
    access_log_bytes_max: Positive = 64_000_000
    """Of one file; then it turns over."""
    access_log_files_max: Positive = 16
    """Of one process; the oldest is dropped."""

    @field_validator("datacenters", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _words(value)


class UnitSettings(TierSettings):
    """What a tier has that meets storage units; see `storage.allowed` for what the lists hold."""

    directory: str = "memory:directory"
    """URL of the directory unit."""
    unit_hosts: Words = []
    """Hosts, networks or names where Cassandra units may be; none = the directory's own."""
    unit_folders: Words = []
    """Folders where SQLite units may be; none = the directory's own."""
    unit_password_variables: Words = []
    """Variables that `password_env` of a unit may name; none = ONETIER_*_PASSWORD and the directory's own."""

    @field_validator("unit_hosts", "unit_folders", "unit_password_variables", mode="before")
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return _words(value)


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
    datacenters: Words = []
    """For transfers that end in another domain."""
    domains: Words = []
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
        return _words(value)


SettingsT = TypeVar("SettingsT", bound=TierSettings)


def load(cls: type[SettingsT], **given: object) -> SettingsT:
    """Build settings from code, environment and file. Raises `BadSettings`."""
    try:
        return cast(Callable[..., SettingsT], cls)(**given)
    except ValidationError as error:
        raise BadSettings(_sentence(error)) from error


def _words(value: object) -> object:
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _from_file(cls: type[TierSettings]) -> dict[str, object]:
    """Values for `cls` from the file, none when there is no file named."""
    name = os.environ.get(CONFIG_VARIABLE, "")
    if not name:
        return {}
    try:
        content = tomllib.loads(Path(name).read_text("utf-8"))
    except OSError as error:
        raise BadSettings(
            f"the settings file {name} that {CONFIG_VARIABLE} names can't be read: {error.strerror}."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"the settings file {name} is no TOML: {error}.") from error
    own: dict[str, object] = content.get(cls.section, {})
    if not isinstance(own, dict):
        raise BadSettings(f"in the settings file {name}, {cls.section} must be a table.")
    common: dict[str, object] = {key: value for key, value in content.items() if not isinstance(value, dict)}
    for key in [*(set(common) - set(TierSettings.model_fields)), *(set(own) - set(cls.model_fields))]:
        raise BadSettings(f"the settings file {name} has an unknown key {key!r}; remove it or correct its name.")
    return common | own


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return f"Settings don't fit together: {reason}."
    field = str(first["loc"][0])
    return f"setting {field} ({ENV_PREFIX}{field.upper()}) has the wrong value {first['input']!r}: {reason}."
