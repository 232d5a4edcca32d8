"""`onetier accept-loss`: an operator says that a journal may end before what anchors know of it, and goes on record."""

import asyncio
import os
import socket
import time
from pathlib import Path
from typing import Annotated

import typer

from charging.errors import Fault, NotFound
from console.operations.keys import Anchors, ChainKeys, evidence_for
from console.operations.operate import Folder, directory_url
from directory import owners as owners_of
from directory.directory import Directory
from directory.log import JOURNAL, SEGMENT
from directory.slots import parse_slot
from domainservers.journal.journal import end_of, genesis
from domainservers.snapshots.checkpoint import load_checkpoint
from evidence.anchors import DIRECTORY, NEVER, Anchor, Everywhere
from evidence.keys import KeyRing
from evidence.places import places
from evidence.seals import SealedUnit
from house.stores import STORES
from storage.unit import StoreRejected, StoreUnavailable, Unit

app = typer.Typer()
FOLDER = Path(".onetier")


@app.command("accept-loss")
def accept_loss(
    slot: Annotated[str, typer.Argument(help='The slot, for example GD/0; "directory" for the control log.')],
    actor: Annotated[str, typer.Option(help="Who accepts it; kept with the anchors.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the anchors.")],
    folder: Folder = FOLDER,
    directory: Annotated[str, typer.Option("--directory", help="URL of the directory unit.")] = "",
    keys: ChainKeys = None,
    anchors: Anchors = None,
) -> None:
    """Let a slot be taken over though its journal ends before what anchors know. What is missing stays missing."""
    url = directory_url(folder, directory)
    evidence = evidence_for(url, keys, anchors)
    if not actor or not reason:
        raise typer.BadParameter("say who accepts the loss, and why")
    try:
        told = asyncio.run(_accept(url, slot, f"{actor}: {reason}", evidence.ring, evidence.anchors))
    except (Fault, StoreUnavailable, StoreRejected) as fault:
        typer.echo(f"onetier: {fault}", err=True)
        raise typer.Exit(1) from fault
    typer.echo(told)


async def _accept(url: str, slot: str, accepted: str, ring: KeyRing, folder: Path | None) -> str:
    unit = await STORES.open(url)
    everywhere = places(folder, unit, ring, f"operator-{socket.gethostname()}-{os.getpid()}")
    try:
        newest = await everywhere.newest(slot)
        if slot == DIRECTORY:
            found = await _control_log(unit, newest)
        else:
            found = await _journal(unit, slot, newest, ring)
        if newest is not None and newest.seq <= found.seq and newest.checkpoint_seq <= found.checkpoint_seq:
            return f"{slot} holds all that its anchors know, up to group {newest.seq}; nothing was accepted"
        return await _note(everywhere, found, newest, accepted)
    finally:
        await everywhere.close()
        await unit.close()


async def _note(everywhere: Everywhere, found: Anchor, newest: Anchor | None, accepted: str) -> str:
    loss = Anchor(
        found.slot,
        found.epoch + 1,
        found.seq,
        found.tip,
        found.first_seq,
        found.checkpoint_seq,
        time.time_ns() // 1_000_000,
        accepted=accepted,
    )
    for away in await everywhere.append([loss]):
        raise away
    missing = f"groups {found.seq + 1} to {newest.seq} are lost" if newest is not None else "what it held is lost"
    return f"{found.slot} goes on after group {found.seq}: {missing}, accepted by {accepted}"


async def _journal(unit: Unit, slot: str, newest: Anchor | None, ring: KeyRing) -> Anchor:
    """Find where a slot's journal ends; the epoch is the highest that anybody knows."""
    epoch = max(newest.epoch if newest is not None else 0, await owners_of.recorded_epoch(unit, *parse_slot(slot)))
    directory = await Directory.open(unit, ring=ring)
    try:
        info = directory.domains.get(slot.rpartition("/")[0])
    finally:
        await directory.close()
    if info is None:
        raise NotFound("DOMAIN_UNKNOWN", f"the directory names no domain of slot {slot}")
    private = SealedUnit(await STORES.open_to_read(info.private_unit), ring)
    try:
        checkpoint = await load_checkpoint(private, slot)
        head = await end_of(private, slot, checkpoint.segments[-1].number if checkpoint is not None else 0)
    finally:
        await private.close()
    if head is None:
        return Anchor(slot, epoch, -1, genesis(slot), 0, NEVER, 0)
    first = checkpoint.segments[0].first_seq if checkpoint is not None else 0
    checkpoint_seq = checkpoint.position.seq if checkpoint is not None else NEVER
    return Anchor(slot, max(epoch, head.epoch), head.seq, head.tip, first, checkpoint_seq, 0)


async def _control_log(unit: Unit, newest: Anchor | None) -> Anchor:
    head = await unit.head(JOURNAL, SEGMENT)
    seq, tip = (head.seq, head.tip) if head is not None else (0, b"")
    return Anchor(DIRECTORY, newest.epoch if newest is not None else 1, seq, tip, 1, NEVER, 0)
