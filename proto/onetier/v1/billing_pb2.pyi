from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeBillRunsRequest(_message.Message):
    __slots__ = ("domain", "slots", "period", "request_key", "actor", "channel", "plan", "open", "complete", "cancel")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slots: _containers.RepeatedScalarFieldContainer[int]
    period: str
    request_key: str
    actor: str
    channel: str
    plan: PlanBillRun
    open: OpenBillRun
    complete: CompleteBillRun
    cancel: CancelBillRun
    def __init__(self, domain: _Optional[str] = ..., slots: _Optional[_Iterable[int]] = ..., period: _Optional[str] = ..., request_key: _Optional[str] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ..., plan: _Optional[_Union[PlanBillRun, _Mapping]] = ..., open: _Optional[_Union[OpenBillRun, _Mapping]] = ..., complete: _Optional[_Union[CompleteBillRun, _Mapping]] = ..., cancel: _Optional[_Union[CancelBillRun, _Mapping]] = ...) -> None: ...

class PlanBillRun(_message.Message):
    __slots__ = ("mode", "from_ms", "until_ms")
    MODE_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    mode: str
    from_ms: int
    until_ms: int
    def __init__(self, mode: _Optional[str] = ..., from_ms: _Optional[int] = ..., until_ms: _Optional[int] = ...) -> None: ...

class OpenBillRun(_message.Message):
    __slots__ = ("mode", "until_ms")
    MODE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    mode: str
    until_ms: int
    def __init__(self, mode: _Optional[str] = ..., until_ms: _Optional[int] = ...) -> None: ...

class CompleteBillRun(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CancelBillRun(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ChangeBillRunsResponse(_message.Message):
    __slots__ = ("outcomes",)
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[BillRunOutcome]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[BillRunOutcome, _Mapping]]] = ...) -> None: ...

class BillRunOutcome(_message.Message):
    __slots__ = ("slot", "run", "repeated", "error")
    SLOT_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    slot: int
    run: BillRun
    repeated: bool
    error: _status_pb2.Status
    def __init__(self, slot: _Optional[int] = ..., run: _Optional[_Union[BillRun, _Mapping]] = ..., repeated: _Optional[bool] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class BillRun(_message.Message):
    __slots__ = ("run_id", "slot", "period", "mode", "state", "from_ms", "until_ms", "opened_ms", "ended_ms", "completion", "reason", "attempt")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    OPENED_MS_FIELD_NUMBER: _ClassVar[int]
    ENDED_MS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    slot: int
    period: str
    mode: str
    state: str
    from_ms: int
    until_ms: int
    opened_ms: int
    ended_ms: int
    completion: str
    reason: str
    attempt: int
    def __init__(self, run_id: _Optional[str] = ..., slot: _Optional[int] = ..., period: _Optional[str] = ..., mode: _Optional[str] = ..., state: _Optional[str] = ..., from_ms: _Optional[int] = ..., until_ms: _Optional[int] = ..., opened_ms: _Optional[int] = ..., ended_ms: _Optional[int] = ..., completion: _Optional[str] = ..., reason: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class ListBillRunsRequest(_message.Message):
    __slots__ = ("domain", "slots", "actor", "channel")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slots: _containers.RepeatedScalarFieldContainer[int]
    actor: str
    channel: str
    def __init__(self, domain: _Optional[str] = ..., slots: _Optional[_Iterable[int]] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ...) -> None: ...

class ListBillRunsResponse(_message.Message):
    __slots__ = ("runs", "failures")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[BillRun]
    failures: _containers.RepeatedCompositeFieldContainer[BillRunOutcome]
    def __init__(self, runs: _Optional[_Iterable[_Union[BillRun, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[BillRunOutcome, _Mapping]]] = ...) -> None: ...

class ReadBillRunHistoryRequest(_message.Message):
    __slots__ = ("domain", "slot", "lines_max", "cursor", "actor", "channel")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    LINES_MAX_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slot: int
    lines_max: int
    cursor: int
    actor: str
    channel: str
    def __init__(self, domain: _Optional[str] = ..., slot: _Optional[int] = ..., lines_max: _Optional[int] = ..., cursor: _Optional[int] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ...) -> None: ...

class ReadBillRunHistoryResponse(_message.Message):
    __slots__ = ("changes", "next_cursor")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[BillRunChange]
    next_cursor: int
    def __init__(self, changes: _Optional[_Iterable[_Union[BillRunChange, _Mapping]]] = ..., next_cursor: _Optional[int] = ...) -> None: ...

class BillRunChange(_message.Message):
    __slots__ = ("request_key", "kind", "time_ms", "actor", "principal", "channel", "text", "refusal", "version")
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    request_key: str
    kind: str
    time_ms: int
    actor: str
    principal: str
    channel: str
    text: str
    refusal: str
    version: int
    def __init__(self, request_key: _Optional[str] = ..., kind: _Optional[str] = ..., time_ms: _Optional[int] = ..., actor: _Optional[str] = ..., principal: _Optional[str] = ..., channel: _Optional[str] = ..., text: _Optional[str] = ..., refusal: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...
