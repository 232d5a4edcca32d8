"""Numbered schema migrations: files `<store>/schema/NNNN_what_it_does.<ext>`, applied in order, each once.

A store remembers the numbers it has seen. A store that knows a higher number than this code was opened by a newer
release and is refused: older code would write rows that the newer one no longer reads.
"""

from collections.abc import Collection
from functools import cache
from importlib.resources import files

from msgspec import Struct

from storage.unit import StoreRejected


class Migration(Struct, frozen=True):
    """One step of a store's schema."""

    number: int
    name: str
    statements: tuple[str, ...]


def _statements(text: str) -> tuple[str, ...]:
    """Cut a file into statements. Comments go first, so a semicolon inside one does no harm."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())


@cache
def load(store: str) -> tuple[Migration, ...]:
    """All migrations of a store (`sqlite`, `cassandra`), by number, without a gap."""
    found = []
    for entry in files(f"storage.{store}").joinpath("schema").iterdir():
        number, _, rest = entry.name.partition("_")
        if number.isdigit():
            found.append(Migration(int(number), rest.rpartition(".")[0], _statements(entry.read_text("utf-8"))))
    found.sort(key=lambda step: step.number)
    numbers = [step.number for step in found]
    if numbers != list(range(1, len(numbers) + 1)):
        raise ValueError(f"The {store} migrations are not numbered without a gap: {numbers}.")
    return tuple(found)


def outstanding(store: str, applied: Collection[int], where: str) -> tuple[Migration, ...]:
    """What is still to be applied. Raises `StoreRejected` when the store is newer than this code."""
    known = load(store)
    newest = max(applied, default=0)
    if newest > len(known):
        raise StoreRejected(
            f"{where} has schema {newest}, this release knows up to {len(known)}: start a release at least as new."
        )
    return tuple(step for step in known if step.number not in applied)
