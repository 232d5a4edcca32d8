"""Bonuses and gifts as they are used: whole micro-units and base units, made once a version."""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class CompiledStep:
    """Of a bonus: from an amount on, micro-units."""

    at_least: int
    amount: int
    numerator: int
    """Of the share that is given besides."""
    denominator: int


@dataclass(slots=True, eq=False)
class CompiledBonus:
    """A bonus on top-ups."""

    name: str
    label: str
    steps: tuple[CompiledStep, ...]
    """By amount, the highest first."""
    book: str
    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    first: bool
    most: int
    """Micro-units; 0 = no other bound."""
    allowance: str
    validity_ms: int
    """0 = for ever."""
    priority: int


@dataclass(slots=True, eq=False)
class CompiledGift:
    """A rule of gifts; amounts in micro-units, or in base units of its unit. 0 = no bound."""

    name: str
    label: str
    unit: str
    books: tuple[str, ...]
    least: int
    most: int
    per_day: int
    per_month: int
    fee: int
    to_book: str
    allowance: str
    validity_ms: int
    fee_kept: bool = False
