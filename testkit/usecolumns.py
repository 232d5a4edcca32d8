"""Rated uses in columns, made of single charges: the platform puts them there one after the other as it rates them."""

from collections.abc import Iterable

from msgspec.structs import replace

from charging.base.usage import SealedCharge, Usage
from charging.ledger.commands.post_usage import PostUsage
from charging.ledger.usecolumns import UseColumns
from charging.ledger.usescharged import UsesCharged


def in_columns(charges: Iterable[tuple[Usage, SealedCharge]]) -> UsesCharged | None:
    """Put rated uses into columns; None = some columns can't say: several identities, or books that were named."""
    columns = UseColumns()
    identities: set[str] = set()
    for usage, charge in charges:
        if charge.takes or charge.amount < 0:
            return None
        columns.charge(usage, charge)
        identities.add(usage.identity)
    return columns.made(identities.pop()) if len(identities) == 1 else None


def packed(order: PostUsage) -> PostUsage:
    """Give a rated command as it travels: in columns if they can say it."""
    charges = [(use, each.charge) for use, each in zip(order.uses, order.rated, strict=True) if each.charge]
    columns = in_columns(charges) if len(charges) == len(order.uses) else None
    return order if columns is None else replace(order, uses=(), replaces=(), rated=(), charged=columns)
