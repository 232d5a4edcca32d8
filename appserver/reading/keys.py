"""Keys as callers make them: of requests, and of what the network calls a unit."""

from onetier.v1 import service_desk_pb2 as desk

from charging.base.bounds import KEY_CHARS_MAX
from charging.base.house_keys import PREFIX
from charging.base.unit_key import NONE
from charging.errors import Invalid


def check_key(key: str) -> None:
    """Look at a key that a request must have. Raises `Invalid` REQUEST_KEY_MISSING, REQUEST_KEY_MALFORMED."""
    if not key:
        text = "made by the caller, unique for each intent"
        raise _fault("REQUEST_KEY_MISSING", f"the request key is missing: {text}", text)
    if not is_key(key):
        text = f"at most {KEY_CHARS_MAX} printable ASCII characters, the first not {PREFIX}"
        raise _fault("REQUEST_KEY_MALFORMED", f"the request key must have {text}", text)


def is_key(key: str) -> bool:
    """Say whether a text that is not empty may be a caller's key."""
    return len(key) <= KEY_CHARS_MAX and key.isascii() and key.isprintable() and key[0] != PREFIX


def numbers_of(key: desk.UnitKey) -> tuple[int, int]:
    """Give rating group and service identifier; `NONE` for what is not there, as zero is a number."""
    group = key.rating_group if key.HasField("rating_group") else NONE
    return group, key.service_identifier if key.HasField("service_identifier") else NONE


def _fault(reason: str, message: str, text: str) -> Invalid:
    return Invalid(reason, message, fields={"request_key": text})
