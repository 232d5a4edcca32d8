"""Request keys that the house gives by itself, written and read here alone, and the digests that go with them.

    ~step~part~part…        where a transfer goes, its other half, its settlement, the end of a session, a replay,
                            a port, a bill that goes to its payer

A "%" or "~" inside of a part is written %25 or %7E, so two different steps never share a key, whatever the ids and
callers' keys in them are. Callers' own keys don't begin with `PREFIX` (`appserver.reading.keys`).
"""

from hashlib import blake2b

import msgspec

PREFIX = "~"
_ADDRESS, _RECEIVE, _SETTLE, _EXPIRE, _PORT, _REPLAY = "address", "receive", "settle", "expire", "port", "replay"
_VOUCHER, _BILL = "voucher", "bill"

_pack = msgspec.msgpack.Encoder().encode


def house_key(step: str, *parts: str) -> str:
    """Give the key of a step that these parts make one of its kind."""
    return PREFIX + PREFIX.join([_escaped(part) for part in (step, *parts)])


def parts_of(key: str) -> tuple[str, ...]:
    """Read a key of the house: the step, then its parts; empty when it is a caller's."""
    if not key.startswith(PREFIX):
        return ()
    return tuple([_plain(part) for part in key[1:].split(PREFIX)])


def receive_key(sender_account_id: str, key: str) -> str:
    """Give the key under which the transfer that was sent under `key` arrives, so that it arrives once."""
    return house_key(_RECEIVE, sender_account_id, key)


def received_from(key: str) -> tuple[str, str] | None:
    """Read the key of an arrival: the sender's account and the key it sent under; None when it is no arrival's."""
    match parts_of(key):
        case (step, sender, sent_key) if step == _RECEIVE:
            return sender, sent_key
    return None


def address_key(key: str, sent_ms: int) -> str:
    """Give the key under which the transfer that was sent under `key`, at that moment, gets the account it goes to."""
    return house_key(_ADDRESS, key, str(sent_ms))


def settle_key(key: str) -> str:
    """Give the key under which the transfer that was sent under `key` is settled at home."""
    return house_key(_SETTLE, key)


def bill_key(number: str) -> str:
    """Give the key under which a bill goes to its payer: no transfer that a caller sends has one like it."""
    return house_key(_BILL, number)


def voucher_key(step: str, account_id: str, key: str, asked_ms: int) -> str:
    """Give the key of a step of the redemption that an account asked for under `key`, at that moment."""
    return house_key(_VOUCHER, step, account_id, key, str(asked_ms))


def voucher_of(key: str) -> tuple[str, str, str] | None:
    """Read the key of a redemption's step: the step, the account and its key; None when it is none's."""
    match parts_of(key):
        case (kind, step, account_id, asked_key, _) if kind == _VOUCHER:
            return step, account_id, asked_key
    return None


def expire_key(session_id: str, valid_until_ms: int) -> str:
    """Give the key under which a session ends when that validity has passed."""
    return house_key(_EXPIRE, session_id, str(valid_until_ms))


def port_key(step: str, key: str) -> str:
    """Give the key of a step of a port: short, whatever the length of the request's key."""
    return house_key(_PORT, step, blake2b(key.encode(), digest_size=20).hexdigest())


def replay_key(newest_key: str, version: str) -> str:
    """Give the key under which what is staged of an account comes in, up to a key, as it was at a version."""
    return house_key(_REPLAY, blake2b(newest_key.encode(), digest_size=20).hexdigest(), version)


def digest_of(*content: object) -> bytes:
    """Give the 16 bytes that tell whether a repeated key asks for the same: over all of the content, structure too."""
    return blake2b(_pack(content), digest_size=16).digest()


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("~", "%7E")


def _plain(part: str) -> str:
    return part.replace("%7E", "~").replace("%25", "%")
