"""`DirectoryService`: what operators and the console ask of the directory, over any data-center instance."""

import grpc
from onetier.v1 import data_center_pb2 as pb
from onetier.v1 import data_center_pb2_grpc

from charging.base.bounds import ACTOR_CHARS_MAX
from charging.base.fieldtypes import PLAIN, refusal
from charging.base.identity import normalise
from charging.base.names import is_plain
from charging.errors import Invalid, NotFound
from datacenter.operators import permits
from datacenter.operators.admission import Admission
from datacenter.operators.changes import changes_of, grant_messages
from datacenter.operators.records import page
from datacenter.porting.port import Porter
from datacenter.routing.owners import OwnerTable
from directory.checks import check_callers_key
from directory.directory import Directory
from directory.slots import parse_slot
from runtime.principal import principal_of
from runtime.telemetry import Metrics
from storage.address import masked


class DirectoryServicer(data_center_pb2_grpc.DirectoryServiceServicer):
    """Serves Resolve, Amend, Port, Describe and ReadCatalogue."""

    def __init__(
        self, directory: Directory, owners: OwnerTable, porter: Porter, metrics: Metrics, country: str = ""
    ) -> None:
        self._directory = directory
        self._owners = owners
        self._porter = porter
        self._metrics = metrics
        self._country = country

    async def Resolve(self, request: pb.ResolveRequest, context: grpc.aio.ServicerContext) -> pb.ResolveResponse:
        """Say where an identity would be served. Faults: IDENTITY_MALFORMED, IDENTITY_UNROUTED."""
        self._check(context, "resolve")
        route = self._directory.resolve(normalise(request.identity, self._country))
        owner = self._owners.owners.get(route.key)
        return pb.ResolveResponse(
            domain=route.domain,
            slot=route.slot,
            rule=route.rule,
            owner=owner.address if owner is not None else "",
            revision=self._directory.revision,
        )

    async def Amend(self, request: pb.AmendRequest, context: grpc.aio.ServicerContext) -> pb.AmendResponse:
        """Append changes, all or none, once a key; gives the revision, of a repeat the first time's.

        What the caller may not do alone is appended as a proposal, and told as the fault that approval is needed.
        Faults: CHANGE_MALFORMED, PREFIX_TWICE, and see `Directory.amend`, `Admission.check`, `permits.admitted`.
        """
        _check_actor(request.actor)
        principal, key, state = principal_of(context).name, request.request_key, self._directory.state
        check_callers_key(key)
        changes = changes_of(request.changes)
        appended = permits.admitted(state, changes, principal, request.actor)
        revision = permits.repeated(state, key, changes)
        if revision is None:
            admission = Admission(appended, principal)
            await admission.prepare(state)
            revision = await self._directory.amend(appended, key, request.actor, admission.check, principal)
        self._metrics.requests("amend", "ok", len(changes))
        if key in state.proposals:
            raise permits.approval_needed(key)
        return pb.AmendResponse(revision=revision)

    async def Port(self, request: pb.PortRequest, context: grpc.aio.ServicerContext) -> pb.PortResponse:
        """Move an identity's account to another domain; a repeat of the key finishes what was begun.

        Goes on when the caller's deadline passes. Faults: see `Porter.port`.
        """
        _check_actor(request.actor)
        self._check(context, "port", request.actor, request.to_domain)
        check_callers_key(request.request_key)
        principal = principal_of(context).name
        port = await self._porter.port(
            request.identity, request.to_domain, request.request_key, request.actor, principal
        )
        return pb.PortResponse(revision=port.revision, from_domain=port.begun.from_domain)

    async def Describe(self, request: pb.DescribeRequest, context: grpc.aio.ServicerContext) -> pb.DescribeResponse:
        """Give the whole picture as this instance knows it, passwords masked and catalogues without their content."""
        self._check(context, "describe")
        state = self._directory.state
        return pb.DescribeResponse(
            revision=state.revision,
            domains=[
                pb.Domain(
                    code=one.code,
                    name=one.name,
                    time_zone=one.time_zone,
                    slots=one.slots,
                    shared_unit=one.shared_unit,
                    private_unit=one.private_unit,
                )
                for one in state.named.values()
            ],
            owners=self._slot_owners(),
            channels=[
                pb.Channel(code=one.code, name=one.name, open=one.is_open, partners_only=one.partners_only)
                for one in state.channels.values()
            ],
            units=[pb.UnitAddress(name=name, url=masked(url)) for name, url in state.units.items()],
            number_ranges=state.plan.size,
            entries=len(state.entries),
            partners=[pb.Partner(code=one.code, name=one.name, active=one.active) for one in state.partners.values()],
            catalogues=[
                pb.CatalogueVersion(domain=one.domain, version=one.version, effective_from_ms=one.effective_from_ms)
                for one in state.catalogues.values()
            ],
            ports_open=[port.begun.key for port in self._directory.ports_open()],
            grants=grant_messages(state.grants),
            proposals=[
                pb.AmendmentProposal(
                    request_key=key,
                    principal=one.principal,
                    actor=one.actor,
                    time_ms=one.time_ms,
                    kinds=[type(change).__name__ for change in one.changes],
                )
                for key, one in state.proposals.items()
            ],
        )

    async def ListRecords(
        self, request: pb.ListRecordsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListRecordsResponse:
        """Give a page of channels, partners, ranges or entries. Faults: see `records.page`."""
        self._check(context, "list_records", domain=request.domain)
        return await page(self._directory.state, request)

    def _check(self, context: grpc.aio.ServicerContext, name: str, actor: str = "", domain: str = "") -> None:
        permits.check_call(self._directory.policy, principal_of(context).name, name, actor, domain)

    async def ReadCatalogue(
        self, request: pb.ReadCatalogueRequest, context: grpc.aio.ServicerContext
    ) -> pb.ReadCatalogueResponse:
        """Give a published catalogue as it was published. Faults: CATALOGUE_UNKNOWN."""
        self._check(context, "read_catalogue")
        found = self._directory.state.catalogues.get((request.domain, request.version))
        if found is None:
            raise NotFound(
                "CATALOGUE_UNKNOWN",
                f"version {request.version} of {request.domain[:40] or 'national'} is not published: "
                "Describe lists those that are",
                facts={"domain": request.domain[:40], "version": str(request.version)},
            )
        catalogue = pb.CatalogueVersion(
            domain=found.domain,
            version=found.version,
            effective_from_ms=found.effective_from_ms,
            content=found.content,
        )
        return pb.ReadCatalogueResponse(catalogue=catalogue)

    def _slot_owners(self) -> list[pb.SlotOwner]:
        found: list[pb.SlotOwner] = []
        for key, owner in self._owners.owners.items():
            domain, slot = parse_slot(key)
            found.append(pb.SlotOwner(domain=domain, slot=slot, address=owner.address, epoch=owner.epoch))
        return found


def _check_actor(actor: str) -> None:
    if not 1 <= len(actor) <= ACTOR_CHARS_MAX:
        wanted = f"who acts, 1 to {ACTOR_CHARS_MAX} characters"
        raise Invalid("ACTOR_MISSING", f"actor: expected {wanted}", fields={"actor": wanted})
    if not is_plain(actor):
        raise refusal("TEXT_MALFORMED", "actor", PLAIN)
