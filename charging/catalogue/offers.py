"""Offerings of the catalogue: plans, add-ons, bundles, fees, allowances, discounts, agreements, accumulators."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from charging.base.bounds import PRIORITY_DEFAULT
from charging.catalogue.tariffs import Cap, Rate
from charging.catalogue.words import (
    Id,
    Level,
    Moment,
    Money,
    Named,
    Percent,
    Period,
    Quantity,
    Reached,
    Rounding,
    When,
    Word,
)


class Fee(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A recurring or one-time fee of an offering."""

    id: Id
    amount: Money
    """Of one period, or of the one time; whole units of the currency."""
    kind: Literal["recurring", "one_time"] = "recurring"
    """Due each period, or once."""
    name: Named = ""
    period: Literal["cycle", "month", "day"] = "cycle"
    """Of a recurring fee."""
    prorated: bool = True
    """A part of a period pays by its days (begun days count), else in full."""
    proration: Literal["real_days", "30_day_months"] = "real_days"
    """Of a part: its share of the days that the period has, or of 30 whatever it has: the last day of a shorter month
    counts for those that are missing, a 31st for none."""
    charged: Literal["advance", "arrears"] = "advance"
    """When its period begins, or when it is over."""
    trial_days: Annotated[int, Meta(ge=0, le=366)] = 0
    """Of a recurring fee: days from the one on which the offering was taken that cost nothing, pauses counted."""
    free_months: Annotated[int, Meta(ge=0, le=60)] = 0
    """Of a recurring fee: months after the trial that cost nothing, from day to day."""
    event: Literal["activation", "change", "termination", "ownership", "request"] = "activation"
    """Of a one-time fee: due when a contract takes the offering, when it changes to it from another, when it ends it
    without another in its place, when its account becomes another customer's; "request": never by itself."""
    item: Id = ""
    """Account item; empty = the fee id."""
    while_paused: Literal["stops", "due"] = "stops"
    """Of a recurring fee, while its offering or the contract is paused: nothing is due, or what is due without."""
    minus: Id = ""
    """An accumulator of amounts over the fee's period, whose value is taken off: so a fee in arrears is the minimum
    that a period costs, due as far as usage has not reached it."""
    rounding: Rounding | None = None
    effective_from: Moment = ""
    effective_to: Moment = ""


