"""`onetier journal`: what stands in the journal of one slot, entry by entry, straight from its unit."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from audit.journals import JournalRef
from audit.reading import GroupRead, read_journal
from business.kinds import KINDS
from business.subjects import tell, words
from charging.base.identity import mask
from charging.ledger.entry import Entry
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import FOLDER, DirectoryUrl, Folder, directory_url, journals
from console.report import major, moment

app = typer.Typer()


@app.command()
def journal(
    slot: Annotated[str, typer.Argument(help="As `onetier resolve` tells it: GD/0.")],
    since: Annotated[
        int | None, typer.Option("--from", min=0, help="First group; default: after the newest checkpoint.")
    ] = None,
    groups: Annotated[int, typer.Option(min=1, help="At most so many groups.")] = 20,
    events: Annotated[bool, typer.Option("--events", help="Show the events of each entry as JSON, unmasked.")] = False,
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
) -> None:
    """Show the journal of a slot, oldest first; its chain is verified on the way. Nothing is changed."""
    where = directory_url(folder, directory)
    ring = ring_for(where, keys)
    found = [ref for ref in asyncio.run(journals(where, ring, slot.partition("/")[0])) if ref.name == slot]
    if not found:
        raise typer.BadParameter(f"there is no slot {slot}; `onetier resolve IDENTITY` names an identity's")
    shown = asyncio.run(_show(found[0], since, groups, events=events))
    if not shown:
        after = "the newest checkpoint; --from 0 shows what came before" if since is None else f"group {since}"
        typer.echo(f"{slot} has nothing after {after}")


async def _show(ref: JournalRef, since: int | None, most: int, *, events: bool) -> int:
    shown = 0
    async for group in read_journal(ref, since):
        if shown == most:
            typer.echo(f"and more: --from {group.seq}")
            break
        for text in told(group, events=events):
            typer.echo(text)
        shown += 1
    return shown


def told(group: GroupRead, *, events: bool) -> Iterator[str]:
    """Say a group in lines: one of its own, one for each entry, and one for each event when they are wanted."""
    yield f"group {group.seq} in segment {group.segment}: {len(group.entries)} entries, {group.payload_bytes:,} bytes"
    for place, entry in group.entries:
        yield f"  {place:4} {_entry(entry)}"
        for event in entry.events if events else ():
            yield f"         {type(event).__name__} {msgspec.json.encode(event, enc_hook=repr).decode()}"
    for row in group.unreadable:
        yield f"  {row.index:4} can't be read: {row.why}"


def _entry(entry: Entry) -> str:
    said = tell(entry, KINDS)
    names = "+".join(type(event).__name__ for event in entry.events) or words(entry, KINDS) or "nothing changed"
    amount = f" {major(said.amount)}" if said.amount else ""
    why = f" ({said.reason})" if said.reason else ""
    begun = f"{moment(entry.time_ms)}  {mask(entry.account_id)} v{entry.version}"
    return f"{begun}  {entry.kind} {names}{amount}{why}  {entry.key}"
