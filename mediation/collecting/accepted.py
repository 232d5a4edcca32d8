"""Gaps that a person accepted: the files never come, and nobody is told of them any more."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

from msgspec.structs import replace

from mediation.collecting.sequences import MissingFiles, SequenceReport
from mediation.plant.gaps import AcceptedGap


def without_accepted(report: SequenceReport, accepted: Sequence[AcceptedGap]) -> SequenceReport:
    """Take accepted files off a report: what is left of a gap is one, or several. The newest word on a file counts."""
    if not accepted:
        return report
    kept = [piece for gap in report.missing for piece in _left(gap, accepted)]
    before, after = (sum(gap.files for gap in gaps) for gaps in (report.missing, kept))
    return replace(report, missing=tuple(kept), accepted=before - after)


def _left(gap: MissingFiles, accepted: Sequence[AcceptedGap]) -> Iterable[MissingFiles]:
    """Give what is left, stretch by stretch: a gap may be of more files than anybody could look at one by one."""
    end = gap.place + gap.files
    edges = {edge for each in accepted for edge in (each.place, each.place + each.files) if gap.place < edge < end}
    pieces = pairwise((gap.place, *sorted(edges), end))
    for taken_off, alike in groupby(pieces, key=lambda piece: _is_accepted(gap.period, piece[0], accepted)):
        if not taken_off:
            left = list(alike)
            yield _cut(gap, left[0][0], left[-1][1] - 1)


def _is_accepted(period: str, place: int, accepted: Sequence[AcceptedGap]) -> bool:
    said = [each.holds for each in accepted if each.period == period and each.place <= place < each.place + each.files]
    return bool(said and said[-1])


def find_gap(report: SequenceReport, period: str, begin: int, end: int) -> MissingFiles | None:
    """Give the newest gap in which numbers from one to another are missing, cut to them; None = there is none."""
    for gap in reversed(report.missing):
        first, last = (gap.place + (number - gap.begin) % gap.range[1] for number in (begin, end))
        there = first <= last < gap.place + gap.files and (gap.numbered(first), gap.numbered(last)) == (begin, end)
        if gap.period == period and there:
            return _cut(gap, first, last)
    return None


def _cut(gap: MissingFiles, first: int, last: int) -> MissingFiles:
    """Give a gap between two places of it, both counted."""
    return replace(gap, begin=gap.numbered(first), end=gap.numbered(last), files=last - first + 1, place=first)
