"""What may be said of a channel, a partner, or a range of the number plan, each seen as earlier changes leave it."""

from collections.abc import Iterator, Mapping

from charging.base.fieldtypes import PLAIN
from charging.base.names import is_code, is_plain
from charging.errors import Refused
from directory.changes import Channel, Partner, RangeSet
from directory.number_plan import DomainPrefixes, prefix_problem

NAME_CHARS_MAX = 100
"""Of a channel or a partner, for people."""
Problem = tuple[str, str, str]
"""(reason, field below the change, what is expected)"""


class CodeChecks:
    """Channels, or partners: those that were there, and those that this amendment has made or taken away."""

    def __init__(self, kind: str, before: Mapping[str, object]) -> None:
        self._kind = kind
        self._before = before
        self._changed: dict[str, bool] = {}

    def has(self, code: str) -> bool:
        """Say whether there is such a one by now."""
        return self._changed.get(code, code in self._before)

    def problems(self, change: Channel | Partner, grant: str) -> Iterator[Problem]:
        """Tell what is wrong with a change; `grant` is one that names it, "" = none does.

        Raises `Refused` NAMED_BY_GRANT.
        """
        kind, code = self._kind, change.code
        yield from code_problems(f"{kind}.code", code)
        if not is_plain(change.name) or len(change.name) > NAME_CHARS_MAX:
            yield "TEXT_MALFORMED", f"{kind}.name", f"{PLAIN}, at most {NAME_CHARS_MAX}"
        if change.remove and not self.has(code):
            reason = "CHANNEL_UNKNOWN" if isinstance(change, Channel) else "PARTNER_UNKNOWN"
            yield reason, f"{kind}.code", f"the code of a {kind} that is there"
        elif change.remove and grant:
            text = f"grant {grant} names the {kind} {code}: change or remove it first"
            raise Refused("NAMED_BY_GRANT", text, facts={"grant": grant})
        self._changed[code] = not change.remove


class PlanChecks:
    """The number plan: replaced whole, or range by range, not both in one amendment."""

    def __init__(self, plan: DomainPrefixes, domains: Mapping[str, object]) -> None:
        """`domains` are those known by now, by code."""
        self._plan = plan
        self._domains = domains
        self._ranges: dict[str, str] = {}
        """Led elsewhere by single changes, "" = nowhere."""
        self._replaced = False

    def whole(self, ranges: Mapping[str, str]) -> Iterator[Problem]:
        """Tell what is wrong with a plan that replaces all."""
        if self._ranges:
            yield "CHANGE_MALFORMED", "number_plan", "no plan that replaces all beside single ranges"
        self._replaced = True
        for index, (prefix, domain) in enumerate(ranges.items()):
            wanted = prefix_problem(prefix)
            if wanted:
                yield "PREFIX_MALFORMED", f"number_plan.ranges[{index}].prefix", wanted
            if domain not in self._domains:
                yield unknown_domain(f"number_plan.ranges[{index}].domain", domain)

    def one(self, change: RangeSet) -> Iterator[Problem]:
        """Tell what is wrong with a single range."""
        if self._replaced:
            yield "CHANGE_MALFORMED", "range", "no single range beside a plan that replaces all"
        wanted = prefix_problem(change.prefix)
        there = self._ranges.get(change.prefix, self._plan.domain_of(change.prefix))
        self._ranges[change.prefix] = "" if change.remove else change.domain
        if wanted:
            yield "PREFIX_MALFORMED", "range.prefix", wanted
        elif change.remove and change.domain:
            yield "FIELD_WITHOUT_EFFECT", "range.domain", "empty where a range is taken out"
        elif change.remove and not there:
            yield "PREFIX_UNKNOWN", "range.prefix", "a prefix that the plan has"
        elif not change.remove and change.domain not in self._domains:
            yield unknown_domain("range.domain", change.domain)


def unknown_domain(field: str, domain: str) -> Problem:
    """Tell of a domain that is not known."""
    return "DOMAIN_UNKNOWN", field, f"the code of a known domain, not {domain!r}"


def code_problems(field: str, code: str) -> Iterator[Problem]:
    """Tell what is wrong with a code."""
    if is_code(code) is None:
        yield "CODE_MALFORMED", field, "letters, digits and _ . - only, at most 32"
