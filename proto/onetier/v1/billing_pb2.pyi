from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeBillRunsRequest(_message.Message):
    __slots__ = ("domain", "slots", "period", "request_key", "actor", "channel", "plan", "open", "complete", "cancel", "approve_documents", "refuse_documents")
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
    APPROVE_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    REFUSE_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
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
    approve_documents: ApproveDocuments
    refuse_documents: RefuseDocuments
    def __init__(self, domain: _Optional[str] = ..., slots: _Optional[_Iterable[int]] = ..., period: _Optional[str] = ..., request_key: _Optional[str] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ..., plan: _Optional[_Union[PlanBillRun, _Mapping]] = ..., open: _Optional[_Union[OpenBillRun, _Mapping]] = ..., complete: _Optional[_Union[CompleteBillRun, _Mapping]] = ..., cancel: _Optional[_Union[CancelBillRun, _Mapping]] = ..., approve_documents: _Optional[_Union[ApproveDocuments, _Mapping]] = ..., refuse_documents: _Optional[_Union[RefuseDocuments, _Mapping]] = ...) -> None: ...

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
    __slots__ = ("mode", "until_ms", "backup", "approval")
    MODE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    mode: str
    until_ms: int
    backup: str
    approval: bool
    def __init__(self, mode: _Optional[str] = ..., until_ms: _Optional[int] = ..., backup: _Optional[str] = ..., approval: _Optional[bool] = ...) -> None: ...

