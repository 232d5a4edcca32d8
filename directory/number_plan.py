"""The national number plan: which domain a telephone number belongs to, by the longest prefix.

One dict for each prefix length that occurs, longest first: a look-up slices and asks at most as many dicts as there
are lengths (five for the mainland), some 0.3 µs, whatever the size of the plan.
"""

from collections.abc import Mapping
from sys import intern

PREFIX_DIGITS_MAX = 15


class DomainPrefixes:
    """An immutable plan: E.164 prefix → domain code."""

    __slots__ = ("_dicts", "_tables", "size")

    def __init__(self, ranges: Mapping[str, str]) -> None:
        by_length: dict[int, dict[str, str]] = {}
        for prefix, domain in ranges.items():
            by_length.setdefault(len(prefix), {})[prefix] = intern(domain)
        lengths = sorted(by_length, reverse=True)
        self._dicts = tuple(by_length[length] for length in lengths)
        self._tables = tuple((length, by_length[length].get) for length in lengths)
        self.size = len(ranges)

    def changed(self, ranges: Mapping[str, str]) -> "DomainPrefixes":
        """Give the plan with some ranges led elsewhere, those that lead to "" taken out."""
        return DomainPrefixes({prefix: to for prefix, to in {**self.ranges(), **ranges}.items() if to})

    def domain_of(self, prefix: str) -> str:
        """Give the domain of a range by its very prefix, "" when there is no such range."""
        return next((get(prefix, "") for length, get in self._tables if length == len(prefix)), "")

    def ranges(self) -> dict[str, str]:
        """Give the plan back as it was put in, in the order of prefixes."""
        found = {prefix: domain for table in self._dicts for prefix, domain in table.items()}
        return dict(sorted(found.items()))

    def match(self, digits: str) -> tuple[str, str] | None:
        """Give (domain, prefix that decided) for E.164 digits, or None when no prefix fits."""
        for length, get in self._tables:
            prefix = digits[:length]
            domain = get(prefix)
            if domain is not None:
                return domain, prefix
        return None

    def match_identity(self, identity: str) -> tuple[str, str] | None:
        """Do the same for a normalised identity; names (broadband, tv, card) have no place in the plan."""
        if identity.startswith("msisdn:"):
            return self.match(identity[7:])
        if identity.startswith("fixed:"):
            return self.match(identity[6:])
        return None


def prefix_problem(prefix: str) -> str:
    """Say what is wrong with a prefix, "" when nothing is."""
    if 1 <= len(prefix) <= PREFIX_DIGITS_MAX and prefix.isascii() and prefix.isdigit() and prefix[0] != "0":
        return ""
    return f"1 to {PREFIX_DIGITS_MAX} digits of E.164 without + or leading 0"
