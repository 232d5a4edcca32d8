"""What the catalogue says of paying late: the late fee, and the steps of dunning.

    dunning:
      - id: postpaid
        when: {payment_modes: [postpaid]}
        late_fee: {per_mille_a_day: "3", grace_days: 5, cap_percent: "100"}
        steps:
          - {id: reminder, days: 3, do: notice}
          - {id: no-roaming, days: 10, do: restrict}
          - {id: stop-calls, days: 20, do: suspend_outgoing, per: service, amount: "10"}
          - {id: stop, days: 30, do: suspend_all}
          - {id: high-use, credit_percent: "80", do: notice}
          - {id: end, days: 120, do: end}
        quiet: [night, feasts]

Of the rules, in order, the first whose conditions an account meets is its own. A region's come before the nation's.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from charging.catalogue.words import Id, Label, Money, Percent, Word, whole

Days = Annotated[int, Meta(ge=0, le=1_825)]
PerMille = Annotated[
    str, Meta(pattern=whole(r"[0-9]{1,3}(\.[0-9]{1,3})?"), description="Parts of a thousand, such as 3 or 0.5")
]


class DunningWhen(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Conditions on an account; all named ones must hold."""

    payment_modes: tuple[Literal["prepaid", "postpaid"], ...] = ()
    """How the account pays."""
    account: dict[str, tuple[Word, ...]] = {}
    """Attributes of the account (level A)."""
    customer: dict[str, tuple[Word, ...]] = {}
    """Attributes of its customer (level C)."""


class LateFee(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked for by the day on what is overdue, as a line of the next bill."""

    per_mille_a_day: PerMille
    """Of what is overdue."""
    grace_days: Days = 0
    """Paid so many days after the due date, nothing is asked; later it is asked from the due date on."""
    cap_percent: Percent = "100"
    """It never gets larger than this part of the bill."""
    first: bool = False
    """A payment settles late fees of a bill before its other items, else after them."""


class DunningStepRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step; it holds until its reason is gone."""

    id: Id
    action: Literal["notice", "restrict", "suspend_outgoing", "suspend_all", "end"] = field(name="do")
    """restrict: no use away from home; suspend_outgoing: no use but what comes in; end: the account is closed."""
    days: Days = 0
    """Since the oldest overdue bill was due."""
    amount: Money = "0"
    """Overdue at least."""
    credit_percent: Percent = ""
    """Instead of days and amount: this much of the credit limit is used, by use not billed yet or by open bills."""
    per: Literal["account", "service"] = "account"
    """service: by what is overdue of a service, and for that service alone, so that one that is paid goes on."""


class DunningRule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How some accounts are dunned."""

    id: Id
    name: Label = ""
    when: DunningWhen = DunningWhen()
    late_fee: LateFee | None = None
    steps: tuple[DunningStepRule, ...] = ()
    quiet: tuple[Id, ...] = ()
    """Bands in which no step is taken: nights, weekends, holidays."""
