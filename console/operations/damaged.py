"""What was set aside: accounts that are not served, because something of theirs can't be read."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping

import typer

from audit.journals import JournalRef
from charging.base.identity import mask
from charging.errors import Fault
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import FOLDER, DirectoryUrl, Folder, directory_url, journals
from console.views import Json, Row, View, print_view
from domainservers.journal.keys import POSITIONS_PER_GROUP
from domainservers.journal.quarantine import Aside
from domainservers.snapshots.checkpoint import load_checkpoint
from evidence.seals import SealedUnit
from house.stores import STORES
from storage.unit import StoreRejected, StoreUnavailable

app = typer.Typer()


@app.command()
def damaged(
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    domain: str = "",
    keys: ChainKeys = None,
    as_json: Json = False,
) -> None:
    """List the accounts that are kept back, with what could not be read of them. Ends with 1 when there are some."""
    where = directory_url(folder, directory)
    ring = ring_for(where, keys)
    try:
        refs = asyncio.run(journals(where, ring, domain))
        found = asyncio.run(set_aside(refs))
    except (Fault, StoreUnavailable, StoreRejected) as fault:
        typer.echo(f"onetier: {fault}", err=True)
        raise typer.Exit(1) from fault
    text = [line for name, rows in found.items() for line in told(name, rows)]
    print_view(View(list(_data(found)), text or [f"nothing is set aside in {len(refs)} slots"]), as_json)
    if text:
        raise typer.Exit(1)


def _data(found: Mapping[str, Iterable[Aside]]) -> Iterator[Row]:
    for name, rows in found.items():
        for row in rows:
            index = None if row.snapshot else row.position % POSITIONS_PER_GROUP
            account = mask(row.account_id) if row.account_id else ""
            yield {
                "slot": name,
                "account_id": account,
                "account_mark": row.mark,
                "group": row.group,
                "entry": index,
                "why": row.why,
            }


async def set_aside(refs: Iterable[JournalRef]) -> dict[str, tuple[Aside, ...]]:
    """Read what the newest checkpoint of each slot says. Raises `StoreUnavailable`."""
    found: dict[str, tuple[Aside, ...]] = {}
    for ref in refs:
        unit = SealedUnit(await STORES.open_to_read(ref.url), ref.ring)
        try:
            checkpoint = await load_checkpoint(unit, ref.name)
        finally:
            await unit.close()
        found[ref.name] = checkpoint.set_aside if checkpoint is not None else ()
    return found


def told(name: str, rows: Iterable[Aside]) -> Iterable[str]:
    """Say each row in one line."""
    for row in rows:
        index = row.position % POSITIONS_PER_GROUP
        what = f"snapshot of group {row.group}" if row.snapshot else f"group {row.group}, entry {index}"
        account = mask(row.account_id) if row.account_id else f"account with mark {row.mark}"
        yield f"{name}  {account}  {what}: {row.why}"
