"""Gaps that a person accepted: the files never come, and nobody is told of them any more."""

from collections.abc import Iterable, Sequence

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
    begin = gap.place
    for place in range(gap.place, gap.place + gap.files + 1):
        inside = place < gap.place + gap.files
        if inside and not _is_accepted(gap.period, place, accepted):
            continue
        if begin < place:
            numbers = (gap.numbered(begin), gap.numbered(place - 1))
            yield replace(gap, begin=numbers[0], end=numbers[1], files=place - begin, place=begin)
        begin = place + 1


def _is_accepted(period: str, place: int, accepted: Sequence[AcceptedGap]) -> bool:
    said = [each.holds for each in accepted if each.period == period and each.place <= place < each.place + each.files]
    return bool(said and said[-1])


def find_gap(report: SequenceReport, period: str, begin: int, end: int) -> MissingFiles | None:
    """Give the newest gap in which numbers from one to another are missing, cut to them; None = there is none."""
    for gap in reversed(report.missing):
        places = [place for place in range(gap.place, gap.place + gap.files) if gap.numbered(place) in (begin, end)]
        if gap.period == period and places and gap.numbered(places[0]) == begin and gap.numbered(places[-1]) == end:
            return replace(gap, begin=begin, end=end, files=places[-1] - places[0] + 1, place=places[0])
    return None
