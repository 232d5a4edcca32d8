"""What can be read of a catalogue with faults, so that they don't hide the others."""

import msgspec
from msgspec import Struct

from charging.catalogue.document import Catalogue, from_plain
from charging.checks.walk import Path as TreePath


class ReadablePart(Struct):
    """The entries that could be read, some without a field; where they stood; and what is missing among them."""

    catalogue: Catalogue | None = None
    lost: set[str] = msgspec.field(default_factory=set)
    """Ids of entries that could not be read: who names them is not to be blamed."""
    _sections: dict[str, list[object]] = msgspec.field(default_factory=dict)
    _places: dict[str, list[int]] = msgspec.field(default_factory=dict)
    _mended: set[tuple[str, int]] = msgspec.field(default_factory=set)

    def take(self, section: str, index: int, item: object, left: object, *, mended: bool) -> None:
        """Take an entry as it was read; `left` is what could be, None = nothing, and `mended` says that it is less."""
        if left is None:
            name = item.get("id") if isinstance(item, dict) else None
            if isinstance(name, str):
                self.lost.add(name)
            return
        self._sections.setdefault(section, []).append(left)
        self._places.setdefault(section, []).append(index)
        if mended:
            self._mended.add((section, index))

    def made_of(self, rest: dict[str, object]) -> Catalogue | None:
        """Make a catalogue of what was taken, and of the fields that are no sections; None when it is none."""
        try:
            return from_plain({**rest, **self._sections})
        except msgspec.ValidationError:
            return None

    def written(self, path: TreePath) -> TreePath | None:
        """Give the place in the files of a place in the catalogue; None in an entry that was read without a field."""
        if len(path) < 2 or not isinstance(path[0], str) or not isinstance(path[1], int):
            return path
        places = self._places.get(path[0])
        if places is None or path[1] >= len(places):
            return path
        index = places[path[1]]
        return None if (path[0], index) in self._mended else (path[0], index, *path[2:])
