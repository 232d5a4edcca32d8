from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RouteRequest(_message.Message):
    __slots__ = ("batch_id", "timeout_ms", "positions", "routes", "bodies", "traced", "traceparents")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    BODIES_FIELD_NUMBER: _ClassVar[int]
    TRACED_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENTS_FIELD_NUMBER: _ClassVar[int]
    batch_id: int
    timeout_ms: int
    positions: _containers.RepeatedScalarFieldContainer[int]
    routes: _containers.RepeatedScalarFieldContainer[str]
    bodies: _containers.RepeatedScalarFieldContainer[bytes]
    traced: _containers.RepeatedScalarFieldContainer[int]
    traceparents: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, batch_id: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., positions: _Optional[_Iterable[int]] = ..., routes: _Optional[_Iterable[str]] = ..., bodies: _Optional[_Iterable[bytes]] = ..., traced: _Optional[_Iterable[int]] = ..., traceparents: _Optional[_Iterable[str]] = ...) -> None: ...

class RouteResponse(_message.Message):
    __slots__ = ("batch_id", "replies", "more")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    batch_id: int
    replies: bytes
    more: _containers.RepeatedCompositeFieldContainer[RouteResponse]
    def __init__(self, batch_id: _Optional[int] = ..., replies: _Optional[bytes] = ..., more: _Optional[_Iterable[_Union[RouteResponse, _Mapping]]] = ...) -> None: ...

class ReplyBatch(_message.Message):
    __slots__ = ("positions", "bodies", "domains", "revisions")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    BODIES_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedScalarFieldContainer[int]
    bodies: _containers.RepeatedScalarFieldContainer[bytes]
    domains: _containers.RepeatedScalarFieldContainer[str]
    revisions: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, positions: _Optional[_Iterable[int]] = ..., bodies: _Optional[_Iterable[bytes]] = ..., domains: _Optional[_Iterable[str]] = ..., revisions: _Optional[_Iterable[int]] = ...) -> None: ...

class ResolveRequest(_message.Message):
    __slots__ = ("identity",)
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    identity: str
    def __init__(self, identity: _Optional[str] = ...) -> None: ...

class ResolveResponse(_message.Message):
    __slots__ = ("domain", "slot", "rule", "owner", "revision")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slot: int
    rule: str
    owner: str
    revision: int
    def __init__(self, domain: _Optional[str] = ..., slot: _Optional[int] = ..., rule: _Optional[str] = ..., owner: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class NumberRange(_message.Message):
    __slots__ = ("prefix", "domain", "remove")
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    prefix: str
    domain: str
    remove: bool
    def __init__(self, prefix: _Optional[str] = ..., domain: _Optional[str] = ..., remove: _Optional[bool] = ...) -> None: ...

class DirectoryEntry(_message.Message):
    __slots__ = ("identity", "domain", "slot", "remove")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    identity: str
    domain: str
    slot: int
    remove: bool
    def __init__(self, identity: _Optional[str] = ..., domain: _Optional[str] = ..., slot: _Optional[int] = ..., remove: _Optional[bool] = ...) -> None: ...

class Domain(_message.Message):
    __slots__ = ("code", "name", "time_zone", "slots", "shared_unit", "private_unit")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    SHARED_UNIT_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_UNIT_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    time_zone: str
    slots: int
    shared_unit: str
    private_unit: str
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., time_zone: _Optional[str] = ..., slots: _Optional[int] = ..., shared_unit: _Optional[str] = ..., private_unit: _Optional[str] = ...) -> None: ...

class Channel(_message.Message):
    __slots__ = ("code", "name", "open", "partners_only", "remove")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    PARTNERS_ONLY_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    open: bool
    partners_only: bool
    remove: bool
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., open: _Optional[bool] = ..., partners_only: _Optional[bool] = ..., remove: _Optional[bool] = ...) -> None: ...

class Partner(_message.Message):
    __slots__ = ("code", "name", "active", "remove")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    active: bool
    remove: bool
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., active: _Optional[bool] = ..., remove: _Optional[bool] = ...) -> None: ...

