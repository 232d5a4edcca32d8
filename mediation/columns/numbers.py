"""What tables of destinations can see of other parties: kinds of numbers that are alike for all tables of a plan.

Prefixes look at the first digits and at how many there are. So the head of a number stands for all that share it, and
is looked up once.
"""

import re

import numpy as np
import polars as pl

from charging.plans.plan import Plan
from charging.plans.prefixes import digits_of
from mediation.columns.ruler import Ints

_KIND = "msisdn:"
_LENGTHS = 32
_PLAIN_DIGITS_MAX = 18


class PartyKinds:
    """Kinds of other parties under one plan; kept from chunk to chunk."""

    def __init__(self, plan: Plan) -> None:
        merged = plan.merged
        self._exact: dict[str, list[tuple[str, int]]] = {}
        self._literal: dict[str, list[tuple[str, int]]] = {}
        self._wild: list[tuple[str, re.Pattern[str]]] = []
        self._cut, self._longest = 0, 0
        for name, pattern in (
            *((name, text) for name, entry in merged.destinations.items() for text in entry.value.prefixes),
            *((f"party {name}", text) for name, entry in merged.parties.items() for text in entry.value.prefixes),
        ):
            self._add(name, pattern)
        self._lengths = sorted({len(text) for text in self._literal})
        self._kinds: dict[tuple[object, ...], int] = {}
        self._heads: dict[int, int] = {}
        self._odd: dict[str, int] = {}

    def _add(self, name: str, pattern: str) -> None:
        text = "" if pattern == "*" else pattern.rstrip("*")
        body = text.rstrip("$")
        self._longest = max(self._longest, len(body))
        self._cut = max([self._cut, *(place + 1 for place, char in enumerate(body) if char.isdigit())])
        if "?" in text:
            self._wild.append((text, re.compile(body.replace("?", "[0-9]") + ("$" if text.endswith("$") else ""))))
        else:
            kinds = self._exact if text.endswith("$") else self._literal
            kinds.setdefault(body, []).append((name, len(body)))

    def kinds(self, parties: pl.Series) -> Ints:
        """Give the kind of each party; equal kinds are answered alike by every table of the plan."""
        if not (self._exact or self._literal or self._wild):
            return np.zeros(len(parties), dtype=np.int64)
        short = parties.str.strip_prefix(_KIND)
        digits = short.cast(pl.Int64, strict=False).fill_null(-1).to_numpy()
        sizes = short.str.len_bytes().to_numpy()
        kinds = np.full(len(parties), -1, dtype=np.int64)
        for size in np.flatnonzero(np.bincount(sizes)).tolist():
            here = sizes == size
            if not size:
                kinds[here] = self._of_text("")
            elif size <= _PLAIN_DIGITS_MAX:
                # Digits alone, and none of them a zero or a plus in front.
                here &= (digits >= 10 ** (size - 1)) & (digits < 10**size)
                heads = digits[here] // 10 ** max(0, size - self._cut)
                kinds[here] = self._of_heads(heads * _LENGTHS + min(size, self._longest + 1))
        odd = np.flatnonzero(kinds < 0)
        if len(odd):
            texts = parties.gather(odd)
            known = {text: self._of_text(text) for text in texts.unique().to_list()}
            kinds[odd] = texts.replace_strict(list(known), list(known.values()), return_dtype=pl.Int64).to_numpy()
        return kinds

    def _of_heads(self, heads: Ints) -> Ints:
        if not len(heads):
            return heads
        different = np.sort(pl.Series(heads).unique().to_numpy())
        kinds = np.array([self._of_head(int(head)) for head in different], dtype=np.int64)
        return np.asarray(kinds[np.searchsorted(different, heads)], dtype=np.int64)

    def _of_head(self, head: int) -> int:
        known = self._heads.get(head)
        if known is None:
            digits, size = divmod(head, _LENGTHS)
            known = self._heads[head] = self._kind(digits_of(str(digits).ljust(size, "0")))
        return known

    def _of_text(self, text: str) -> int:
        known = self._odd.get(text)
        if known is None:
            known = self._odd[text] = self._kind(digits_of(text))
        return known

    def _kind(self, number: str) -> int:
        """Number the set of patterns that match; those of one destination that weigh the same count as one."""
        found: set[object] = {("$", entry) for entry in self._exact.get(number, ())}
        for length in self._lengths:
            if length <= len(number):
                found.update(self._literal.get(number[:length], ()))
        found.update(text for text, pattern in self._wild if pattern.match(number))
        return self._kinds.setdefault(tuple(sorted(found, key=repr)), len(self._kinds))
