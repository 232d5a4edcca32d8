"""The rounding of a charge: once, at its end, told as a step when there was something to round."""

from charging.base.money import round_off
from charging.base.usage import Step
from charging.plans.compiled import CompiledRounding


def rounded(numerator: int, denominator: int, rounding: CompiledRounding, mode: int, steps: list[Step]) -> int:
    """Round an exact value, in micro-units, to a multiple of `rounding.step`; give micro-units.

    `mode` is that of `rounding`, but for quota, whose price is rounded up whatever the catalogue says: rounding alone
    makes nothing free. The step has what rounding added, negative when it took something off, so that the values of all
    steps add up to the charge.
    """
    amount = round_off(numerator, denominator, mode, rounding.step)
    rest = amount * denominator - numerator
    if rest:
        steps.append(Step("rounding", rounding.name, rounding.origin, amount, "micro", rest, denominator))
    return amount
