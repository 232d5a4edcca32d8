"""Spreading a sum over parts so that nothing is created or lost: the method of the largest remainder.

Each part gets its exact share rounded down to the grain; the grains that are left go one each to the parts that lost
most by it, of equals to the first. So a part is never further than one grain from its exact share, and all add up.
"""

from collections.abc import Sequence


def spread(total: int, numerators: Sequence[int], denominator: int, grain: int) -> list[int]:
    """Give each part its share of `total`, a multiple of `grain`.

    The exact share of part i is numerators[i] / denominator, of either sign; the shares add up to `total`, but for the
    rounding of it: less than a grain. Raises `ValueError` when they don't.
    """
    unit = denominator * grain
    whole, rests = [], []
    for share in numerators:
        quotient, rest = divmod(share, unit)
        whole.append(quotient)
        rests.append(rest)
    left = total // grain - sum(whole)
    if total % grain or not 0 <= left <= len(whole):
        raise ValueError(f"{total} is not what the shares add up to")
    if left:
        # Sorted backwards, of equals the first stays first.
        for index in sorted(range(len(rests)), key=rests.__getitem__, reverse=True)[:left]:
            whole[index] += 1
    return [each * grain for each in whole]


def split(amount: int, weights: Sequence[int], grain: int = 1) -> list[int]:
    """Split an amount, a multiple of `grain`, by weights that are not negative and not all 0, as `spread` does."""
    return spread(amount, [amount * weight for weight in weights], sum(weights), grain)


def is_spread(shares: Sequence[int], total: int, numerators: Sequence[int], denominator: int, grain: int) -> bool:
    """Say whether `spread` gives these shares: without sorting, for whoever checks more than he makes.

    Each has its exact share rounded down, or a grain more; those with the grain lost most by it, of equals the first.
    """
    unit = denominator * grain
    left = total
    least, last = unit, -1
    """The smallest rest that was rounded up, and the last place of it."""
    most, first = -1, 0
    """The largest rest that was not, and the first place of it."""
    for place, share in enumerate(shares):
        quotient, rest = divmod(numerators[place], unit)
        more = share - quotient * grain
        left -= share
        if more == grain:
            if rest <= least:
                least, last = rest, place
        elif more == 0:
            if rest > most:
                most, first = rest, place
        else:
            return False
    return left == 0 and (most < least or (most == least and last < first))
