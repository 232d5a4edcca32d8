"""Free units by columns: of each allowance in order, running sums of whole increments, as far as it reaches.

u = ⌈q / increment⌉ · increment    C = running sum of u    used = min(quota, C)    covered = min(q, used - used before)
"""

from dataclasses import dataclass

import numpy as np

from charging.base import consumption
from charging.plans.compiled import GrantedAllowance
from charging.rating.freeunits import Source, grant_sources
from mediation.columns.passing import Pass
from mediation.columns.ruler import Flags, Ints
from mediation.columns.running import running, sums_before

PART = "an allowance covers a part of a call"


@dataclass(slots=True, eq=False)
class Uncovered:
    """What free units left of each use: it begins at an offset, and is charged to its end."""

    at: Ints
    left: Ints


def cover(run: Pass) -> Uncovered:
    """Cover what allowances cover; what lies within the grace of a price touches none of them."""
    price_grace = np.zeros(len(run.shapes), dtype=np.int64)
    begins_behind = np.zeros(len(run.shapes), dtype=np.int64)
    stages: dict[tuple[consumption.Order, int], list[int]] = {}
    for number in run.used:
        shape = run.shapes[number]
        price_grace[number] = shape.price.grace
        begins_behind[number] = shape.price.grace if shape.price.grace_free else 0
        for grant in shape.grants:
            order = consumption.of_allowance(grant.allowance.priority, grant.allowance.name)
            stages.setdefault((order, run.plan_numbers[number]), []).append(number)
    at = begins_behind[run.shape]
    left = np.where(run.quantity > price_grace[run.shape], run.quantity - at, 0)
    found = Uncovered(at, left)
    for (order, plan_number), numbers in sorted(stages.items()):
        _stage(run, found, order[-1], plan_number, numbers)
    return found


def _stage(run: Pass, found: Uncovered, name: str, plan_number: int, numbers: list[int]) -> None:
    at = run.of_shapes(numbers)
    at = at[found.left[at] > 0]
    if not len(at):
        return
    grants = {number: _grant(run, number, name) for number in numbers}
    allowance = next(iter(grants.values())).allowance
    if allowance.per_call:
        quotas = np.zeros(len(run.shapes), dtype=np.int64)
        quotas[list(grants)] = [grant.quota for grant in grants.values()]
        wanted = -(-found.left[at] // allowance.increment) * allowance.increment
        _covered(found, at, np.minimum(quotas[run.shape[at]], wanted))
        return
    periods = run.periods("unit", allowance.counter.period)
    pairs = periods.numbers[at]
    present, firsts = periods.firsts(pairs)
    rows = at[firsts].tolist()
    sources = [_sources(run, grants, row, plan_number) for row in rows]
    for place in range(max(len(each) for each in sources)):
        there = [
            (pair, each[place], row)
            for pair, each, row in zip(present.tolist(), sources, rows, strict=True)
            if len(each) > place
        ]
        having = np.zeros(periods.count, dtype=np.bool_)
        having[[pair for pair, _, _ in there]] = True
        here = having[pairs] & (found.left[at] > 0)
        if here.all():
            _source(run, found, at, pairs, there, (name, plan_number, place))
        elif here.any():
            _source(run, found, at[here], pairs[here], there, (name, plan_number, place))


def _grant(run: Pass, number: int, name: str) -> GrantedAllowance:
    return next(grant for grant in run.shapes[number].grants if grant.allowance.name == name)


def _sources(run: Pass, grants: dict[int, GrantedAllowance], row: int, plan_number: int) -> list[Source]:
    """Ask the row engine what an allowance has, in one period of one contract."""
    chunk = run.chunk
    number = int(run.account[row])
    account, contract = chunk.accounts[number], chunk.contracts[run.holder[row]]
    grant, day = grants[int(run.shape[row])], int(run.day[row])
    held = run.placed.held[plan_number, int(run.unit[row])]
    allowance = grant.allowance
    if allowance.roll_counter is not None:
        before = allowance.counter.key_before(contract.identity, account.terms.cycle_day, day)
        run.keys.read.append((number, before))
    return grant_sources(grant, held, contract, account, run.shapes[int(run.shape[row])].plan, day)


def _source(
    run: Pass, found: Uncovered, at: Ints, pairs: Ints, there: list[tuple[int, Source, int]], way: tuple[str, int, int]
) -> None:
    """Let one source of an allowance cover what it can; `there` are (pair, source, a row of it)."""
    keys = run.keys
    groups_of = np.full((2, max(pair for pair, _, _ in there) + 1), -1, dtype=np.int64)
    for pair, source, row in there:
        account = int(run.account[row])
        groups_of[0, pair] = keys.group(account, source.keys[0], way, max(0, source.left))
        if source.cap_key:
            groups_of[1, pair] = keys.group(account, source.cap_key, (way, "member"), max(0, source.cap_left))
    lefts = np.array(keys.lefts, dtype=np.int64)
    groups, caps = groups_of[0][pairs], groups_of[1][pairs]
    increment = _grant(run, int(run.shape[at[0]]), way[0]).allowance.increment
    wanted = -(-found.left[at] // increment) * increment
    took, before = running(groups, wanted, lefts[groups])
    some = caps >= 0
    if some.any():
        took, before = _within_caps(run, at, (groups, caps), wanted, lefts, (took, before))
        run.keys.add(caps[some], took[some])
        run.trace(at[some], caps[some], sums_before(caps[some], took[some]))
    run.keys.add(groups, took)
    run.trace(at, groups, before)
    _covered(found, at, took)


def _within_caps(
    run: Pass, at: Ints, keys: tuple[Ints, Ints], wanted: Ints, lefts: Ints, by_quota: tuple[Ints, Ints]
) -> tuple[Ints, Ints]:
    """Hold what members took against their shares: by quota alone, by shares alone, else one by one."""
    groups, caps = keys
    took, before = by_quota
    over = _over(caps, took, lefts)
    if not over.any():
        return took, before
    accounts = np.unique(run.account[at][over])
    others = np.flatnonzero(np.isin(run.account[at], accounts))
    by_share, _ = running(caps[others], wanted[others], lefts[caps[others]])
    both = np.isin(run.account[at[others]], run.account[at[others]][_over(groups[others], by_share, lefts)])
    took = took.copy()
    took[others] = by_share
    _one_by_one(others[both], keys, wanted, lefts, took)
    return took, sums_before(groups, took)


def _one_by_one(at: Ints, keys: tuple[Ints, Ints], wanted: Ints, lefts: Ints, took: Ints) -> None:
    """Let the few take in turn for whom both the quota and a member's share run out."""
    groups, caps = keys
    left: dict[int, int] = {}
    rows = zip(at.tolist(), groups[at].tolist(), caps[at].tolist(), wanted[at].tolist(), strict=True)
    for place, group, cap, units in rows:
        quota, share = left.get(group, int(lefts[group])), left.get(cap, int(lefts[cap]))
        units = min(units, quota, share)
        took[place] = units
        left[group], left[cap] = quota - units, share - units


def _over(groups: Ints, took: Ints, lefts: Ints) -> Flags:
    """Say of each row whether its group took more than it may; groups below zero have no limit."""
    sums = np.zeros(len(lefts) + 1, dtype=np.int64)
    np.add.at(sums, groups, took)
    return np.asarray((groups >= 0) & (sums[groups] > lefts[groups]), dtype=np.bool_)


def _covered(found: Uncovered, at: Ints, took: Ints) -> None:
    covered = np.minimum(found.left[at], took)
    found.at[at] += covered
    found.left[at] -= covered
