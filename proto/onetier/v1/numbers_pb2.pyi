from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListRestingNumbersRequest(_message.Message):
    __slots__ = ("domain", "page_cursor", "rows_max", "channel", "actor")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PAGE_CURSOR_FIELD_NUMBER: _ClassVar[int]
    ROWS_MAX_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    domain: str
    page_cursor: str
    rows_max: int
    channel: str
    actor: str
    def __init__(self, domain: _Optional[str] = ..., page_cursor: _Optional[str] = ..., rows_max: _Optional[int] = ..., channel: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class RestingNumber(_message.Message):
    __slots__ = ("number", "account_id", "since_ms", "rests_until_ms", "kept_for")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    RESTS_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    KEPT_FOR_FIELD_NUMBER: _ClassVar[int]
    number: str
    account_id: str
    since_ms: int
    rests_until_ms: int
    kept_for: str
    def __init__(self, number: _Optional[str] = ..., account_id: _Optional[str] = ..., since_ms: _Optional[int] = ..., rests_until_ms: _Optional[int] = ..., kept_for: _Optional[str] = ...) -> None: ...

class ListRestingNumbersResponse(_message.Message):
    __slots__ = ("numbers", "next_cursor")
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    numbers: _containers.RepeatedCompositeFieldContainer[RestingNumber]
    next_cursor: str
    def __init__(self, numbers: _Optional[_Iterable[_Union[RestingNumber, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...
