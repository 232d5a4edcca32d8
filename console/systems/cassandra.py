"""`onetier cassandra`: a real Cassandra on this machine, for trying things out and for tests. Not for production."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from cluster.cassandra import lifecycle
from cluster.cassandra.errors import LocalCassandraError

app = typer.Typer(help="A real Cassandra on 127.0.0.1…N: up, down, status.", no_args_is_help=True)

DEFAULT_FOLDER = Path(".onetier/cassandra")
Folder = Annotated[Path, typer.Option("--folder", help="Data, logs and process ids of the cluster.")]


class CommitlogSync(StrEnum):
    """When a write counts as on disk."""

    periodic = "periodic"
    batch = "batch"
    group = "group"


@app.command()
def up(
    nodes: Annotated[int, typer.Option("--nodes", "-n", min=1, max=lifecycle.NODES_MAX, help="How many nodes.")] = 1,
    folder: Folder = DEFAULT_FOLDER,
    network: Annotated[str, typer.Option(help="First three numbers of the nodes' addresses.")] = "127.0.0",
    port: Annotated[int, typer.Option(help="CQL port of every node.")] = 9042,
    storage_port: Annotated[int, typer.Option(help="Port between the nodes.")] = 7000,
    heap_mb: Annotated[int, typer.Option(help="Heap of each node; 0 = 1024 for one node, 400 for several.")] = 0,
    commitlog_sync: Annotated[
        CommitlogSync, typer.Option(help="periodic answers up to 10 s before the disk has it; batch and group do not.")
    ] = CommitlogSync.periodic,
) -> None:
    """Start the nodes that do not run yet and wait until they answer."""
    console = Console()
    settings = lifecycle.Settings(
        nodes=nodes,
        network=network,
        port=port,
        storage_port=storage_port,
        heap_mb=heap_mb,
        commitlog_sync=commitlog_sync.value,
    )
    with console.status("Cassandra") as spinner:

        def report(line: str) -> None:
            spinner.update(line)
            console.print(line, highlight=False)

        try:
            state = lifecycle.up(folder, settings, report)
        except LocalCassandraError as failure:
            _fail(failure)
    console.print(f"[green]Cassandra {state.version} is up[/]: {len(state.nodes)} node(s), data in {folder}")
    console.print(f"Units: cassandra://{state.contact_points()}/keyspace?rf={min(3, nodes)}", highlight=False)


@app.command()
def down(folder: Folder = DEFAULT_FOLDER) -> None:
    """Stop the nodes, by process id. The data stays."""
    console = Console()
    try:
        stopped = lifecycle.down(folder, lambda line: console.print(line, highlight=False))
    except LocalCassandraError as failure:
        _fail(failure)
    console.print(f"{stopped} node(s) stopped" if stopped else f"Nothing runs from {folder}")


@app.command()
def status(folder: Folder = DEFAULT_FOLDER) -> None:
    """Show the nodes; exit code 1 when none runs or one does not answer."""
    try:
        nodes = lifecycle.status(folder)
    except LocalCassandraError as failure:
        _fail(failure)
    table = Table("node", "address", "process", "state", "memory")
    for item in nodes:
        state = "answers" if item.answering else "starting or stuck" if item.running else "gone"
        table.add_row(str(item.number), f"{item.address}:{item.port}", str(item.pid), state, f"{item.memory_mb} MB")
    console = Console()
    console.print(table if nodes else f"Nothing runs from {folder}")
    if not nodes or not all(item.running and item.answering for item in nodes):
        raise typer.Exit(1)


def _fail(failure: LocalCassandraError) -> NoReturn:
    Console(stderr=True).print(f"[red]{failure}[/]", highlight=False)
    raise typer.Exit(1)
