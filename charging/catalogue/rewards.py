"""What is given beside what is sold: bonuses on top-ups, and gifts between subscribers."""

from typing import Literal

from msgspec import Struct

from charging.base.bounds import PRIORITY_DEFAULT
from charging.catalogue.words import Id, Label, Moment, Money, Percent, Quantity, Reached, Word


class BonusStep(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From this amount of a top-up on, this bonus; of several the highest that is reached."""

    at_least: Money
    """Topped up at once; whole units of the currency."""
    amount: Money = "0"
    """Whole units of the currency."""
    percent: Percent = "0"
    """Of what is topped up, beside `amount`; cut to the micro-unit."""


class Bonus(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Money that comes with a top-up of money, in the same act. All that are met are given."""

    id: Id
    steps: tuple[BonusStep, ...]
    book: Id
    """Into which it goes, made if need be; never the main one, so that what is left of it can be told apart."""
    name: Label = ""
    kinds: tuple[Word, ...] = ()
    """Of the top-up, such as deposit; empty = all."""
    channels: tuple[Word, ...] = ()
    """Through which it comes; empty = all."""
    first: bool = False
    """Only with the first money that an account ever gets."""
    most: Money = "0"
    """Of one top-up; 0 = as its steps say."""
    allowance: Id = ""
    """An allowance in money whose scope the book has; empty = it pays for everything."""
    validity: Quantity = ""
    """How long it holds from the top-up on ("30 d"); empty = for ever."""
    priority: int = PRIORITY_DEFAULT
    """Of a book that it makes."""
    effective_from: Moment = ""
    effective_to: Moment = ""


class GiftRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What subscribers may give each other: a rule, which a gift names."""

    id: Id
    unit: Literal["money", "second", "byte", "event"]
    """What is given."""
    most: Reached
    """Of one gift: money, or units."""
    name: Label = ""
    books: tuple[Id, ...] = ()
    """From which it may come: those that name a scope have to be listed; empty = any book of the unit that has none."""
    least: Reached = "0"
    """Of one gift, likewise."""
    per_day: Reached = "0"
    """What one account may give by the rule in a day; 0 = as much as it has."""
    per_month: Reached = "0"
    """The same in a calendar month."""
    fee: Money = "0"
    """Paid by the giver, beside the gift."""
    fee_kept: bool = False
    """The fee stays paid when the gift comes back, for the other side could not take it."""
    to_book: Id = ""
    """Of the receiver, made if need be; empty = the main one, of units one that is named after the rule."""
    allowance: Id = ""
    """Whose scope a book has that it makes; empty = none."""
    validity: Quantity = ""
    """How long it holds there; empty = for ever."""
    effective_from: Moment = ""
    effective_to: Moment = ""
