"""Typed settings of processes, from the environment and one file. What a tier has of its own is in its room.

What is given in code wins, then the environment (`ONETIER_POLL_MS=100`), then the TOML file that `ONETIER_CONFIG`
names, then the defaults below. In the file, keys at the top are for every tier, a table for one:

    log_level = "info"
    tls_ca = "/etc/onetier/ca.pem"

    [datacenter]
    listen = "0.0.0.0:7100"

Lists are written with commas in the environment. A value that doesn't fit ends the start with one sentence.
"""

import os
import re
import tomllib
from collections.abc import Callable, Collection
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
from charging.base.names import is_plain
from runtime.loopback import host_of, is_loopback

ENV_PREFIX = "ONETIER_"
CONFIG_VARIABLE = "ONETIER_CONFIG"

Listed = Annotated[list[str], NoDecode]
"""Words of a list; in the environment with commas between them (`split_words`)."""
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
    traces: str = ""
    """Where spans of traces go, by OTLP over gRPC: http://host:port or https://host:port; empty = nowhere."""
    traces_ca: Path | None = None
    """Authority of an https collector; None = those that the system trusts."""
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

    @field_validator("*", mode="before")
    @classmethod
    def _one_line(cls, value: object) -> object:
        if any(
            isinstance(word, str) and not is_plain(word) for word in (value if isinstance(value, list) else [value])
        ):
            raise ValueError("expected one line of text, without control characters")
        return value

    @field_validator("listen", "advertise", "metrics_listen")
    @classmethod
    def _address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if value and not (host and colon and port.isdecimal() and int(port) < 65_536):
            raise ValueError(f"{value!r} is no address, write host:port")
        return value

    @field_validator("traces")
    @classmethod
    def _collector(cls, value: str) -> str:
        if value and re.fullmatch(r"https?://[^/\s]+:[0-9]{1,5}/?", value) is None:
            raise ValueError("expected http://host:port or https://host:port of a collector that takes OTLP over gRPC")
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


SettingsT = TypeVar("SettingsT", bound=TierSettings)


def split_words(value: object) -> object:
    """Read a list as the environment has it, for a validator in mode `before`."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def load(cls: type[SettingsT], **given: object) -> SettingsT:
    """Build settings from code, environment and file. Raises `BadSettings`."""
    try:
        return cast(Callable[..., SettingsT], cls)(**given)
    except ValidationError as error:
        raise BadSettings(_sentence(error)) from error


def check_tables(known: Collection[str]) -> None:
    """Refuse a settings file with a table that is nobody's: its settings would have no effect. Raises `BadSettings`.

    `known` are the roles of all processes.
    """
    name = os.environ.get(CONFIG_VARIABLE, "")
    content = _read(name) if name else {}
    for key, value in content.items():
        if isinstance(value, dict) and key not in known:
            line = _line_of(Path(name).read_text("utf-8"), key)
            raise BadSettings(
                f"the settings file {name}, line {line}, has a table {key!r} that no process reads; "
                f"there are {', '.join(known)}."
            )


def _line_of(text: str, table: str) -> int:
    """Give the line on which a table, or the first below it, begins; TOML has several spellings for one."""
    quoted = "|".join((re.escape(table), re.escape(f'"{table}"'), re.escape(f"'{table}'")))
    begins = re.compile(rf"\s*\[*\s*(?:{quoted})\s*[\].=]")
    return next((number for number, line in enumerate(text.splitlines(), 1) if begins.match(line)), 1)


def _from_file(cls: type[TierSettings]) -> dict[str, object]:
    """Values for `cls` from the file, none when there is no file named."""
    name = os.environ.get(CONFIG_VARIABLE, "")
    if not name:
        return {}
    content = _read(name)
    own = content.get(cls.section, {})
    if not isinstance(own, dict):
        raise BadSettings(f"in the settings file {name}, {cls.section} must be a table.")
    common: dict[str, object] = {key: value for key, value in content.items() if not isinstance(value, dict)}
    for key in [*(set(common) - set(TierSettings.model_fields)), *(set(own) - set(cls.model_fields))]:
        raise BadSettings(f"the settings file {name} has an unknown key {key!r}; remove it or correct its name.")
    return common | own


def _read(name: str) -> dict[str, object]:
    try:
        return tomllib.loads(Path(name).read_text("utf-8"))
    except OSError as error:
        raise BadSettings(
            f"the settings file {name} that {CONFIG_VARIABLE} names can't be read: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise BadSettings(f"the settings file {name} is no UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"the settings file {name} is no TOML: {error}.") from error


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return f"Settings don't fit together: {reason}."
    field = str(first["loc"][0])
    return f"setting {field} ({ENV_PREFIX}{field.upper()}) has the wrong value {first['input']!r}: {reason}."
