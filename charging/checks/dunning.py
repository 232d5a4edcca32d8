"""Dunning: steps that can be meant, rules that some account gets to."""

from collections.abc import Iterator

from charging.base.money import micro
from charging.catalogue.document import Catalogue
from charging.catalogue.dunning import DunningRule, DunningStepRule, DunningWhen
from charging.checks.walk import Finding, Path


def check_dunning(catalogue: Catalogue, _national: Catalogue | None) -> Iterator[Finding]:
    """Find steps and rules that say what has no effect."""
    everybody = False
    for index, rule in enumerate(catalogue.dunning):
        path: Path = ("dunning", index)
        if everybody:
            yield Finding((*path, "when"), "the rule before it is for all accounts: put this one in front of it")
        everybody = everybody or rule.when == DunningWhen()
        yield from _rule(path, rule)


def _rule(path: Path, rule: DunningRule) -> Iterator[Finding]:
    if rule.quiet and not rule.steps:
        yield Finding((*path, "quiet"), "there are no steps to be quiet about")
    if rule.late_fee is not None and not micro(rule.late_fee.per_mille_a_day):
        yield Finding((*path, "late_fee", "per_mille_a_day"), "a late fee of nothing: leave it out")
    known: set[str] = set()
    for index, step in enumerate(rule.steps):
        if step.id in known:
            yield Finding((*path, "steps", index, "id"), f"the rule has two steps {step.id!r}")
        known.add(step.id)
        yield from _step((*path, "steps", index), step)


def _step(path: Path, step: DunningStepRule) -> Iterator[Finding]:
    if step.credit_percent and (step.days or micro(step.amount) or step.per == "service"):
        yield Finding((*path, "credit_percent"), "a step by credit looks at credit alone: leave days, amount, per out")
    if step.action == "end" and step.per == "service":
        yield Finding((*path, "per"), "an account ends as a whole")
