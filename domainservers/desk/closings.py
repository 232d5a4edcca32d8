"""A page of accounts that a run closes: items like any others, whose answers leave together."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from charging.base.account_id import identity_of
from charging.ledger.permission import Permission
from charging.wire import CloseAccounts
from domainservers.desk.item import Item
from domainservers.journal.groups import ReplySink


class _Packed(Struct, frozen=True, array_like=True, tag="C"):
    """`charging.wire.AccountsClosed`, its answers packed."""

    answers: Sequence[Raw]


_pack = msgspec.msgpack.Encoder().encode


class ClosingsSink:
    """The way back of a page, a `ReplySink`: its answer is given once all accounts have theirs."""

    def __init__(self, sink: ReplySink, place: int, accounts: int) -> None:
        self.deadline = sink.deadline
        self._sink = sink
        self._place = place
        self._answers: list[bytes | None] = [None] * accounts
        self._open = accounts

    def answer(self, position: int, body: bytes) -> None:
        """Take the answer of one account."""
        if self._answers[position] is not None:
            return
        self._answers[position] = body
        self._open -= 1
        if not self._open:
            told = [Raw(each) for each in self._answers if each is not None]
            self._sink.answer(self._place, _pack(_Packed(told)))


def items_of(sink: ReplySink, place: int, ask: CloseAccounts, permission: Permission | None) -> list[Item]:
    """Make the items of a page, in its order."""
    together = ClosingsSink(sink, place, len(ask.closes))
    return [
        Item(together, index, identity_of(close.account_id), ask.command(close), permission=permission)
        for index, close in enumerate(ask.closes)
    ]
