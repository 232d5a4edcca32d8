"""Answers that rest on no decision: faults that a slot tells in several places, and outcomes told again."""

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from charging import wire
from charging.base.account import Account
from charging.base.identity import mask
from charging.errors import Broken, Conflict, Denied, Expired, Fault, Invalid, NotFound, Refused, Unavailable
from charging.ledger.approvals import remembered
from charging.ledger.entry import Entry
from charging.ledger.history import retold
from charging.ledger.vouchers import REDEEMED, asks_for


def pack_fault(fault: Fault) -> bytes:
    """Pack a fault as an answer."""
    return wire.pack(wire.failed(fault))


def unknown_identity(identity: str) -> bytes:
    """The answer for an identity without contract."""
    text = f"no contract is known for {mask(identity)}; check the number, or open an account for it"
    return pack_fault(NotFound("IDENTITY_UNKNOWN", text))


def key_reused() -> Conflict:
    """The fault of a request key under which something else is kept."""
    text = "a new key for another intent"
    return Conflict(
        "REQUEST_KEY_REUSED",
        f"the request key was used before with other content; make {text}",
        fields={"request_key": text},
    )


def identity_elsewhere(domain: str, own: str) -> Invalid:
    """The fault of a contract whose identity the directory routes to another region."""
    text = f"an identity that is served in {own}"
    message = f"the identity is served in {domain}: amend its entry in the directory first, or open an account there"
    return Invalid("IDENTITY_ELSEWHERE", message, fields={"contract.identity": text})


def served_elsewhere(given: str, domain: str) -> Invalid:
    """The fault of an opening that names another region than the one that serves its identity."""
    text = f"{domain}, where the identity is served, or nothing"
    fields = {"open_account.contract.domain": text}
    return Invalid("REGION_MISMATCH", f"the account can't be opened in {given[:40]!r}: give {text}", fields=fields)


def slot_moving(name: str, retry_ms: int) -> Unavailable:
    """The fault of a slot that is given up in order."""
    text = f"slot {name} changes its owner; repeat the same request key"
    return Unavailable("SLOT_MOVING", text, retry_ms=retry_ms)


def expired() -> Expired:
    """The fault of a request that waited for too long."""
    return Expired("DEADLINE_EXCEEDED", "the deadline passed in the queue; repeat the same request key")


def store_away() -> Unavailable:
    """The fault when a storage unit gives no answer."""
    return Unavailable(
        "STORE_UNAVAILABLE", "the storage unit does not answer; repeat the same request key", retry_ms=1_000
    )


def account_moved(to_domain: str) -> bytes:
    """The answer for an account that left for another domain; the directory follows within a second."""
    return pack_fault(
        Unavailable("ACCOUNT_MOVED", f"the account has moved to {to_domain}, repeat the same request key", retry_ms=50)
    )


def not_at_opening(principal: str) -> Denied:
    """The fault of an opening that gives more than its sender may alone: there is no account yet to keep it waiting."""
    text = "open the account with nothing, then give by commands that another principal approves"
    return Denied("OPENING_NEEDS_APPROVAL", f"{principal} may not give so much at an opening alone: {text}")


def told_again(packed: bytes | Raw) -> bytes:
    """A stored outcome, marked as told again; a fault when it can't be read."""
    try:
        outcome = wire.unpack_answer(packed)
    except (msgspec.MsgspecError, ValueError):
        return pack_fault(Broken("OUTCOME_UNREADABLE", "the request key was used before; what it did can't be read"))
    if isinstance(outcome, wire.Done | wire.Failed):
        outcome = replace(outcome, repeated=True)
    return wire.pack(outcome)


def told_by_account(account: Account | None, key: str, digest: bytes) -> bytes | None:
    """Give the body for the key of a proposal that the account knows, though the journal's keys may no more.

    None = it knows no such key. An empty `digest` asks by the key alone; one of another content is REQUEST_KEY_REUSED.
    """
    known = remembered(account, key) if account is not None else None
    if known is None:
        return None
    return told_again(known[1]) if digest in (b"", known[0]) else pack_fault(key_reused())


def stored(entry: Entry, domain: str, account: Account | None) -> bytes:
    """The stored outcome of an entry of an account that is in a domain, for a repeat of its key."""
    if entry.kind == REDEEMED and entry.events and account is not None and not asks_for(account, entry.key):
        text = "the voucher was decided so long ago that the account remembers no more: the history tells how"
        return pack_fault(Refused("VOUCHER_DECIDED", text))
    try:
        return wire.pack(retold(entry, domain, account.terms.currency if account is not None else ""))
    except (msgspec.MsgspecError, ValueError):
        return told_again(entry.outcome)
