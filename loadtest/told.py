"""What the service told, one line a charge, for whoever compares it with the journals: key, amount, domain, repeated.

Only what is known is written: a key without a line was never acknowledged.
"""

from collections.abc import Iterable
from pathlib import Path


class ToldFile:
    """Appends to one file for all users of the process; without a path nothing is kept."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None

    def charges(self, lines: Iterable[tuple[str, int, str, bool]]) -> None:
        """Keep the charges of a batch: request key, amount, domain, and whether the key was sent more than once."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{key}\t{amount}\t{domain}\t{resent:d}\n" for key, amount, domain, resent in lines)
