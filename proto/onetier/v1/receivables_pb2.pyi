from onetier.v1 import service_desk_pb2 as _service_desk_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListOwingRequest(_message.Message):
    __slots__ = ("domain", "slot", "page", "accounts_max", "channel", "actor")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_MAX_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slot: int
    page: str
    accounts_max: int
    channel: str
    actor: str
    def __init__(self, domain: _Optional[str] = ..., slot: _Optional[int] = ..., page: _Optional[str] = ..., accounts_max: _Optional[int] = ..., channel: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class ListOwingResponse(_message.Message):
    __slots__ = ("accounts", "next_page", "slots")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[_service_desk_pb2.ArrearsView]
    next_page: str
    slots: int
    def __init__(self, accounts: _Optional[_Iterable[_Union[_service_desk_pb2.ArrearsView, _Mapping]]] = ..., next_page: _Optional[str] = ..., slots: _Optional[int] = ...) -> None: ...
