"""The front door, opened by a gateway as any front end opens it."""

from gateways.settings import GatewaySettings
from onetier_client import AsyncClient
from runtime.server import Booth
from runtime.settings import BadSettings


def open_desk(booth: Booth, settings: GatewaySettings) -> AsyncClient:
    """Open the front door as this process: with its certificate, or its user's token. Close it in `Life.close`.

    Raises `BadSettings` without an address.
    """
    if not settings.desks:
        raise BadSettings("desks is missing: give the addresses of app servers, host:port.")
    return AsyncClient(settings.desks, tls=booth.tls, channel=settings.channel, timeout_ms=settings.timeout_ms)
