from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServeRequest(_message.Message):
    __slots__ = ("batch_id", "timeout_ms", "positions", "slots", "bodies", "origin", "traced", "traceparents")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    BODIES_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TRACED_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENTS_FIELD_NUMBER: _ClassVar[int]
    batch_id: int
    timeout_ms: int
    positions: _containers.RepeatedScalarFieldContainer[int]
    slots: _containers.RepeatedScalarFieldContainer[str]
    bodies: _containers.RepeatedScalarFieldContainer[bytes]
    origin: str
    traced: _containers.RepeatedScalarFieldContainer[int]
    traceparents: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, batch_id: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., positions: _Optional[_Iterable[int]] = ..., slots: _Optional[_Iterable[str]] = ..., bodies: _Optional[_Iterable[bytes]] = ..., origin: _Optional[str] = ..., traced: _Optional[_Iterable[int]] = ..., traceparents: _Optional[_Iterable[str]] = ...) -> None: ...

class ServeResponse(_message.Message):
    __slots__ = ("batch_id", "replies", "answered", "misrouted", "more")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    MISROUTED_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    batch_id: int
    replies: bytes
    answered: int
    misrouted: _containers.RepeatedScalarFieldContainer[int]
    more: _containers.RepeatedCompositeFieldContainer[ServeResponse]
    def __init__(self, batch_id: _Optional[int] = ..., replies: _Optional[bytes] = ..., answered: _Optional[int] = ..., misrouted: _Optional[_Iterable[int]] = ..., more: _Optional[_Iterable[_Union[ServeResponse, _Mapping]]] = ...) -> None: ...