class UnitAddress(_message.Message):
    __slots__ = ("name", "url")
    NAME_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    name: str
    url: str
    def __init__(self, name: _Optional[str] = ..., url: _Optional[str] = ...) -> None: ...

class CatalogueVersion(_message.Message):
    __slots__ = ("domain", "version", "effective_from_ms", "content")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    domain: str
    version: int
    effective_from_ms: int
    content: bytes
    def __init__(self, domain: _Optional[str] = ..., version: _Optional[int] = ..., effective_from_ms: _Optional[int] = ..., content: _Optional[bytes] = ...) -> None: ...

class DirectoryChange(_message.Message):
    __slots__ = ("number_plan", "entry", "domain", "channel", "partner", "catalogue", "unit", "grant", "decision", "range")
    NUMBER_PLAN_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    number_plan: NumberPlan
    entry: DirectoryEntry
    domain: Domain
    channel: Channel
    partner: Partner
    catalogue: CatalogueVersion
    unit: UnitAddress
    grant: Grant
    decision: AmendmentDecision
    range: NumberRange
    def __init__(self, number_plan: _Optional[_Union[NumberPlan, _Mapping]] = ..., entry: _Optional[_Union[DirectoryEntry, _Mapping]] = ..., domain: _Optional[_Union[Domain, _Mapping]] = ..., channel: _Optional[_Union[Channel, _Mapping]] = ..., partner: _Optional[_Union[Partner, _Mapping]] = ..., catalogue: _Optional[_Union[CatalogueVersion, _Mapping]] = ..., unit: _Optional[_Union[UnitAddress, _Mapping]] = ..., grant: _Optional[_Union[Grant, _Mapping]] = ..., decision: _Optional[_Union[AmendmentDecision, _Mapping]] = ..., range: _Optional[_Union[NumberRange, _Mapping]] = ...) -> None: ...

class Grant(_message.Message):
    __slots__ = ("grant_id", "subject", "commands", "amount_max", "alone_max", "channels", "partners", "domains", "actors", "remove")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    ALONE_MAX_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    PARTNERS_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    ACTORS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    subject: str
    commands: _containers.RepeatedScalarFieldContainer[str]
    amount_max: int
    alone_max: int
    channels: _containers.RepeatedScalarFieldContainer[str]
    partners: _containers.RepeatedScalarFieldContainer[str]
    domains: _containers.RepeatedScalarFieldContainer[str]
    actors: bool
    remove: bool
    def __init__(self, grant_id: _Optional[str] = ..., subject: _Optional[str] = ..., commands: _Optional[_Iterable[str]] = ..., amount_max: _Optional[int] = ..., alone_max: _Optional[int] = ..., channels: _Optional[_Iterable[str]] = ..., partners: _Optional[_Iterable[str]] = ..., domains: _Optional[_Iterable[str]] = ..., actors: _Optional[bool] = ..., remove: _Optional[bool] = ...) -> None: ...

class AmendmentDecision(_message.Message):
    __slots__ = ("of_key", "reject")
    OF_KEY_FIELD_NUMBER: _ClassVar[int]
    REJECT_FIELD_NUMBER: _ClassVar[int]
    of_key: str
    reject: bool
    def __init__(self, of_key: _Optional[str] = ..., reject: _Optional[bool] = ...) -> None: ...

class AmendmentProposal(_message.Message):
    __slots__ = ("request_key", "principal", "actor", "time_ms", "kinds")
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    request_key: str
    principal: str
    actor: str
    time_ms: int
    kinds: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_key: _Optional[str] = ..., principal: _Optional[str] = ..., actor: _Optional[str] = ..., time_ms: _Optional[int] = ..., kinds: _Optional[_Iterable[str]] = ...) -> None: ...

class NumberPlan(_message.Message):
    __slots__ = ("ranges",)
    RANGES_FIELD_NUMBER: _ClassVar[int]
    ranges: _containers.RepeatedCompositeFieldContainer[NumberRange]
    def __init__(self, ranges: _Optional[_Iterable[_Union[NumberRange, _Mapping]]] = ...) -> None: ...

