"""`onetier mediation`: a plant's files of switches, from where they are written to where they are charged."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from charging.base.identity import mask, masked_text
from cluster.roles import read_role
from console.frontend import rerating, ruling, sourcing, working
from console.frontend.asking import ENDPOINTS, Certificates, Endpoint, explained
from console.frontend.plants import SHOWN_MAX, Home, faulty_exit, now_ms, opened_plant, plant_rules
from console.report import major, moment
from console.views import Json, View, print_view
from details.late import LateBook
from details.store import DetailStore
from mediation.agreeing import plant_disagreements
from mediation.decoding.decoded import Decoded, FoundRecord
from mediation.decoding.decoder import Decoder
from mediation.formats.reading import read_format
from mediation.line import MediationLine, PlantRules
from mediation.plant.assembler import waiting_calls
from mediation.plant.plant import Plant
from mediation.plant.suspense import Suspended
from mediation.posting.poster import ATTEMPT_MS, Posted, Poster
from mediation.proving import FileProof, Prover
from mediation.records import DroppedRecord, UnreadRecord, UnusableFile
from mediation.standing import source_states
from mediation.written import FaultyFile
from onetier_client import AsyncClient
from runtime.durable import FolderTaken, only_writer
from runtime.server import calm_collector

app = typer.Typer(no_args_is_help=True)

app.command()(rerating.rerate)
app.command()(rerating.late)
app.command()(ruling.keep)
app.command()(ruling.erase)
app.command(name="accept-gap")(ruling.accept_gap)
app.command()(rerating.rollback)
app.command(name="what-if")(rerating.what_if)
app.command()(working.scheduler)
app.command()(working.worker)

Reason = Annotated[str, typer.Option("--reason", help="Only what waits for this reason.")]


@app.command()
def check(home: Home, as_json: Json = False) -> None:
    """Check the sources and formats of a plant; every fault with its file and line, and exit status 1."""
    rules = plant_rules(home)
    rows = [{"source": each.source, "folder": each.folder, "format": each.format} for each in rules.sources]
    text = [f"{each.source}: {each.files} of {each.folder}, format {each.format}" for each in rules.sources]
    print_view(View(rows, [*text, "no fault"]), as_json)


@app.command(name="try")
def try_format(
    form: Annotated[Path, typer.Argument(metavar="FORMAT", help="File of the format.")],
    file: Annotated[Path, typer.Argument(help="A file of the switch.")],
    shown: Annotated[int, typer.Option("--show", min=0, help="How many records of each kind are shown.")] = 5,
    as_json: Json = False,
) -> None:
    """Show what a format makes of a file, charging nothing; exit status 1 when a record can't be read."""
    try:
        found = list(Decoder(read_format(form)).decode(file.read_bytes()))
    except FaultyFile as faulty:
        raise faulty_exit(faulty) from faulty
    except UnusableFile as unusable:
        typer.echo(f"{file}: {unusable.reason}: {unusable.why}", err=True)
        raise typer.Exit(1) from unusable
    except OSError as error:
        typer.echo(f"{file}: {error.strerror}", err=True)
        raise typer.Exit(2) from error
    counts: Counter[type] = Counter()
    lines: list[str] = []
    for each in found:
        counts[type(each)] += 1
        if counts[type(each)] <= shown:
            lines.append(_told(each, str(file)))
    summary = f"{counts[Decoded]} read, {counts[DroppedRecord]} dropped, {counts[UnreadRecord]} unread"
    print_view(View([each.record if isinstance(each, Decoded) else each for each in found], [*lines, summary]), as_json)
    if counts[UnreadRecord]:
        raise typer.Exit(1)


