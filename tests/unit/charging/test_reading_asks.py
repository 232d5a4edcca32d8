"""One strict reader for what callers of an owner send."""

import msgspec
import pytest
from msgspec import Raw

from charging import wire
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid
from charging.ledger.command import Command
from charging.ledger.commands.post_charge import PostCharge
from charging.wire import Commit, Pull


def asked(key: str = "k", digest: bytes = b"d" * 16, amount: int = 1, steps: bytes = b"\x90") -> bytes:
    sealed = SealedCharge(amount, "CNY", (), (), 1, False, Raw(steps))
    return wire.pack(Commit("m", Command("a", key, digest, "", "web", 0, PostCharge(Usage("m", "v", 0, 1), sealed, 1))))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x92\xa1p\xa2\xff\xfe",
        b"\x91" * 100_000,
        wire.pack(Pull("m"))[:-1],
        wire.pack(Pull("m")) + b"\xc0",
        asked(digest=b""),
        asked(digest=b"d" * 17),
        asked(key=""),
        asked(key="k" * 1_001),
        asked(steps=b""),
        asked(steps=b"\x91" * 2_000 + b"\x90"),
        asked().replace(b"\xa1k", b"\xa1\xff"),
    ],
)
def test_what_can_not_be_read_for_certain_is_refused_and_raises_nothing_else(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        wire.read_ask(body)
    assert caught.value.reason == "BODY_MALFORMED"


def test_what_is_right_is_read() -> None:
    assert wire.read_ask(wire.pack(Pull("m"))) == Pull("m")
    ask = wire.read_ask(asked())
    assert isinstance(ask, Commit)
    assert msgspec.msgpack.encode(ask) == asked()
