"""Explicit entries: identities that are served elsewhere than the number plan says, by the million in every process."""

from sys import intern

from directory.changes import DirectoryEntry
from directory.slots import SLOTS_PER_DOMAIN_MAX


class EntryTable(dict[str, int]):
    """identity → place as one integer; these are shared, so an entry costs its key and a slot of the table."""

    def __init__(self) -> None:
        super().__init__()
        self._codes: list[str] = []
        self._code_index: dict[str, int] = {}
        self._places: dict[int, int] = {}

    def enter(self, entry: DirectoryEntry) -> None:
        """Take an entry in, or take it away."""
        if entry.remove:
            self.pop(entry.identity, None)
        else:
            self[entry.identity] = self._pack(entry.domain, entry.slot)

    def place(self, identity: str) -> tuple[str, int] | None:
        """Give (domain, slot) of an identity; None without an entry."""
        packed = self.get(identity)
        if packed is None:
            return None
        index, slot = divmod(packed, SLOTS_PER_DOMAIN_MAX)
        return self._codes[index], slot

    def _pack(self, domain: str, slot: int) -> int:
        index = self._code_index.get(domain)
        if index is None:
            index = self._code_index[domain] = len(self._codes)
            self._codes.append(intern(domain))
        place = index * SLOTS_PER_DOMAIN_MAX + slot
        return self._places.setdefault(place, place)
