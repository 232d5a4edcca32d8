"""`onetier mediation sources|files|gaps`: how a plant's sources stand, what was taken, what is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from msgspec.structs import replace
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TimeRemainingColumn
from rich.table import Table

from console.report import console, moment
from console.views import View, print_view
from mediation.collecting.accepted import find_gap
from mediation.collecting.sources import SwitchSource
from mediation.line import PlantRules, SourceReport
from mediation.plant.files import LandedFile, WaitingFile
from mediation.plant.gaps import AcceptedGap
from mediation.plant.plant import Plant
from mediation.standing import WELL, SourceGauges, SourceState, sequence_of, source_states
from runtime.settings import BadSettings
from runtime.telemetry import Exporter, Metrics

FILES_SHOWN_MAX = 200

OfSource = Annotated[str, typer.Option("--source", help="Only of this source.")]
OfState = Annotated[str, typer.Option("--state", help="landed, decoded or held; or waiting: listed and not whole.")]


def show_sources(plant: Plant, rules: PlantRules, now_ms: int, *, as_json: bool) -> bool:
    """Print how each source stands; says whether all are well."""
    states = source_states(plant, rules.sources, now_ms)
    troubles = [f"{each.source}: {each.visit.trouble}" for each in states if each.visit.trouble]
    late = [f"{each.source}: a file is overdue by {_span(each.late_s)}" for each in states if each.late_s]
    short = [f"{each.source}: {each.short} is smaller than full files of busy hours" for each in states if each.short]
    print_view(View(states, [_states_table(states), *troubles, *late, *short]), as_json)
    return all(each.state == WELL for each in states)


def show_files(plant: Plant, source: str, state: str, *, as_json: bool) -> None:
    """Print files, those that are not whole yet after the others."""
    taken = [file for file in plant.files.all("" if state == "waiting" else state) if source in ("", file.source)]
    if state == "waiting":
        taken = []
    waiting = plant.files.waiting(source) if state in ("", "waiting") else []
    rows = [*taken, *waiting]
    text: list[str | Table] = [_files_table(taken[-FILES_SHOWN_MAX:], waiting[:FILES_SHOWN_MAX])]
    text.append(f"{len(taken):,} files taken, {len(waiting):,} not whole yet")
    if len(taken) > FILES_SHOWN_MAX:
        text.append(f"the newest {FILES_SHOWN_MAX} of them are shown (--json has all)")
    print_view(View(rows, text), as_json)


def show_gaps(plant: Plant, rules: PlantRules, *, as_json: bool) -> bool:
    """Print what the numbers in names say; says whether nothing is missing."""
    rows: list[object] = []
    text: list[str] = []
    whole = True
    for source in rules.sources:
        report = sequence_of(plant, source)
        if report is None:
            text.append(f"{source.source}: no sequence is written for it")
            continue
        rows.append({"source": source.source, "report": report})
        whole = whole and not report.missing
        for gap in report.missing:
            span = f"{gap.begin}" if gap.begin == gap.end else f"{gap.begin} to {gap.end}"
            period = f" of {gap.period}" if gap.period else ""
            text.append(f"{source.source}: missing {span}{period}, {gap.files:,} files after {gap.after}")
        text += [f"{source.source}: {name} has a number that was taken with another content" for name in report.twice]
        text += [f"{source.source}: {name} has no number where the pattern says" for name in report.unnumbered]
        many = sum(gap.files for gap in report.missing)
        said = f", {report.accepted:,} accepted" if report.accepted else ""
        text.append(f"{source.source}: {many:,} missing{said}, numbers began anew {report.wraps} times")
        text += [_accepted(each) for each in plant.gaps.of(source.source)]
    print_view(View(rows, text), as_json)
    return whole


def accept_gap(plant: Plant, source: SwitchSource, gap: AcceptedGap) -> bool:
    """Note what a person says of missing files; says whether they are missing, or, taking it back, were accepted."""
    if gap.holds:
        report = sequence_of(plant, source)
        found = find_gap(report, gap.period, gap.begin, gap.end) if report is not None else None
        if found is None:
            return False
        mine = replace(gap, place=found.place, files=found.files)
    else:
        said = [each for each in plant.gaps.of(source.source) if each.holds]
        same = [each for each in said if (each.period, each.begin, each.end) == (gap.period, gap.begin, gap.end)]
        if not same:
            return False
        mine = replace(gap, place=same[-1].place, files=same[-1].files)
    with plant.commit():
        plant.gaps.add(mine)
    return True


def _accepted(gap: AcceptedGap) -> str:
    period = f" of {gap.period}" if gap.period else ""
    what = "accepted" if gap.holds else "taken back"
    return f"{gap.source}: {gap.begin} to {gap.end}{period} {what} by {gap.who}, {_moment(gap.at_ms)}: {gap.why}"


def _states_table(states: list[SourceState]) -> Table:
    table = Table(title="Sources", title_justify="left")
    for name in ("source", "state", "taken last", "seen"):
        table.add_column(name)
    for name in ("files", "listed", "not whole", "missing", "unread lines"):
        table.add_column(name, justify="right")
    for each in states:
        visit = each.visit
        counts = (each.files, visit.listed, visit.unfinished, each.missing, visit.unread)
        times = (_moment(each.taken_ms), _moment(visit.seen_ms))
        table.add_row(each.source, each.state, *times, *(f"{count:,}" for count in counts))
    return table


def _files_table(taken: list[LandedFile], waiting: list[WaitingFile]) -> Table:
    table = Table(title="Files", title_justify="left")
    for name in ("source", "file", "taken", "state"):
        table.add_column(name)
    for name in ("bytes", "records", "duplicate", "dropped"):
        table.add_column(name, justify="right")
    for file in taken:
        state = f"held: {file.reason}" if file.reason else file.state
        counts = (file.bytes, file.records, file.duplicates, file.dropped)
        table.add_row(file.source, file.name, _moment(file.taken_ms), state, *(f"{count:,}" for count in counts))
    for each in waiting:
        table.add_row(each.source, each.name, "", f"waiting since {_moment(each.since_ms)}", f"{each.bytes:,}")
    return table


def _moment(at_ms: int) -> str:
    return moment(at_ms) if at_ms else "never"


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3_600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


@contextmanager
def progress(*, as_json: bool) -> Iterator[SourceReport | None]:
    """Show bars of what is fetched while it is, on a terminal; None = nobody looks."""
    out = console()
    if as_json or not out.is_terminal:
        yield None
        return
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(source: str, here: int, of: int) -> None:
            if source not in tasks:
                tasks[source] = bars.add_task(source)
            bars.update(tasks[source], completed=here, total=of)

        yield report


@contextmanager
def metrics(listen: str) -> Iterator[SourceGauges]:
    """Serve how the sources stand to Prometheus; "" = nobody asks. Raises `BadSettings`."""
    gauges = SourceGauges()
    if not listen:
        yield gauges
        return
    told = Metrics("mediation")
    told.registry.register(gauges)
    try:
        exporter = Exporter(told, listen)
    except (OSError, ValueError, OverflowError) as error:
        raise BadSettings(f"--metrics {listen}: {error}") from error
    typer.echo(f"metrics at http://{exporter.address}/metrics", err=True)
    try:
        yield gauges
    finally:
        exporter.close()