@app.command()
def run(
    home: Home,
    follow: Annotated[bool, typer.Option("--follow", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two looks.")] = 10.0,
    metrics: Annotated[str, typer.Option("--metrics", help="Serve metrics of the sources at this HOST:PORT.")] = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Collect what is whole, decode it, charge it; exit status 1 when something had to be left for the next run."""
    rules = plant_rules(home)

    async def work(plant: Plant, client: AsyncClient) -> bool:
        line, poster = MediationLine(plant, rules), _poster(plant, client, rules)
        with sourcing.metrics(metrics) as gauges:
            while True:
                # Between two looks others may write: records are recycled beside a line that follows its sources.
                try:
                    with only_writer(home):
                        well = await _pass(line, poster, as_json)
                except FolderTaken as taken:
                    if not follow:
                        raise
                    typer.echo(str(taken), err=True)
                    await asyncio.sleep(every)
                    continue
                gauges.states = source_states(plant, rules.sources, now_ms())
                if not follow:
                    return well
                await asyncio.sleep(every)

    _work(home, endpoint, tls, work)


@app.command()
def recycle(
    home: Home,
    reason: Reason = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Try again what waits in suspense, and decode again what could not be read, once the cause is mended."""
    rules = plant_rules(home)

    async def work(plant: Plant, client: AsyncClient) -> bool:
        line = MediationLine(plant, rules)
        with only_writer(home):
            readable = line.decode_again(now_ms())
            again = line.recycle(reason, now_ms())
            posted = await _poster(plant, client, rules).post_batches(now_ms())
        row = {"readable": readable, "again": again, "posted": posted}
        texts = [f"{readable} records can be read now, {again} are tried again", _posted(posted)]
        print_view(View([row], texts), as_json)
        return not posted.unknown

    _work(home, endpoint, tls, work)


@app.command()
def suspense(home: Home, reason: Reason = "", as_json: Json = False) -> None:
    """List what could not be charged, with file, position and reason."""
    plant = opened_plant(home)
    rows = list(plant.suspense.all(reason))
    names = {file.digest: file.name for file in plant.files.all()}
    lines = [_suspended(each, names[each.digest]) for each in rows[:SHOWN_MAX]]
    if len(rows) > SHOWN_MAX:
        lines.append(f"… and {len(rows) - SHOWN_MAX} more (--json has all)")
    counts = Counter(each.reason for each in rows)
    lines += [f"{count:,} {name}" for name, count in counts.most_common()] or ["nothing waits"]
    print_view(View([{"file": names[each.digest], **_suspended_row(each)} for each in rows], lines), as_json)
    plant.close()


@app.command()
def waiting(home: Home, as_json: Json = False) -> None:
    """List calls that wait for parts: whose they are, which parts are there and missing, and until when."""
    rules, plant = plant_rules(home), opened_plant(home)
    sources = {file.digest: file for file in plant.files.all()}
    partial = {source: form.parts for source, form in rules.formats.items() if form.parts is not None}
    calls = waiting_calls(plant.parts.waiting(), {digest: partial.get(file.source) for digest, file in sources.items()})
    lines = [
        f"{mask(call.identity)} since {moment(call.start_ms)}: parts {_numbers(call.there)} of {call.seconds} s,"
        f" without {_numbers(call.missing)}, until {moment(call.until_ms)}, last in {sources[call.digest].name}"
        for call in calls[:SHOWN_MAX]
    ]
    if len(calls) > SHOWN_MAX:
        lines.append(f"… and {len(calls) - SHOWN_MAX} more (--json has all)")
    print_view(View(calls, [*lines, f"{len(calls):,} calls wait"]), as_json)
    plant.close()


@app.command()
def proof(
    home: Home,
    details: Annotated[
        Path | None, typer.Option("--details", help="Folder of `onetier details gather`: amounts are held against it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that every record is charged, duplicate, dropped or suspended; exit status 1 if one is not."""
    rules, plant = plant_rules(home), opened_plant(home)
    prover = Prover(plant, rules.formats)
    proofs = list(prover.files())
    wrong = [f"{each.file.name}: {text}" for each in proofs for text in each.differences]
    if prover.doubled:
        wrong.append(f"{prover.doubled} uses were charged twice")
    told: list[str] = []
    if details is not None:
        store = DetailStore(details)
        wrong += plant_disagreements(plant, store)
        waits = len({each.account_id for each in LateBook(store).waiting()})
        store.close()
        if waits:
            told.append(f"{waits:,} accounts have late usage that waits for `onetier mediation rerate --late`")
    verdict = "the proof holds" if not wrong else f"the proof does not hold: {len(wrong)} differences"
    print_view(View(proofs, [_proof_table(proofs), *wrong, *told, verdict]), as_json)
    plant.close()
    if wrong:
        raise typer.Exit(1)


@app.command()
def sources(home: Home, as_json: Json = False) -> None:
    """Show how each source stands; exit status 1 when a file is overdue or the newest look went wrong."""
    rules, plant = plant_rules(home), opened_plant(home)
    well = sourcing.show_sources(plant, rules, now_ms(), as_json=as_json)
    plant.close()
    if not well:
        raise typer.Exit(1)


@app.command()
def files(home: Home, source: sourcing.OfSource = "", state: sourcing.OfState = "", as_json: Json = False) -> None:
    """List the files that were taken and what became of them, and those that are not whole yet."""
    plant = opened_plant(home)
    sourcing.show_files(plant, source, state, as_json=as_json)
    plant.close()


@app.command()
def gaps(home: Home, as_json: Json = False) -> None:
    """Show which files are missing by the numbers in their names; exit status 1 when one is."""
    rules, plant = plant_rules(home), opened_plant(home)
    whole = sourcing.show_gaps(plant, rules, as_json=as_json)
    plant.close()
    if not whole:
        raise typer.Exit(1)


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(str(number) for number in numbers[:SHOWN_MAX])


def _poster(plant: Plant, client: AsyncClient, rules: PlantRules) -> Poster:
    return Poster(plant, client, {source.source: source.channel for source in rules.sources})


def _work(
    home: Path, endpoints: list[str], tls: Path | None, work: Callable[[Plant, AsyncClient], Awaitable[bool]]
) -> None:
    async def connected() -> bool:
        plant = opened_plant(home)
        with closing(plant):
            with only_writer(home):
                plant.remove_unnamed()
            async with AsyncClient(endpoints, tls=read_role(tls, "frontend"), attempt_timeout_ms=ATTEMPT_MS) as client:
                return await work(plant, client)

    calm_collector()
    with explained():
        well = asyncio.run(connected())
    if not well:
        raise typer.Exit(1)


async def _pass(line: MediationLine, poster: Poster, as_json: bool) -> bool:
    """Go along the line once and tell; say whether nothing is left that could have been done."""
    with sourcing.progress(as_json=as_json) as report:
        collected = await line.collect(now_ms(), report)
    decoded = line.decode(now_ms())
    posted = await poster.post_batches(now_ms())
    texts = [
        f"{each.source}: {each.taken} files taken, {each.known} known, {each.unfinished} not whole yet"
        for each in collected
    ]
    texts += [
        f"{each.source}: line {unread.line} of its list: {unread.why}: {unread.text}"
        for each in collected
        for unread in each.unread
    ]
    troubles = [f"{each.source}: {trouble}" for each in collected for trouble in each.troubles]
    row = {"collected": collected, "decoded": decoded, "posted": posted}
    print_view(View([row], [*texts, f"{decoded} files decoded", _posted(posted)]), as_json)
    for trouble in troubles:
        typer.echo(trouble, err=True)
    return not troubles and not posted.unknown


def _posted(posted: Posted) -> str:
    amounts = ", ".join(f"{major(amount)} {currency}" for currency, amount in sorted(posted.amounts.items()))
    text = f"{posted.charged:,} records charged ({amounts or 'nothing'}), {posted.suspended:,} suspended"
    if posted.set_aside:
        text += f", {posted.set_aside:,} of the charged at no price until `onetier mediation rerate --late`"
    unknown = f", {posted.unknown:,} of unknown fate: run again" if posted.unknown else ""
    return f"{text}{unknown}, in {posted.seconds:.1f} s"


def _told(each: FoundRecord, file: str) -> str:
    if isinstance(each, Decoded):
        record = each.record
        party = f" to {mask(record.other_party)}" if record.other_party else ""
        return (
            f"{file}:{record.place.position}: {mask(record.identity)} {record.service} {record.quantity}"
            f" at {moment(record.start_ms)}{party}"
        )
    if isinstance(each, DroppedRecord):
        return f"{file}:{each.place.position}: dropped: {each.rule}"
    return f"{file}:{each.place.position}: {each.reason}: {each.why}"


def _suspended(each: Suspended, name: str) -> str:
    return f"{name}:{each.position}: {each.reason}: {masked_text(each.why)}"


def _suspended_row(each: Suspended) -> dict[str, object]:
    return {
        "digest": each.digest,
        "position": each.position,
        "reason": each.reason,
        "why": each.why,
        "raw": each.raw.decode("utf-8", "replace"),
        "since_ms": each.since_ms,
    }


def _proof_table(proofs: list[FileProof]) -> Table:
    table = Table(title="By file", title_justify="left")
    table.add_column("file")
    table.add_column("state")
    for name in ("records", "charged", "set aside", "duplicate", "dropped", "suspended", "waiting", "parts"):
        table.add_column(name, justify="right")
    for each in proofs:
        taken = (each.records, each.charged, each.set_aside, each.duplicates, each.dropped)
        counts = (*taken, each.suspended, each.waiting, each.joined)
        state = f"held: {each.file.reason}" if each.file.state == "held" else each.removed or each.file.state
        table.add_row(each.file.name, state, *(f"{count:,}" for count in counts))
    return table