class RollOver(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is left of a period can be used in the next one, and no longer."""

    limit: Quantity = ""
    """At most this much; empty = all."""
    used: Literal["first", "last"] = "first"
    """Before or after the new period's own quota."""


class Allowance(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Free units each period: minutes, messages, bytes. Consumed by priority, before money; also gives scope and member
    caps to unit books that name it. In money it is a scope alone: what books of money that name it may pay."""

    id: Id
    unit: Literal["second", "byte", "event", "money"]
    """What it counts."""
    quota: Quantity
    """Each period; 0 = only a scope for books."""
    name: Named = ""
    period: Literal["call", "day", "week", "month", "cycle", "year", "life", "subscription"] = "cycle"
    """subscription: once for the whole validity of the subscription that grants it."""
    priority: int = PRIORITY_DEFAULT
    """Lower is used first; of equals allowances by id, then books, those that end first before others."""
    when: When = When()
    """Scope. With `bands`, only the seconds inside are covered."""
    increment: Quantity = "1"
    """Taken in whole steps of this."""
    shared: bool = False
    """One quota for all members of the account that subscribe to it; else each has its own."""
    member_cap: Quantity = ""
    """Of a shared allowance: how much one member may use in a period; empty = no cap."""
    roll_over: RollOver | None = None
    prorated: bool = False
    """In the period in which the subscription begins, the quota is cut by days (rounded up)."""
    effective_from: Moment = ""
    effective_to: Moment = ""
    blocks: bool = False
    """A book that names it pays what is in its scope alone: once it is empty, that is refused, whatever other money
    there is. Books of units block what they leave to be paid."""


class Offering(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a contract subscribes to."""

    id: Id
    name: Named = ""
    kind: Literal["plan", "addon", "bundle"] = "plan"
    """The main one of a contract, one beside it, or one made of others."""
    priority: int = 100
    """Of several subscriptions, the tariffs of the lower one are asked first."""
    includes: tuple[Id, ...] = ()
    """Offerings that come with it: a bundle of broadband, TV, fixed and mobile."""
    services: tuple[Id, ...] = ()
    """Opens these services, to be priced by standard tariffs; those of its own tariffs are open anyway."""
    tariffs: tuple[Id, ...] = ()
    allowances: tuple[Id, ...] = ()
    discounts: tuple[Id, ...] = ()
    """Rules of stage "offering"."""
    fees: tuple[Id, ...] = ()
    validity: Quantity = ""
    """How long a subscription without an end lasts ("30 d"); empty = for ever."""
    requires: tuple[Id, ...] = ()
    """Sold only to holders of one of these."""
    excludes: tuple[Id, ...] = ()
    """Never held beside one of these."""
    minimum_months: Annotated[int, Meta(ge=0, le=120)] = 0
    """Months that a contract keeps it at least, pauses counted; ended earlier it costs `early_end`, or is not ended."""
    early_end: Id = ""
    """One-time fee of the event "request" that ending it before `minimum_months` costs; empty = it can't be ended."""
    early_end_by: Literal["once", "month"] = "once"
    """The fee is due once, or for each month that is left, a begun one whole."""
    begins_max: Annotated[int, Meta(ge=0, le=1000)] = 0
    """How often a contract may take it in a period; 0 = as often as it likes."""
    begins_period: Literal["day", "month", "cycle", "year"] = "cycle"
    """Over which `begins_max` counts."""
    may_be_given: bool = False
    """One subscriber may buy it for another, who gets it by the same rules as by subscribing, and pays nothing."""
    gift_fee: Money = "0"
    """What the giver then pays beside its fees; comes back with a gift that could not be taken."""
    effective_from: Moment = ""
    effective_to: Moment = ""


class Accumulator(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Counts usage for thresholds of discounts and for notices."""

    id: Id
    counts: Literal["quantity", "charged", "amount", "events"] = "quantity"
    """All units used, those charged with money, the final amounts in micro-units, or usages."""
    name: Named = ""
    period: Period = "cycle"
    """Over what it counts; then it begins at nothing."""
    when: When = When()
    shared: bool = False
    """One count for all members of the account; else each has its own."""
    effective_from: Moment = ""
    effective_to: Moment = ""


class AccumulatorRange(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The accumulator's value before this charge lies in [at_least, below)."""

    accumulator: Id
    """Id of the accumulator."""
    at_least: Reached = "0"
    """Units; of an accumulator of amounts money."""
    below: Reached = ""
    """The value is below this; empty = it has no end."""


class DiscountWhen(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Conditions of a discount, on the usage and on attributes of Service, Item, Account and Customer."""

    usage: When = When()
    items: tuple[Id, ...] = ()
    """Account items that are charged."""
    tariffs: tuple[Id, ...] = ()
    offerings: tuple[Id, ...] = ()
    """The contract holds one of these."""
    subscriber: dict[str, tuple[Word, ...]] = {}
    """S: attributes of the contract."""
    item: dict[str, tuple[Word, ...]] = {}
    """I: of the account item: item, service, tariff, price, offering, fee."""
    account: dict[str, tuple[Word, ...]] = {}
    """A: attributes of the account, and payment_mode, status, domain, currency."""
    customer: dict[str, tuple[Word, ...]] = {}
    """C: attributes of the customer, and customer_id."""
    quantity_min: Quantity = "0"
    """The usage has at least this much."""
    amount_min: Money = "0"
    """Of the value before all discounts."""
    accumulators: tuple[AccumulatorRange, ...] = ()


class ThresholdStep(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From this value of the accumulator on, this percentage."""

    at_least: Reached
    """Units; of an accumulator of amounts money."""
    percent: Percent
    """This much off."""


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A percentage that grows with an accumulator; its value before the charge decides, the highest reached counts."""

    accumulator: Id
    """Id of the accumulator."""
    steps: tuple[ThresholdStep, ...]


class Discount(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A discount rule. It has exactly one effect: percent, amount, price, total or thresholds. It never raises a charge
    and never makes it negative.

    Stages run in this order, each on the result of the one before: product (holds for everybody who meets the
    conditions), offering (by a subscription), subscriber (customer agreement on the contract), account (customer
    agreement on the account). Within a stage by priority, then id.
    """

    id: Id
    stage: Literal["product", "offering", "subscriber", "account"]
    """By whom it is had, which says in which turn it works."""
    name: Named = ""
    level: Level = ""
    """S, I, A or C; empty = by stage: product I, offering S, subscriber S, account A."""
    priority: int = 100
    """Lower works first, within its stage."""
    applies_to: tuple[Literal["usage", "fee", "bill"], ...] = ("usage",)
    """What it takes from."""
    when: DiscountWhen = DiscountWhen()
    percent: Percent = ""
    """This much off."""
    amount: Money = ""
    """This much off."""
    price: Rate | None = None
    """The charged quantity at this price, instead of all before."""
    total: Money = ""
    """The whole charge becomes this, if it was more."""
    thresholds: Thresholds | None = None
    limit: Cap | None = None
    """At most this much off, a call or over a period."""
    exclusive: Id = ""
    """Of the rules with the same group only one is applied, see `ExclusiveGroup`."""
    effective_from: Moment = ""
    effective_to: Moment = ""


class ExclusiveGroup(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one rule of an exclusive group is chosen: the first in order, or the one that takes most off the value before
    all discounts. Groups that are not listed choose the first."""

    id: Id
    choose: Literal["first", "best"] = "first"
    """The first of its rules in order, or the one that takes most off."""
    name: Named = ""


class Agreement(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A customer agreement: named by contracts (rules of stage "subscriber") or accounts (of stage "account").

    Those may also name a rule directly.
    """

    id: Id
    discounts: tuple[Id, ...]
    name: Named = ""
    effective_from: Moment = ""
    effective_to: Moment = ""
