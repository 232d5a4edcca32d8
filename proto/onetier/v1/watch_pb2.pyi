from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchRequest(_message.Message):
    __slots__ = ("cursor", "from_oldest", "kinds", "regions", "accounts", "events_max")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    FROM_OLDEST_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_MAX_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    from_oldest: bool
    kinds: _containers.RepeatedScalarFieldContainer[str]
    regions: _containers.RepeatedScalarFieldContainer[str]
    accounts: _containers.RepeatedScalarFieldContainer[str]
    events_max: int
    def __init__(self, cursor: _Optional[str] = ..., from_oldest: _Optional[bool] = ..., kinds: _Optional[_Iterable[str]] = ..., regions: _Optional[_Iterable[str]] = ..., accounts: _Optional[_Iterable[str]] = ..., events_max: _Optional[int] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("events", "cursor")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[AccountEvent]
    cursor: str
    def __init__(self, events: _Optional[_Iterable[_Union[AccountEvent, _Mapping]]] = ..., cursor: _Optional[str] = ...) -> None: ...

class AccountEvent(_message.Message):
    __slots__ = ("position", "region", "account_id", "version", "time_ms", "request_key", "command", "facts", "amount", "movements", "text", "identity", "actor", "principal", "channel", "effective_from_ms")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    position: str
    region: str
    account_id: str
    version: int
    time_ms: int
    request_key: str
    command: str
    facts: _containers.RepeatedCompositeFieldContainer[AccountFact]
    amount: int
    movements: _containers.RepeatedCompositeFieldContainer[FeedMovement]
    text: str
    identity: str
    actor: str
    principal: str
    channel: str
    effective_from_ms: int
    def __init__(self, position: _Optional[str] = ..., region: _Optional[str] = ..., account_id: _Optional[str] = ..., version: _Optional[int] = ..., time_ms: _Optional[int] = ..., request_key: _Optional[str] = ..., command: _Optional[str] = ..., facts: _Optional[_Iterable[_Union[AccountFact, _Mapping]]] = ..., amount: _Optional[int] = ..., movements: _Optional[_Iterable[_Union[FeedMovement, _Mapping]]] = ..., text: _Optional[str] = ..., identity: _Optional[str] = ..., actor: _Optional[str] = ..., principal: _Optional[str] = ..., channel: _Optional[str] = ..., effective_from_ms: _Optional[int] = ...) -> None: ...

class AccountFact(_message.Message):
    __slots__ = ("kind", "name", "identity", "units")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    identity: str
    units: _containers.RepeatedCompositeFieldContainer[SessionUnit]
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., identity: _Optional[str] = ..., units: _Optional[_Iterable[_Union[SessionUnit, _Mapping]]] = ...) -> None: ...

class SessionUnit(_message.Message):
    __slots__ = ("service_code", "rating_group", "service_identifier")
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    RATING_GROUP_FIELD_NUMBER: _ClassVar[int]
    SERVICE_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    service_code: str
    rating_group: int
    service_identifier: int
    def __init__(self, service_code: _Optional[str] = ..., rating_group: _Optional[int] = ..., service_identifier: _Optional[int] = ...) -> None: ...

class FeedMovement(_message.Message):
    __slots__ = ("book_id", "unit", "before", "after")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    unit: str
    before: int
    after: int
    def __init__(self, book_id: _Optional[str] = ..., unit: _Optional[str] = ..., before: _Optional[int] = ..., after: _Optional[int] = ...) -> None: ...