class ApproveDocuments(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RefuseDocuments(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("run_id", "slot", "period", "mode", "state", "from_ms", "until_ms", "opened_ms", "ended_ms", "completion", "reason", "attempt", "backup", "documents", "opened_by", "judged_by", "judged_ms", "why_held")
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
    BACKUP_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    OPENED_BY_FIELD_NUMBER: _ClassVar[int]
    JUDGED_BY_FIELD_NUMBER: _ClassVar[int]
    JUDGED_MS_FIELD_NUMBER: _ClassVar[int]
    WHY_HELD_FIELD_NUMBER: _ClassVar[int]
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
    backup: str
    documents: str
    opened_by: str
    judged_by: str
    judged_ms: int
    why_held: str
    def __init__(self, run_id: _Optional[str] = ..., slot: _Optional[int] = ..., period: _Optional[str] = ..., mode: _Optional[str] = ..., state: _Optional[str] = ..., from_ms: _Optional[int] = ..., until_ms: _Optional[int] = ..., opened_ms: _Optional[int] = ..., ended_ms: _Optional[int] = ..., completion: _Optional[str] = ..., reason: _Optional[str] = ..., attempt: _Optional[int] = ..., backup: _Optional[str] = ..., documents: _Optional[str] = ..., opened_by: _Optional[str] = ..., judged_by: _Optional[str] = ..., judged_ms: _Optional[int] = ..., why_held: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("runs", "failures", "slots")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[BillRun]
    failures: _containers.RepeatedCompositeFieldContainer[BillRunOutcome]
    slots: int
    def __init__(self, runs: _Optional[_Iterable[_Union[BillRun, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[BillRunOutcome, _Mapping]]] = ..., slots: _Optional[int] = ...) -> None: ...

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

class BillAccountsRequest(_message.Message):
    __slots__ = ("domain", "slot", "period", "page", "accounts_max", "trial", "identity", "actor", "channel", "sums_only")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_MAX_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SUMS_ONLY_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slot: int
    period: str
    page: str
    accounts_max: int
    trial: bool
    identity: str
    actor: str
    channel: str
    sums_only: bool
    def __init__(self, domain: _Optional[str] = ..., slot: _Optional[int] = ..., period: _Optional[str] = ..., page: _Optional[str] = ..., accounts_max: _Optional[int] = ..., trial: _Optional[bool] = ..., identity: _Optional[str] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ..., sums_only: _Optional[bool] = ...) -> None: ...

class BillAccountsResponse(_message.Message):
    __slots__ = ("outcomes", "next_page")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[BillOutcome]
    next_page: str
    def __init__(self, outcomes: _Optional[_Iterable[_Union[BillOutcome, _Mapping]]] = ..., next_page: _Optional[str] = ...) -> None: ...

class BillOutcome(_message.Message):
    __slots__ = ("account_id", "period", "bill", "fees", "fees_error", "error", "repeated")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    BILL_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    FEES_ERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    period: str
    bill: Bill
    fees: int
    fees_error: _status_pb2.Status
    error: _status_pb2.Status
    repeated: bool
    def __init__(self, account_id: _Optional[str] = ..., period: _Optional[str] = ..., bill: _Optional[_Union[Bill, _Mapping]] = ..., fees: _Optional[int] = ..., fees_error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., repeated: _Optional[bool] = ...) -> None: ...

class Bill(_message.Message):
    __slots__ = ("kind", "number", "account_id", "customer_id", "period", "from_day", "to_day", "made_day", "due_day", "currency", "lines", "taxes", "net", "tax", "gross", "carried_in", "carried_out", "total", "settled", "payable", "arrears", "opening", "closing", "money", "coin", "prices", "rounding", "minimum", "of")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    FROM_DAY_FIELD_NUMBER: _ClassVar[int]
    TO_DAY_FIELD_NUMBER: _ClassVar[int]
    MADE_DAY_FIELD_NUMBER: _ClassVar[int]
    DUE_DAY_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    TAXES_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    GROSS_FIELD_NUMBER: _ClassVar[int]
    CARRIED_IN_FIELD_NUMBER: _ClassVar[int]
    CARRIED_OUT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    PAYABLE_FIELD_NUMBER: _ClassVar[int]
    ARREARS_FIELD_NUMBER: _ClassVar[int]
    OPENING_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    MONEY_FIELD_NUMBER: _ClassVar[int]
    COIN_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    kind: str
    number: str
    account_id: str
    customer_id: str
    period: str
    from_day: str
    to_day: str
    made_day: str
    due_day: str
    currency: str
    lines: _containers.RepeatedCompositeFieldContainer[BillLine]
    taxes: _containers.RepeatedCompositeFieldContainer[BillTax]
    net: int
    tax: int
    gross: int
    carried_in: int
    carried_out: int
    total: int
    settled: int
    payable: int
    arrears: int
    opening: int
    closing: int
    money: _containers.RepeatedCompositeFieldContainer[BillMoney]
    coin: int
    prices: str
    rounding: str
    minimum: int
    of: str
    def __init__(self, kind: _Optional[str] = ..., number: _Optional[str] = ..., account_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., period: _Optional[str] = ..., from_day: _Optional[str] = ..., to_day: _Optional[str] = ..., made_day: _Optional[str] = ..., due_day: _Optional[str] = ..., currency: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[BillLine, _Mapping]]] = ..., taxes: _Optional[_Iterable[_Union[BillTax, _Mapping]]] = ..., net: _Optional[int] = ..., tax: _Optional[int] = ..., gross: _Optional[int] = ..., carried_in: _Optional[int] = ..., carried_out: _Optional[int] = ..., total: _Optional[int] = ..., settled: _Optional[int] = ..., payable: _Optional[int] = ..., arrears: _Optional[int] = ..., opening: _Optional[int] = ..., closing: _Optional[int] = ..., money: _Optional[_Iterable[_Union[BillMoney, _Mapping]]] = ..., coin: _Optional[int] = ..., prices: _Optional[str] = ..., rounding: _Optional[str] = ..., minimum: _Optional[int] = ..., of: _Optional[str] = ...) -> None: ...

class BillLine(_message.Message):
    __slots__ = ("item", "member", "kind", "net", "tax", "tax_category", "tax_rate", "level", "rule", "origin", "count", "bundle")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    TAX_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TAX_RATE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    item: str
    member: str
    kind: str
    net: int
    tax: int
    tax_category: str
    tax_rate: int
    level: str
    rule: str
    origin: str
    count: int
    bundle: str
    def __init__(self, item: _Optional[str] = ..., member: _Optional[str] = ..., kind: _Optional[str] = ..., net: _Optional[int] = ..., tax: _Optional[int] = ..., tax_category: _Optional[str] = ..., tax_rate: _Optional[int] = ..., level: _Optional[str] = ..., rule: _Optional[str] = ..., origin: _Optional[str] = ..., count: _Optional[int] = ..., bundle: _Optional[str] = ...) -> None: ...

class BillTax(_message.Message):
    __slots__ = ("category", "rate", "net", "tax")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    category: str
    rate: int
    net: int
    tax: int
    def __init__(self, category: _Optional[str] = ..., rate: _Optional[int] = ..., net: _Optional[int] = ..., tax: _Optional[int] = ...) -> None: ...

class BillMoney(_message.Message):
    __slots__ = ("kind", "amount", "day")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    amount: int
    day: str
    def __init__(self, kind: _Optional[str] = ..., amount: _Optional[int] = ..., day: _Optional[str] = ...) -> None: ...

class ReadBillsRequest(_message.Message):
    __slots__ = ("identity", "periods_max", "page", "actor", "channel", "number", "document_of")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    PERIODS_MAX_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_OF_FIELD_NUMBER: _ClassVar[int]
    identity: str
    periods_max: int
    page: str
    actor: str
    channel: str
    number: str
    document_of: str
    def __init__(self, identity: _Optional[str] = ..., periods_max: _Optional[int] = ..., page: _Optional[str] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ..., number: _Optional[str] = ..., document_of: _Optional[str] = ...) -> None: ...

class ReadBillsResponse(_message.Message):
    __slots__ = ("bills", "next_page", "withheld")
    BILLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    bills: _containers.RepeatedCompositeFieldContainer[Bill]
    next_page: str
    withheld: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, bills: _Optional[_Iterable[_Union[Bill, _Mapping]]] = ..., next_page: _Optional[str] = ..., withheld: _Optional[_Iterable[str]] = ...) -> None: ...

class ListStagedRequest(_message.Message):
    __slots__ = ("domain", "slot", "page", "accounts_max", "actor", "channel")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_MAX_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slot: int
    page: str
    accounts_max: int
    actor: str
    channel: str
    def __init__(self, domain: _Optional[str] = ..., slot: _Optional[int] = ..., page: _Optional[str] = ..., accounts_max: _Optional[int] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ...) -> None: ...

class ListStagedResponse(_message.Message):
    __slots__ = ("staged", "next_page", "slots")
    STAGED_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    staged: _containers.RepeatedCompositeFieldContainer[StagedMoney]
    next_page: str
    slots: int
    def __init__(self, staged: _Optional[_Iterable[_Union[StagedMoney, _Mapping]]] = ..., next_page: _Optional[str] = ..., slots: _Optional[int] = ...) -> None: ...

class StagedMoney(_message.Message):
    __slots__ = ("account_id", "request_key", "stage", "kind", "amount", "settles", "at_ms", "period", "kept")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SETTLES_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    request_key: str
    stage: str
    kind: str
    amount: int
    settles: int
    at_ms: int
    period: str
    kept: str
    def __init__(self, account_id: _Optional[str] = ..., request_key: _Optional[str] = ..., stage: _Optional[str] = ..., kind: _Optional[str] = ..., amount: _Optional[int] = ..., settles: _Optional[int] = ..., at_ms: _Optional[int] = ..., period: _Optional[str] = ..., kept: _Optional[str] = ...) -> None: ...

class BackUpBooksRequest(_message.Message):
    __slots__ = ("domain", "slot", "page", "accounts_max", "actor", "channel")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_MAX_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    domain: str
    slot: int
    page: str
    accounts_max: int
    actor: str
    channel: str
    def __init__(self, domain: _Optional[str] = ..., slot: _Optional[int] = ..., page: _Optional[str] = ..., accounts_max: _Optional[int] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ...) -> None: ...

class BackUpBooksResponse(_message.Message):
    __slots__ = ("accounts", "next_page")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[AccountBooks]
    next_page: str
    def __init__(self, accounts: _Optional[_Iterable[_Union[AccountBooks, _Mapping]]] = ..., next_page: _Optional[str] = ...) -> None: ...

class AccountBooks(_message.Message):
    __slots__ = ("account_id", "version", "books")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    version: int
    books: _containers.RepeatedCompositeFieldContainer[BookAmount]
    def __init__(self, account_id: _Optional[str] = ..., version: _Optional[int] = ..., books: _Optional[_Iterable[_Union[BookAmount, _Mapping]]] = ...) -> None: ...

class BookAmount(_message.Message):
    __slots__ = ("book_id", "unit", "amount")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    unit: str
    amount: int
    def __init__(self, book_id: _Optional[str] = ..., unit: _Optional[str] = ..., amount: _Optional[int] = ...) -> None: ...

class ReadCustomerBillRequest(_message.Message):
    __slots__ = ("identity", "period", "actor", "channel", "accounts_max", "page")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_MAX_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    identity: str
    period: str
    actor: str
    channel: str
    accounts_max: int
    page: str
    def __init__(self, identity: _Optional[str] = ..., period: _Optional[str] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ..., accounts_max: _Optional[int] = ..., page: _Optional[str] = ...) -> None: ...

class ReadCustomerBillResponse(_message.Message):
    __slots__ = ("customer_id", "period", "accounts", "totals", "complete", "next_page")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    period: str
    accounts: _containers.RepeatedCompositeFieldContainer[CustomerAccountBill]
    totals: _containers.RepeatedCompositeFieldContainer[CustomerBillTotal]
    complete: bool
    next_page: str
    def __init__(self, customer_id: _Optional[str] = ..., period: _Optional[str] = ..., accounts: _Optional[_Iterable[_Union[CustomerAccountBill, _Mapping]]] = ..., totals: _Optional[_Iterable[_Union[CustomerBillTotal, _Mapping]]] = ..., complete: _Optional[bool] = ..., next_page: _Optional[str] = ...) -> None: ...

class CustomerAccountBill(_message.Message):
    __slots__ = ("account_id", "domain", "state", "bill", "open")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BILL_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    domain: str
    state: str
    bill: Bill
    open: int
    def __init__(self, account_id: _Optional[str] = ..., domain: _Optional[str] = ..., state: _Optional[str] = ..., bill: _Optional[_Union[Bill, _Mapping]] = ..., open: _Optional[int] = ...) -> None: ...

class CustomerBillTotal(_message.Message):
    __slots__ = ("currency", "net", "tax", "total", "settled", "payable", "open")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    PAYABLE_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    currency: str
    net: int
    tax: int
    total: int
    settled: int
    payable: int
    open: int
    def __init__(self, currency: _Optional[str] = ..., net: _Optional[int] = ..., tax: _Optional[int] = ..., total: _Optional[int] = ..., settled: _Optional[int] = ..., payable: _Optional[int] = ..., open: _Optional[int] = ...) -> None: ...
