"""Longest prefix match over telephone numbers, with one-digit wildcards.

Patterns are digits; "?" stands for one digit, a trailing "$" for the end of the number, "*" alone for every number. The
pattern with more digits wins, then the longer one, then the one named first.
"""

import re
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


def digits_of(other_party: str) -> str:
    """Give the bare digits of a party: without kind, + and 00."""
    number = other_party[other_party.rfind(":") + 1 :]
    if number[:1] == "+":
        return number[1:]
    return number[2:] if number[:2] == "00" else number


class PrefixTable(Generic[T]):
    """Maps patterns to values. Of a pattern that is given twice the values are all kept."""

    __slots__ = ("_exact", "_lengths", "_literal", "_patterns", "answers")

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        grouped: dict[str, list[T]] = {}
        for pattern, value in entries:
            text = pattern if pattern == "*" else pattern.rstrip("*")
            grouped.setdefault("" if text == "*" else text, []).append(value)
        self._exact: dict[str, tuple[T, ...]] = {}
        self._literal: dict[str, tuple[T, ...]] = {}
        patterns: list[tuple[tuple[int, int], re.Pattern[str], tuple[T, ...]]] = []
        for text, found in grouped.items():
            values = tuple(dict.fromkeys(found))
            if "?" in text:
                weight = (sum(c.isdigit() for c in text), len(text))
                end = "$" if text.endswith("$") else ""
                body = text.rstrip("$").replace("?", "[0-9]")
                patterns.append((weight, re.compile(body + end), values))
            elif text.endswith("$"):
                self._exact[text[:-1]] = values
            else:
                self._literal[text] = values
        patterns.sort(key=lambda entry: entry[0], reverse=True)
        self._patterns = tuple(patterns)
        self.answers = {(), *self._exact.values(), *self._literal.values(), *(values for _, _, values in patterns)}
        """Everything that `find` can answer."""
        self._lengths = tuple(sorted({len(text) for text in self._literal}, reverse=True))

    def find(self, number: str) -> tuple[T, ...]:
        """Give the values of the pattern that wins; empty when none matches.

        `number` is bare digits, see `digits_of`. A pattern with an end wins over any other that matches.
        """
        found = self._exact.get(number)
        if found is not None:
            return found
        weight = -1
        found = ()
        literal = self._literal
        size = len(number)
        # Longest first: a literal pattern has as many digits as characters, so the first hit is the best of its kind.
        for length in self._lengths:
            if length <= size:
                hit = literal.get(number[:length])
                if hit is not None:
                    found = hit
                    weight = length
                    break
        # Heaviest first: from the first that is no heavier than the literal hit on, none can win. There are few, since
        # few patterns have wildcards.
        for (digits, length), pattern, values in self._patterns:
            if (digits, length) <= (weight, weight):
                break
            if pattern.match(number):
                return values
        return found
