"""Settings that every gateway has; a gateway's own are a class on this one."""

from pydantic import field_validator

from runtime.settings import Listed, Positive, TierSettings, split_words


class GatewaySettings(TierSettings):
    """Settings of a gateway, besides its own."""

    desks: Listed = []
    """Addresses of app servers; required."""
    channel: str = "front"
    """Access channel that its requests name."""
    timeout_ms: Positive = 5_000
    """Overall deadline of a call, repeats included."""

    @field_validator("desks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_words(value)
