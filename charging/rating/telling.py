"""Steps of a charge in another language: each sentence looked up whole, then filled.

English is told by `charging.rating.explain`, at the pace of charges; a test holds the texts here to the same sentences.
What a step has in `detail` was written when the catalogue was compiled, or when the charge was made: it is taken apart
by its shape, and what has none of the known ones stays as it is, a name of the catalogue for the most part.
"""

import re
from collections.abc import Callable

from charging.base.money import show
from charging.base.tongue import Tongue, marked
from charging.base.usage import ENDS, Step

LEVELS = {
    "S": marked("subscriber"),
    "I": marked("account item"),
    "A": marked("account"),
    "C": marked("customer"),
}
UNITS = {
    "second": marked("{count} s"),
    "byte": marked("{count} B"),
    "event": marked("{count} events"),
    "day": marked("{count} days"),
}
PLAIN = (marked("within the grace"), marked("nothing used"), marked("grace at the beginning"), marked(ENDS))
STAGES = {
    "product": marked("product"),
    "offering": marked("offering"),
    "subscriber": marked("subscriber"),
    "account": marked("account"),
}
_SHAPES = (
    (re.compile(r"(?P<label>.*), rolled over(?P<rest>.*)"), marked("{label}, rolled over{rest}")),
    (re.compile(r"(?P<label>.*), as (?P<region>\S+) sells it"), marked("{label}, as {region} sells it")),
    (
        re.compile(r"(?P<label>.*), (?P<days>\d+) of (?P<whole>\d+) days from (?P<first>\d{8})(?P<rest>.*)"),
        marked("{label}, {days} of {whole} days from {first}{rest}"),
    ),
    (
        re.compile(r"(?P<where>.*?)(?P<price>[0-9.]+) per (?P<per>[^,;]+), by (?P<step>[^;]+)(?P<rest>.*)"),
        marked("{where}{price} per {per}, by {step}{rest}"),
    ),
    (re.compile(r"(?P<where>.*); flat (?P<amount>[0-9.]+)(?P<rest>.*)"), marked("{where}; flat {amount}{rest}")),
)
_DISCOUNTS = (
    (re.compile(r"(?P<percent>[0-9.]+) % off(?P<rest>.*)"), marked("{percent} % off{rest}")),
    (re.compile(r"(?P<amount>[0-9.]+) off(?P<rest>.*)"), marked("{amount} off{rest}")),
    (re.compile(r"(?P<amount>[0-9.]+) in all(?P<rest>.*)"), marked("{amount} in all{rest}")),
    (re.compile(r"(?P<price>[0-9.]+) per (?P<per>\S+) instead(?P<rest>.*)"), marked("{price} per {per} instead{rest}")),
)


def sentence_in(step: Step, say: Tongue) -> str:
    """Say in one sentence what a step did, as `charging.rating.explain.sentence` does in English."""
    tell = _BY_KIND.get(step.kind, _fee)
    who = f" [{step.origin}]" if step.origin else ""
    found = detail_in(step.detail, step.kind, say)
    return tell(step, who, f" ({found})" if found else "", say)


def detail_in(detail: str, kind: str, say: Tongue) -> str:
    """Tell what a person needs besides."""
    if not detail or detail in PLAIN:
        return say(detail) if detail else ""
    if kind == "discount":
        stage, colon, effect = detail.partition(": ")
        if colon and stage in STAGES:
            return say("{stage}: {effect}", stage=say(STAGES[stage]), effect=_shaped(effect, _DISCOUNTS, say))
    return _shaped(detail, _SHAPES, say)


def _shaped(detail: str, shapes: tuple[tuple[re.Pattern[str], str], ...], say: Tongue) -> str:
    for shape, text in shapes:
        match = shape.fullmatch(detail)
        if match is not None:
            return say(text, **match.groupdict())
    return detail


def _amount(step: Step, say: Tongue) -> str:
    return say(UNITS[step.unit], count=step.quantity) if step.unit in UNITS else str(step.quantity)


def _value(step: Step) -> str:
    return show(step.numerator, step.denominator)


def _offering(step: Step, who: str, detail: str, say: Tongue) -> str:
    return say("Offering {rule}{who}{detail}", rule=step.rule, who=who, detail=detail)


def _allowance(step: Step, who: str, detail: str, say: Tongue) -> str:
    amount = _amount(step, say)
    return say("Allowance {rule}{who}: {amount} free{detail}", rule=step.rule, who=who, amount=amount, detail=detail)


def _book(step: Step, who: str, detail: str, say: Tongue) -> str:
    return say("Book {rule}{who}: {amount} taken", rule=step.rule, who=who, amount=_amount(step, say))


def _tariff(step: Step, who: str, detail: str, say: Tongue) -> str:
    given = {"rule": step.rule, "who": who, "value": _value(step), "detail": detail}
    if not step.quantity:
        return say("Tariff {rule}{who}: cost {value}{detail}", **given)
    return say("Tariff {rule}{who}: {amount} cost {value}{detail}", amount=_amount(step, say), **given)


def _connect(step: Step, who: str, detail: str, say: Tongue) -> str:
    return say("Tariff {rule}{who}: connect fee {value}", rule=step.rule, who=who, value=_value(step))


def _minimum(step: Step, who: str, detail: str, say: Tongue) -> str:
    return say("Tariff {rule}{who}: raised by {value} to the minimum", rule=step.rule, who=who, value=_value(step))


def _cap(step: Step, who: str, detail: str, say: Tongue) -> str:
    cut = show(-step.numerator, step.denominator)
    return say(
        "Tariff {rule}{who}: cut by {value} at the cap{detail}", rule=step.rule, who=who, value=cut, detail=detail
    )


def _discount(step: Step, who: str, detail: str, say: Tongue) -> str:
    level = say("{letter} ({name})", letter=step.level, name=say(LEVELS.get(step.level, step.level)))
    given = {"rule": step.rule, "who": who, "level": level, "value": _value(step), "detail": detail}
    return say("Discount {rule}{who} at level {level}: {value}{detail}", **given)


def _rounding(step: Step, who: str, detail: str, say: Tongue) -> str:
    exact = show(step.quantity * step.denominator - step.numerator, step.denominator)
    given = {"rule": step.rule, "who": who, "exact": exact, "rounded": show(step.quantity)}
    return say("Rounded once, {rule}{who}: {exact} becomes {rounded}", **given)


def _fee(step: Step, who: str, detail: str, say: Tongue) -> str:
    return say("Fee {rule}{who}: {value}{detail}", rule=step.rule, who=who, value=_value(step), detail=detail)


_BY_KIND: dict[str, Callable[[Step, str, str, Tongue], str]] = {
    "offering": _offering,
    "allowance": _allowance,
    "book": _book,
    "tariff": _tariff,
    "connect": _connect,
    "minimum": _minimum,
    "cap": _cap,
    "discount": _discount,
    "rounding": _rounding,
}
