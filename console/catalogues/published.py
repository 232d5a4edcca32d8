"""What is published: catalogues read back from a running system, or from its directory unit without one."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc

from charging.catalogue.document import Catalogue, unpack
from charging.checks.values import moment_ms
from charging.errors import Invalid, NotFound
from console.operations.directory_call import call_directory
from console.operations.directory_unit import with_directory
from console.operations.keys import ring_for
from directory.directory import Directory

NATIONAL = "national"
READ_TIMEOUT_S = 30.0

Versions = Annotated[
    list[str] | None,
    typer.Option("--version", help="Only this one, such as national-3 or GD-2; may be repeated. Default: the newest."),
]
At = Annotated[str, typer.Option("--at", help="Those in force at a moment, 2026-01-01 or 2026-01-01T08:00.")]
DirectoryUrl = Annotated[
    str, typer.Option("--directory", help="URL of the directory unit, to read it without a data center.")
]


class Label(Struct, frozen=True, order=True):
    """A published version. The order is that in which versions of one domain come into force."""

    effective_from_ms: int
    version: int
    domain: str

    def __str__(self) -> str:
        return f"{self.domain or NATIONAL}-{self.version}"


class Wanted(Struct, frozen=True):
    """Which of the published versions are asked for: these, or of each domain one."""

    versions: tuple[str, ...] = ()
    at_ms: int | None = None
    """The one in force then; None = the one that comes into force last."""

    def choose(self, published: Iterable[Label]) -> list[Label]:
        """Choose among all, national first. Raises `NotFound` CATALOGUE_UNKNOWN."""
        known = {str(label): label for label in sorted(published)}
        if not known:
            raise NotFound("CATALOGUE_UNKNOWN", "no catalogue is published yet: publish a folder first")
        for name in self.versions:
            if name not in known:
                raise NotFound("CATALOGUE_UNKNOWN", f"{name} is not published: give one of {', '.join(known)}")
        if self.versions:
            chosen = {known[name].domain: known[name] for name in self.versions}
            if len(chosen) < len(set(self.versions)):
                raise Invalid("VERSION_AMBIGUOUS", "two versions of one domain are asked for: name one of them")
        else:
            # Of each domain the last stays.
            chosen = {
                label.domain: label
                for label in known.values()
                if self.at_ms is None or label.effective_from_ms <= self.at_ms
            }
        return sorted(chosen.values(), key=lambda label: label.domain)


def wanted(versions: list[str] | None, at: str) -> Wanted:
    """Read the options. A wrong moment ends the command with exit status 2."""
    if versions and at:
        raise typer.BadParameter("give --version or --at, not both")
    at_ms = moment_ms(at) if at else None
    if at and at_ms is None:
        raise typer.BadParameter(f"--at {at[:40]!r} is no moment: write 2026-01-01 or 2026-01-01T08:00")
    return Wanted(tuple(versions or ()), at_ms)


def of_datacenter(address: str, tls: Path | None, asked: Wanted) -> list[Catalogue]:
    """Read what is asked for through a data center."""

    async def ask(stub: dc_grpc.DirectoryServiceStub) -> list[Catalogue]:
        told = (await stub.Describe(dc.DescribeRequest(), timeout=READ_TIMEOUT_S)).catalogues
        found = []
        for label in asked.choose(Label(one.effective_from_ms, one.version, one.domain) for one in told):
            request = dc.ReadCatalogueRequest(domain=label.domain, version=label.version)
            response = await stub.ReadCatalogue(request, timeout=READ_TIMEOUT_S)
            found.append(unpack(response.catalogue.content))
        return found

    return call_directory(address, tls, ask)


def of_directory(url: str, asked: Wanted) -> list[Catalogue]:
    """Read what is asked for from the directory unit itself."""

    async def read(directory: Directory) -> list[Catalogue]:
        published = directory.state.catalogues
        labels = [Label(ref.effective_from_ms, ref.version, ref.domain) for ref in published.values()]
        return [unpack(published[label.domain, label.version].content) for label in asked.choose(labels)]

    return with_directory(url, ring_for(url), read)
