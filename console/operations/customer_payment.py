"""What a customer pays at once, over all its accounts: each share once, however often the command is repeated.

A share has a key made of the caller's and the account's, so a repeat asks first what was paid under those, and shares
only what is left: bills that fell due or were paid meanwhile change where the rest goes, never how much is paid.
"""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from charging.base.account_id import identity_of
from charging.base.money import show
from charging.errors import Conflict, NotFound, Refused
from console.operations.billing_calls import BillsCaller
from onetier_client import AsyncClient


class CustomerPayment(Struct, frozen=True):
    """What is paid, in whose name."""

    identity: str
    """Of a member of any account of the customer: what no bill asks for is the balance of this one."""
    amount: int
    """Micro-units, in the currency of that account."""
    reason: str
    key: str


class CustomerShare(Struct, frozen=True):
    """What one account got of a customer's payment."""

    account_id: str
    amount: int
    """Micro-units."""
    repeated: bool
    """It was paid by an earlier call under the same key."""


async def pay_customer(client: AsyncClient, payment: CustomerPayment, caller: BillsCaller) -> list[CustomerShare]:
    """Pay the oldest due bills of all accounts in one currency; the rest is the balance of the account that is named.

    Raises `NotFound` CUSTOMER_UNKNOWN, `Refused` PAYMENT_EXCEEDS_BILL where no account is open that could keep the
    rest, `Conflict` REQUEST_KEY_REUSED where another amount was paid under the key, and what `pay` raises: then the
    same call goes on where it stopped.
    """
    views, named = await _accounts(client, payment.identity, caller)
    outcomes = await asyncio.gather(
        *[
            client.outcome(
                identity_of(view.account_id),
                part_key(payment.key, view.account_id),
                channel=caller.channel,
                actor=caller.actor,
            )
            for view in views
        ]
    )
    told = list(zip(views, outcomes, strict=True))
    paid = [
        CustomerShare(view.account_id, outcome.reply.command.amount, repeated=True)
        for view, outcome in told
        if outcome.state == outcome.STATE_DONE
    ]
    free = [view for view, outcome in told if outcome.state == outcome.STATE_UNKNOWN]
    left = payment.amount - sum(share.amount for share in paid)
    if left < 0 or (left and not free):
        before = f"{show(payment.amount - left)} {named.currency} were paid under the key"
        text = f"{before}, now {show(payment.amount)} are asked for"
        facts = {"request_key": payment.key}
        raise Conflict("REQUEST_KEY_REUSED", f"{text}: pay what is missing under another key", facts=facts)
    for account_id, amount in shared(left, free, named.account_id):
        await client.execute(
            identity_of(account_id),
            desk.Pay(amount=amount, reason=payment.reason),
            request_key=part_key(payment.key, account_id),
            channel=caller.channel,
            actor=caller.actor,
        )
        paid.append(CustomerShare(account_id, amount, repeated=False))
    return paid


def shared(amount: int, views: Sequence[desk.ArrearsView], named: str) -> list[tuple[str, int]]:
    """Share an amount: (account, micro-units), never more than it owes but for the last, which keeps the rest.

    That is the account that is `named`, or the first open one where this is closed or has its share already: paid last,
    so whoever breaks off before it leaves what is owed for a repeat to share. Raises `Refused` PAYMENT_EXCEEDS_BILL.
    """
    owed = sorted((bill.due_ms, view.account_id, bill.open - bill.disputed) for view in views for bill in view.bills)
    parts: dict[str, int] = {}
    left = amount
    for _, account_id, open_ in owed:
        part = min(left, open_)
        if part > 0:
            parts[account_id] = parts.get(account_id, 0) + part
            left -= part
    if left:
        keeping = [view.account_id for view in views if view.status != "closed"]
        if not keeping:
            facts = {"owed": str(amount - left), "bill": ""}
            there = f"{show(amount - left)} {views[0].currency} are owed"
            text = f"{there}, and no account is open to keep the other {show(left)}"
            raise Refused("PAYMENT_EXCEEDS_BILL", text, facts=facts)
        last = named if named in keeping else keeping[0]
        parts[last] = parts.pop(last, 0) + left
    return list(parts.items())


def part_key(key: str, account_id: str) -> str:
    """Give the key of an account's part of something done to many: the same for the same key, whoever asks."""
    digest = blake2b(f"{key}\0{account_id}".encode(), digest_size=10)
    return f"{key[:40]}-{digest.hexdigest()}"


async def _accounts(
    client: AsyncClient, identity: str, caller: BillsCaller
) -> tuple[list[desk.ArrearsView], desk.ArrearsView]:
    """Give what the accounts of a customer owe that have the currency of the one that is named, and that one's."""
    named = await client.arrears(identity, channel=caller.channel, actor=caller.actor)
    ids: list[str] = []
    cursor = ""
    while True:
        page = await client.accounts(identity, page_cursor=cursor, channel=caller.channel, actor=caller.actor)
        ids += [each.account_id for each in page.accounts]
        cursor = page.next_cursor
        if not cursor:
            break
    if not ids:
        raise NotFound("CUSTOMER_UNKNOWN", f"{identity} is of no customer")
    views = await asyncio.gather(
        *[client.arrears(identity_of(each), channel=caller.channel, actor=caller.actor) for each in ids]
    )
    return [view for view in views if view.currency == named.currency], named
