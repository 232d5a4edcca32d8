"""Request keys: one for each intent, unique without asking anybody, in order of time as UUID 7 is."""

import itertools
import os
import secrets
import time


class KeyMaker:
    """Makes keys of 36 hexadecimal digits: 12 of time (ms), 16 random per maker, 8 counted.

    A counter instead of new randomness each time keeps a key at a fraction of a microsecond. After a fork the child
    begins with its own randomness.
    """

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._random = secrets.token_hex(8)
        self._counter = itertools.count()

    def make(self) -> str:
        """Give the next key."""
        number = next(self._counter)
        if number > 0xFFFFFFFF:
            self._renew()
            number = next(self._counter)
        return f"{int(time.time() * 1000):012x}{self._random}{number:08x}"


new_key = KeyMaker().make
