"""Settings of processes that open the directory: where its unit is, and where other units may be."""

from pydantic import field_validator

from runtime.settings import Listed, TierSettings, split_words


class UnitSettings(TierSettings):
    """What a tier has that meets storage units; see `storage.allowed` for what the lists hold."""

    directory: str = "memory:directory"
    """URL of the directory unit."""
    unit_hosts: Listed = []
    """Hosts, networks or names where Cassandra units may be; none = the directory's own."""
    unit_folders: Listed = []
    """Folders where SQLite units may be; none = the directory's own."""
    unit_password_variables: Listed = []
    """Variables that `password_env` of a unit may name; none = ONETIER_*_PASSWORD and the directory's own."""

    @field_validator("unit_hosts", "unit_folders", "unit_password_variables", mode="before")
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return split_words(value)
