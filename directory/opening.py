"""Opens the directory for a process that starts, and says where other units may be.

Its unit may come later than the process; its log is held against what anchors know of it.
"""

import asyncio

from charging.errors import Broken
from directory.directory import POLL_MS_MAX, ROUTES_CACHED_MAX, Directory
from directory.settings import UnitSettings
from evidence.anchors import DIRECTORY, Anchor, AnchorsAway, Everywhere
from evidence.keys import KeyRing
from runtime.settings import BadSettings
from runtime.telemetry import logger
from storage.allowed import Allowed, allowed_beside
from storage.open import Stores
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


async def open_patiently(stores: Stores, url: str) -> Unit:
    """Open the directory's unit, waiting for a store that is still starting. Raises `BadSettings`."""
    for left in reversed(range(OPEN_TRIES_MAX)):
        try:
            return await stores.open(url)
        except StoreUnavailable as error:
            if left == 0:
                raise BadSettings(f"the directory's unit can't be reached: {error}") from error
            log.warning("the directory's unit is away, trying again", why=str(error))
            await asyncio.sleep(OPEN_PAUSE_S)
        except StoreRejected as error:
            raise BadSettings(f"the directory's unit can't be used: {error}") from error
    raise AssertionError("the last try raises or returns")


async def open_directory(
    unit: Unit,
    anchors: Everywhere,
    ring: KeyRing,
    poll_ms: int = POLL_MS_MAX,
    routes_cached_max: int = ROUTES_CACHED_MAX,
) -> tuple[Directory, Anchor | None]:
    """Open the control log, which must not fall short of its newest anchor; gives both. Raises `BadSettings`."""
    try:
        known = await anchors.newest(DIRECTORY)
        directory = await Directory.open(unit, poll_ms, routes_cached_max=routes_cached_max, ring=ring, known=known)
    except AnchorsAway as away:
        raise BadSettings(f"what is known of the control log can't be asked: {away}") from away
    except Broken as damage:
        raise BadSettings(damage.message) from damage
    return directory, known
