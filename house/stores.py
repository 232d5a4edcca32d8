"""The stores of all rooms, for whoever looks into every unit: the console, the audit, the bench."""

from house.rooms import ROOMS
from storage.open import Stores

COLLECTIONS = frozenset(collection.name for room in ROOMS for collection in room.collections)
STORES = Stores(COLLECTIONS)
