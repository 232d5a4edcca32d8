from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VoucherCaller(_message.Message):
    __slots__ = ("request_key", "actor", "channel")
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    request_key: str
    actor: str
    channel: str
    def __init__(self, request_key: _Optional[str] = ..., actor: _Optional[str] = ..., channel: _Optional[str] = ...) -> None: ...

class VoucherTerms(_message.Message):
    __slots__ = ("amount", "unit", "currency", "book_id", "allowance", "validity_ms", "valid_until_ms", "regions", "channels", "partner", "label")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCE_FIELD_NUMBER: _ClassVar[int]
    VALIDITY_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    amount: int
    unit: str
    currency: str
    book_id: str
    allowance: str
    validity_ms: int
    valid_until_ms: int
    regions: _containers.RepeatedScalarFieldContainer[str]
    channels: _containers.RepeatedScalarFieldContainer[str]
    partner: str
    label: str
    def __init__(self, amount: _Optional[int] = ..., unit: _Optional[str] = ..., currency: _Optional[str] = ..., book_id: _Optional[str] = ..., allowance: _Optional[str] = ..., validity_ms: _Optional[int] = ..., valid_until_ms: _Optional[int] = ..., regions: _Optional[_Iterable[str]] = ..., channels: _Optional[_Iterable[str]] = ..., partner: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class VoucherBatch(_message.Message):
    __slots__ = ("batch_id", "terms", "count", "made_by", "made_ms", "two")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MADE_BY_FIELD_NUMBER: _ClassVar[int]
    MADE_MS_FIELD_NUMBER: _ClassVar[int]
    TWO_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    terms: VoucherTerms
    count: int
    made_by: str
    made_ms: int
    two: bool
    def __init__(self, batch_id: _Optional[str] = ..., terms: _Optional[_Union[VoucherTerms, _Mapping]] = ..., count: _Optional[int] = ..., made_by: _Optional[str] = ..., made_ms: _Optional[int] = ..., two: _Optional[bool] = ...) -> None: ...

class MakeVouchersRequest(_message.Message):
    __slots__ = ("caller", "domain", "slot", "terms", "count")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    caller: VoucherCaller
    domain: str
    slot: int
    terms: VoucherTerms
    count: int
    def __init__(self, caller: _Optional[_Union[VoucherCaller, _Mapping]] = ..., domain: _Optional[str] = ..., slot: _Optional[int] = ..., terms: _Optional[_Union[VoucherTerms, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class MakeVouchersResponse(_message.Message):
    __slots__ = ("batch",)
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: VoucherBatch
    def __init__(self, batch: _Optional[_Union[VoucherBatch, _Mapping]] = ...) -> None: ...

class ChangeVouchersRequest(_message.Message):
    __slots__ = ("caller", "batch_id", "serials", "activate", "block", "expire")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    SERIALS_FIELD_NUMBER: _ClassVar[int]
    ACTIVATE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_FIELD_NUMBER: _ClassVar[int]
    caller: VoucherCaller
    batch_id: str
    serials: _containers.RepeatedScalarFieldContainer[str]
    activate: ActivateVouchers
    block: BlockVouchers
    expire: ExpireVouchers
    def __init__(self, caller: _Optional[_Union[VoucherCaller, _Mapping]] = ..., batch_id: _Optional[str] = ..., serials: _Optional[_Iterable[str]] = ..., activate: _Optional[_Union[ActivateVouchers, _Mapping]] = ..., block: _Optional[_Union[BlockVouchers, _Mapping]] = ..., expire: _Optional[_Union[ExpireVouchers, _Mapping]] = ...) -> None: ...

class ActivateVouchers(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BlockVouchers(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ExpireVouchers(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ChangeVouchersResponse(_message.Message):
    __slots__ = ("sheets",)
    SHEETS_FIELD_NUMBER: _ClassVar[int]
    sheets: int
    def __init__(self, sheets: _Optional[int] = ...) -> None: ...

class ListVoucherBatchesRequest(_message.Message):
    __slots__ = ("caller", "domain", "slot", "before", "batches_max")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    BATCHES_MAX_FIELD_NUMBER: _ClassVar[int]
    caller: VoucherCaller
    domain: str
    slot: int
    before: int
    batches_max: int
    def __init__(self, caller: _Optional[_Union[VoucherCaller, _Mapping]] = ..., domain: _Optional[str] = ..., slot: _Optional[int] = ..., before: _Optional[int] = ..., batches_max: _Optional[int] = ...) -> None: ...

class ListVoucherBatchesResponse(_message.Message):
    __slots__ = ("batches", "next_before", "slots")
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[VoucherBatch]
    next_before: int
    slots: int
    def __init__(self, batches: _Optional[_Iterable[_Union[VoucherBatch, _Mapping]]] = ..., next_before: _Optional[int] = ..., slots: _Optional[int] = ...) -> None: ...

class ReadVouchersRequest(_message.Message):
    __slots__ = ("caller", "batch_id", "serial", "code", "sheet", "sheets_max")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SHEET_FIELD_NUMBER: _ClassVar[int]
    SHEETS_MAX_FIELD_NUMBER: _ClassVar[int]
    caller: VoucherCaller
    batch_id: str
    serial: str
    code: str
    sheet: int
    sheets_max: int
    def __init__(self, caller: _Optional[_Union[VoucherCaller, _Mapping]] = ..., batch_id: _Optional[str] = ..., serial: _Optional[str] = ..., code: _Optional[str] = ..., sheet: _Optional[int] = ..., sheets_max: _Optional[int] = ...) -> None: ...

class ReadVouchersResponse(_message.Message):
    __slots__ = ("batch", "vouchers", "next_sheet")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    VOUCHERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_SHEET_FIELD_NUMBER: _ClassVar[int]
    batch: VoucherBatch
    vouchers: _containers.RepeatedCompositeFieldContainer[Voucher]
    next_sheet: int
    def __init__(self, batch: _Optional[_Union[VoucherBatch, _Mapping]] = ..., vouchers: _Optional[_Iterable[_Union[Voucher, _Mapping]]] = ..., next_sheet: _Optional[int] = ...) -> None: ...

class Voucher(_message.Message):
    __slots__ = ("serial", "state", "account_id", "used_key", "used_ms")
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    USED_KEY_FIELD_NUMBER: _ClassVar[int]
    USED_MS_FIELD_NUMBER: _ClassVar[int]
    serial: str
    state: str
    account_id: str
    used_key: str
    used_ms: int
    def __init__(self, serial: _Optional[str] = ..., state: _Optional[str] = ..., account_id: _Optional[str] = ..., used_key: _Optional[str] = ..., used_ms: _Optional[int] = ...) -> None: ...

class ExportVouchersRequest(_message.Message):
    __slots__ = ("caller", "batch_id", "sheet", "sheets_max")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    SHEET_FIELD_NUMBER: _ClassVar[int]
    SHEETS_MAX_FIELD_NUMBER: _ClassVar[int]
    caller: VoucherCaller
    batch_id: str
    sheet: int
    sheets_max: int
    def __init__(self, caller: _Optional[_Union[VoucherCaller, _Mapping]] = ..., batch_id: _Optional[str] = ..., sheet: _Optional[int] = ..., sheets_max: _Optional[int] = ...) -> None: ...

class ExportVouchersResponse(_message.Message):
    __slots__ = ("codes", "next_sheet")
    CODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_SHEET_FIELD_NUMBER: _ClassVar[int]
    codes: _containers.RepeatedCompositeFieldContainer[VoucherCode]
    next_sheet: int
    def __init__(self, codes: _Optional[_Iterable[_Union[VoucherCode, _Mapping]]] = ..., next_sheet: _Optional[int] = ...) -> None: ...

class VoucherCode(_message.Message):
    __slots__ = ("serial", "code")
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    serial: str
    code: str
    def __init__(self, serial: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...
