"""The id of an account: one in the whole country, for life, written and read here alone.

    GD/3:msisdn:8613012345678     opened in slot 3 of domain GD under that identity, without an id of its own
    GD/3:msisdn:8613012345678/2   the next one under the same identity, which the first had let go
    GD/3:1001                     the caller's own id "1001"

The slot of the opening comes first: its owner alone gives ids that begin with it, so no two owners ever give one twice,
and nobody needs to be asked. The id stays when the account is ported; it says where the account began, not where it is.

`account:GD/3:1001` asks for an account by its id, like an identity: also when it has no number any more.
"""

import re

from charging.errors import Invalid

KIND = "account:"
"""Of the identities that name an account itself."""
OWN_CHARS_MAX = 64
NEXT_MAX = 999
"""Accounts that one identity may have had, one after the other, without ids of their own."""

_OWN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_NATIONAL = re.compile(
    r"(?P<slot>[A-Za-z0-9][A-Za-z0-9_.-]{0,31}/[0-9]{1,5}):(?P<local>[A-Za-z0-9][A-Za-z0-9._@:-]{0,95})(?:/[1-9][0-9]{0,2})?"
)
_WANTED = f"1 to {OWN_CHARS_MAX} letters, digits and . _ @ -, the first one a letter or digit"


def compose(slot: str, local: str, number: int = 1) -> str:
    """Give the id of an account opened in a slot ("GD/3") under a local id; `number` counts those of one identity."""
    return f"{slot}:{local}" if number == 1 else f"{slot}:{local}/{number}"


def slot_of(account_id: str) -> str:
    """Give the slot in which an account was opened; "" when the text is no national id."""
    match = _NATIONAL.fullmatch(account_id)
    return match["slot"] if match is not None else ""


def names(given: str, account_id: str) -> bool:
    """Say whether what a caller gave means this account: its id, or the part of it that the caller chose."""
    return given in (account_id, account_id.partition(":")[2])


def check_own(given: str, identity: str, field: str) -> str:
    """Give the local id that an opening asks for; "" = none of its own, so that its identity stands for it.

    Raises `Invalid` ACCOUNT_ID_MALFORMED. An own id has no colon, so it never looks like somebody's number.
    """
    if given in ("", identity):
        return ""
    if _OWN.fullmatch(given) is None:
        text = f"nothing, the identity of the request, or {_WANTED}"
        raise Invalid("ACCOUNT_ID_MALFORMED", f"{field} must be {text}", fields={field: text})
    return given


def identity_of(account_id: str) -> str:
    """Give the identity that asks for an account by its id."""
    return KIND + account_id


def asked_for(identity: str) -> str:
    """Give the account id that an identity names; "" for the identity of a subscriber."""
    return identity[len(KIND) :] if identity.startswith(KIND) else ""


def read(identity: str) -> tuple[str, str]:
    """Give the identity that names an account, or else, behind it, what was expected."""
    if _NATIONAL.fullmatch(asked_for(identity)) is None:
        return "", "an account's id as replies tell it, such as account:GD/3:1001"
    return identity, ""


def require_subscriber(identity: str, field: str) -> None:
    """Refuse an account's id where a subscriber is wanted. Raises `Invalid` SUBSCRIBER_MISSING."""
    if identity.startswith(KIND):
        text = "the number or name of a subscriber: an account itself uses nothing"
        raise Invalid("SUBSCRIBER_MISSING", f"{field} must be {text}", fields={field: text})
