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
from console.views import Json, Row, View, print_view

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
    as_json: Json = False,
) -> None:
    """Show the journal of a slot, oldest first; its chain is verified on the way. Nothing is changed."""
    where = directory_url(folder, directory)
    ring = ring_for(where, keys)
    found = [ref for ref in asyncio.run(journals(where, ring, slot.partition("/")[0])) if ref.name == slot]
    if not found:
        raise typer.BadParameter(f"there is no slot {slot}; `onetier resolve IDENTITY` names an identity's")
    shown = asyncio.run(_show(found[0], since, groups, events=events, as_json=as_json))
    if not shown and not as_json:
        after = "the newest checkpoint; --from 0 shows what came before" if since is None else f"group {since}"
        typer.echo(f"{slot} has nothing after {after}")


async def _show(ref: JournalRef, since: int | None, most: int, *, events: bool, as_json: bool) -> int:
    shown = 0
    async for group in read_journal(ref, since):
        if shown == most:
            print_view(View([{"more_from": group.seq}], [f"and more: --from {group.seq}"]), as_json)
            break
        print_view(View([data(group, events=events)], told(group, events=events)), as_json)
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


def data(group: GroupRead, *, events: bool) -> Row:
    """Give a group as data, identities masked but in the events that are asked for."""
    return {
        "group": group.seq,
        "segment": group.segment,
        "payload_bytes": group.payload_bytes,
        "entries": [{"place": place, **_entry_data(entry, events=events)} for place, entry in group.entries],
        "unreadable": [{"place": row.index, "why": row.why} for row in group.unreadable],
    }


def _entry_data(entry: Entry, *, events: bool) -> Row:
    said = tell(entry, KINDS)
    row: dict[str, object] = {
        "time_ms": entry.time_ms,
        "account_id": mask(entry.account_id),
        "version": entry.version,
        "kind": entry.kind,
        "events": [type(event).__name__ for event in entry.events],
        "amount": said.amount,
        "reason": said.reason,
        "request_key": entry.key,
    }
    if events:
        row["content"] = [msgspec.Raw(msgspec.json.encode(event, enc_hook=repr)) for event in entry.events]
    return row


def _entry(entry: Entry) -> str:
    said = tell(entry, KINDS)
    names = "+".join(type(event).__name__ for event in entry.events) or words(entry, KINDS) or "nothing changed"
    amount = f" {major(said.amount)}" if said.amount else ""
    why = f" ({said.reason})" if said.reason else ""
    begun = f"{moment(entry.time_ms)}  {mask(entry.account_id)} v{entry.version}"
    return f"{begun}  {entry.kind} {names}{amount}{why}  {entry.key}"