class AmendRequest(_message.Message):
    __slots__ = ("changes", "request_key", "actor")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[DirectoryChange]
    request_key: str
    actor: str
    def __init__(self, changes: _Optional[_Iterable[_Union[DirectoryChange, _Mapping]]] = ..., request_key: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class AmendResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class PortRequest(_message.Message):
    __slots__ = ("identity", "to_domain", "request_key", "actor")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    TO_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    identity: str
    to_domain: str
    request_key: str
    actor: str
    def __init__(self, identity: _Optional[str] = ..., to_domain: _Optional[str] = ..., request_key: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class PortResponse(_message.Message):
    __slots__ = ("revision", "from_domain")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FROM_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    revision: int
    from_domain: str
    def __init__(self, revision: _Optional[int] = ..., from_domain: _Optional[str] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ("revision", "domains", "owners", "channels", "units", "number_ranges", "entries", "partners", "catalogues", "ports_open", "grants", "proposals")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_RANGES_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PARTNERS_FIELD_NUMBER: _ClassVar[int]
    CATALOGUES_FIELD_NUMBER: _ClassVar[int]
    PORTS_OPEN_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    revision: int
    domains: _containers.RepeatedCompositeFieldContainer[Domain]
    owners: _containers.RepeatedCompositeFieldContainer[SlotOwner]
    channels: _containers.RepeatedCompositeFieldContainer[Channel]
    units: _containers.RepeatedCompositeFieldContainer[UnitAddress]
    number_ranges: int
    entries: int
    partners: _containers.RepeatedCompositeFieldContainer[Partner]
    catalogues: _containers.RepeatedCompositeFieldContainer[CatalogueVersion]
    ports_open: _containers.RepeatedScalarFieldContainer[str]
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    proposals: _containers.RepeatedCompositeFieldContainer[AmendmentProposal]
    def __init__(self, revision: _Optional[int] = ..., domains: _Optional[_Iterable[_Union[Domain, _Mapping]]] = ..., owners: _Optional[_Iterable[_Union[SlotOwner, _Mapping]]] = ..., channels: _Optional[_Iterable[_Union[Channel, _Mapping]]] = ..., units: _Optional[_Iterable[_Union[UnitAddress, _Mapping]]] = ..., number_ranges: _Optional[int] = ..., entries: _Optional[int] = ..., partners: _Optional[_Iterable[_Union[Partner, _Mapping]]] = ..., catalogues: _Optional[_Iterable[_Union[CatalogueVersion, _Mapping]]] = ..., ports_open: _Optional[_Iterable[str]] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., proposals: _Optional[_Iterable[_Union[AmendmentProposal, _Mapping]]] = ...) -> None: ...

class ListRecordsRequest(_message.Message):
    __slots__ = ("kind", "after", "limit", "domain")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    kind: str
    after: str
    limit: int
    domain: str
    def __init__(self, kind: _Optional[str] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ..., domain: _Optional[str] = ...) -> None: ...

class ListRecordsResponse(_message.Message):
    __slots__ = ("records", "next_after", "revision")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[DirectoryChange]
    next_after: str
    revision: int
    def __init__(self, records: _Optional[_Iterable[_Union[DirectoryChange, _Mapping]]] = ..., next_after: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class ReadCatalogueRequest(_message.Message):
    __slots__ = ("domain", "version")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    domain: str
    version: int
    def __init__(self, domain: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ReadCatalogueResponse(_message.Message):
    __slots__ = ("catalogue",)
    CATALOGUE_FIELD_NUMBER: _ClassVar[int]
    catalogue: CatalogueVersion
    def __init__(self, catalogue: _Optional[_Union[CatalogueVersion, _Mapping]] = ...) -> None: ...

class SlotOwner(_message.Message):
    __slots__ = ("domain", "slot", "address", "epoch")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slot: int
    address: str
    epoch: int
    def __init__(self, domain: _Optional[str] = ..., slot: _Optional[int] = ..., address: _Optional[str] = ..., epoch: _Optional[int] = ...) -> None: ...
