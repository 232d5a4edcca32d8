"""What ends a run: the proof that every answer is in the journals, and the audit of the country, with their tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from audit import proof
from audit.national import Sources, audit_country
from cluster.layout import Layout, keys_of
from console import report
from console.systems.cycle_report import reconciled
from console.systems.narrator import Narrator
from country.planted import DUPLICATE
from country.tally import Tally
from evidence.keyfile import ring_at
from evidence.places import anchors_folder


async def prove(narrator: Narrator, journals: Mapping[str, Sequence[str]], tally: Tally, *, clean: bool) -> int:
    """Compare what callers were told with what the units hold, print both; returns the exit status, 0 or 1.

    `journals` are names by the URL of their unit. `clean` = every process has drained: else the proof does not hold.
    """
    found = await proof.count(journals)
    verdict = proof.compare(tally.acknowledged, found)
    narrator.say(f"journals read: {found.groups:,} groups, {found.entries:,} entries, {found.refusals:,} refusals")
    narrator.out.print(report.verdict_table(verdict))
    for text in verdict.complaints:
        narrator.out.print(f"  {text}", style="red", highlight=False, markup=False)
    repeats = tally.total.repeats
    told = f"{repeats:,} duplicates got the first charge, {tally.planted[DUPLICATE] - repeats:,} the first refusal"
    holds = verdict.holds and not tally.surprise_count and clean
    if holds:
        narrator.say(f"[green]the proof holds[/]: to the micro-unit; {told}")
    else:
        narrator.say("[red]the proof does not hold[/]" + ("" if clean else ": a process did not drain"))
    return 0 if holds else 1


def audited(out: Console, layout: Layout, folder: Path, workers: int, backups: Path | None = None) -> bool:
    """Audit the whole country of a system that this console started; prints the findings, true = there are none.

    With `backups` of a billing cycle, also what its reconciliation rests on.
    """
    keys = keys_of(layout, folder)
    sources = Sources(layout.directory, ring_at(keys, make=False), anchors_folder(None, keys), backups=backups)
    found = audit_country(sources, "", workers)
    for text in found.sentences:
        out.print(f"  {text}", style="red", highlight=False, markup=False)
    for text in reconciled(found.slots) if backups is not None else ():
        out.print(text, highlight=False)
    out.print(f"audit of {len(found.slots)} slots: {len(found.sentences)} findings", highlight=False)
    return not found.sentences
