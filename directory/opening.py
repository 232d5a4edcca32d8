"""Opens the directory's unit for a process that starts before its store does, and says where other units may be."""

import asyncio

from runtime.settings import BadSettings, UnitSettings
from runtime.telemetry import logger
from storage.allowed import Allowed, allowed_beside
from storage.open import open_unit
from storage.unit import StoreRejected, StoreUnavailable, Unit

log = logger("directory.opening")

OPEN_TRIES_MAX = 60
OPEN_PAUSE_S = 1.0


def units_allowed(settings: UnitSettings) -> Allowed:
    """Give where units may be by the settings of a process. Raises `BadSettings`."""
    try:
        return allowed_beside(
            settings.directory, settings.unit_hosts, settings.unit_folders, settings.unit_password_variables
        )
    except StoreRejected as error:
        raise BadSettings(f"the directory's unit can't be used: {error}") from error


async def open_patiently(url: str) -> Unit:
    """Open the directory's unit, waiting for a store that is still starting. Raises `BadSettings`."""
    for left in reversed(range(OPEN_TRIES_MAX)):
        try:
            return await open_unit(url)
        except StoreUnavailable as error:
            if left == 0:
                raise BadSettings(f"the directory's unit can't be reached: {error}") from error
            log.warning("the directory's unit is away, trying again", why=str(error))
            await asyncio.sleep(OPEN_PAUSE_S)
        except StoreRejected as error:
            raise BadSettings(f"the directory's unit can't be used: {error}") from error
    raise AssertionError("the last try raises or returns")
