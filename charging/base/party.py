"""The other party of a usage: a number, a name, a short code, or a number as it was dialled behind a dial prefix.

Numbers and names are read by the one rule of `charging.base.identity`. What only a called party can be stays as it was
dialled, so that a destination of the catalogue finds it: a short code ("10086"), and the digits of a number that was
called through a carrier ("17951 010 6555 1234"), which may have a price of its own.
"""

import re
from functools import lru_cache

from charging.base.bounds import IDENTITY_CHARS_MAX
from charging.base.identity import dialled, plain, read
from charging.errors import Invalid

_SHORT = re.compile(r"[0-9]{3,8}")
_DIALLED = re.compile(r"[0-9 ()/.-]{9,32}")
_WANTED = "a number, a name, or a short code"


def party(raw: str, country: str = "") -> str:
    """Give the one spelling: an identity, or digits as they were dialled. `country` as in `normalise`.

    Raises `Invalid` with reason PARTY_MALFORMED.
    """
    spelling, wanted = read(raw, country)
    if wanted:
        spelling = _as_dialled(raw, country) if len(raw) <= IDENTITY_CHARS_MAX else ""
    if not spelling:
        raise Invalid(
            "PARTY_MALFORMED", f"the other party is malformed: expected {_WANTED}", fields={"other_party": _WANTED}
        )
    return spelling


@lru_cache(maxsize=65_536)
def _as_dialled(raw: str, country: str) -> str:
    text = plain(raw)
    if _SHORT.fullmatch(text) is not None:
        return text
    return dialled(text, country) if _DIALLED.fullmatch(text) is not None else ""
