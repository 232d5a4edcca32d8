"""`onetier mediation keep`, `erase` and `accept-gap`: what people decide about a plant, besides what it charges."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from charging.base.identity import plain, read
from console.frontend import sourcing
from console.frontend.asking import explained
from console.frontend.plants import SHOWN_MAX, Home, now_ms, opened_plant, plant_rules
from console.views import Json, View, print_view
from mediation.keeping import PlantKeeper, RemovedRecords
from mediation.plant.gaps import AcceptedGap
from runtime.durable import only_writer


def keep(
    home: Home,
    days: Annotated[int, typer.Option("--days", min=1, help="Records of files that were taken before so many days.")],
    as_json: Json = False,
) -> None:
    """Remove records that were kept long enough: files as they came, their copies, batches, details; numbers stay."""
    _removed(home, lambda keeper: keeper.keep(days, now_ms()), as_json)


def erase(
    home: Home,
    identity: Annotated[str, typer.Argument(help="Whose records: msisdn:8613912345678.")],
    as_json: Json = False,
) -> None:
    """Remove all files in which somebody's records stand; those that are not settled are told, exit status 1."""
    who, wanted = read(plain(identity), "")
    if wanted:
        # Nobody's records stand under another spelling: it would remove nothing, and say that it is done.
        raise typer.BadParameter(f"it must be {wanted}", param_hint="IDENTITY")
    _removed(home, lambda keeper: keeper.erase(who, now_ms()), as_json)


def _removed(home: Path, rule: Callable[[PlantKeeper], RemovedRecords], as_json: bool) -> None:
    rules, plant = plant_rules(home), opened_plant(home)
    with closing(plant), explained(), only_writer(home):
        done = rule(PlantKeeper(plant, rules))
    texts = [f"{name} is not settled: charge or recycle what waits in it first" for name in done.left[:SHOWN_MAX]]
    texts.append(f"{done.records:,} records of {done.files:,} files removed, {len(done.left):,} files left")
    print_view(View([done], texts), as_json)
    if done.left:
        raise typer.Exit(1)


def accept_gap(
    home: Home,
    source: Annotated[str, typer.Argument(help="Name of the source.")],
    begin: Annotated[int, typer.Argument(help="The first number that is missing, as `gaps` tells it.")],
    end: Annotated[int, typer.Argument(help="The last one; default: only the first.")] = -1,
    period: Annotated[str, typer.Option("--period", help="Of the numbers, where they begin anew in each.")] = "",
    who: Annotated[str, typer.Option("--by", help="Who says so.")] = "",
    why: Annotated[str, typer.Option("--why", help="Why these files never come.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back: they are missing again.")] = False,
    as_json: Json = False,
) -> None:
    """Say that missing files never come: `gaps` and the alarm end; who and why is kept for ever."""
    if not who.strip() or not why.strip():
        raise typer.BadParameter("say who (--by) and why (--why): both are kept")
    rules, plant = plant_rules(home), opened_plant(home)
    of = next((each for each in rules.sources if each.source == source), None)
    gap = AcceptedGap(source, period, 0, 0, begin, begin if end < 0 else end, who, why, now_ms(), int(not withdraw))
    with closing(plant), explained(), only_writer(home):
        done = of is not None and sourcing.accept_gap(plant, of, gap)
    if not done:
        typer.echo(f"{source}: {gap.begin} to {gap.end} is no gap that could be: see `gaps`", err=True)
        raise typer.Exit(1)
    what = "missing again" if withdraw else "accepted"
    print_view(View([gap], [f"{source}: {gap.begin} to {gap.end} {what}"]), as_json)
