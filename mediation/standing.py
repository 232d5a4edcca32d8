"""How the sources of a plant stand: what was taken last, what is late, what is missing, what went wrong."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector as FamilyCollector

from mediation.collecting.accepted import without_accepted
from mediation.collecting.sequences import SequenceReport, in_sequence
from mediation.collecting.sources import SwitchSource
from mediation.plant.plant import Plant
from mediation.plant.visits import Visit

LATE, IN_TROUBLE, WELL = "late", "in trouble", "well"


class SourceState(Struct, frozen=True):
    """One source at one moment."""

    source: str
    state: str
    """late: a file is overdue; in trouble: the newest look went wrong; else well."""
    visit: Visit
    files: int
    """Names under which contents were taken."""
    taken_ms: int
    """When the newest was, UTC; 0 = none was."""
    late_s: int
    short: str
    """Name of the newest file, if it came in busy hours and is smaller than full ones; else empty."""
    missing: int
    """Files that the numbers in names say are missing."""


def source_states(plant: Plant, sources: Sequence[SwitchSource], now_ms: int) -> list[SourceState]:
    """Say how each source stands."""
    return [_state(plant, source, now_ms) for source in sources]


def sequence_of(plant: Plant, source: SwitchSource) -> SequenceReport | None:
    """Say what the numbers in a source's names tell, but for gaps that were accepted; None = it has no rule of them."""
    if source.sequence is None:
        return None
    report = in_sequence(source.sequence, ((each.name, each.digest) for each in plant.files.names(source.source)))
    return without_accepted(report, plant.gaps.of(source.source))


def _state(plant: Plant, source: SwitchSource, now_ms: int) -> SourceState:
    visit, names = plant.visits.get(source.source, now_ms), plant.files.names(source.source)
    last = names[-1] if names else None
    taken_ms = last.seen_ms if last is not None else 0
    late_s, short = 0, ""
    if source.expect is not None:
        late_s = source.expect.late_s(taken_ms or visit.since_ms, now_ms)
        file = plant.files.get(last.digest) if last is not None else None
        if last is not None and file is not None and source.expect.short(taken_ms, file.bytes):
            short = last.name
    report = sequence_of(plant, source)
    missing = sum(each.files for each in report.missing) if report is not None else 0
    state = LATE if late_s else IN_TROUBLE if visit.trouble else WELL
    return SourceState(source.source, state, visit, len(names), taken_ms, late_s, short, missing)


class SourceGauges(FamilyCollector):
    """What Prometheus is told of the sources: the states of the newest look, kept for its thread."""

    def __init__(self) -> None:
        self.states: Sequence[SourceState] = ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Make the families of this moment."""
        told = (
            ("late_seconds", "By how much a file is overdue.", lambda each: each.late_s),
            ("trouble", "1 when the newest look went wrong.", lambda each: int(bool(each.visit.trouble))),
            ("files_taken", "Names under which contents were taken.", lambda each: each.files),
            ("files_missing", "Files that are missing by their numbers.", lambda each: each.missing),
            ("files_unfinished", "Files that are listed and not whole.", lambda each: each.visit.unfinished),
            ("lines_unread", "Lines of the list that could not be read.", lambda each: each.visit.unread),
            ("taken_timestamp_seconds", "When a file was taken last.", lambda each: each.taken_ms / 1_000),
        )
        states = self.states
        for name, text, read in told:
            family = GaugeMetricFamily(f"onetier_mediation_{name}", text, labels=("source",))
            for each in states:
                family.add_metric((each.source,), read(each))
            yield family
