"""Opens the directory's unit for a process that starts before its store does."""

import asyncio

from runtime.settings import BadSettings
from runtime.telemetry import logger
from storage.open import open_unit
from storage.unit import StoreRejected, StoreUnavailable, Unit

log = logger("directory.opening")

OPEN_TRIES_MAX = 60
OPEN_PAUSE_S = 1.0


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
