from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RequestType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REQUEST_TYPE_UNSPECIFIED: _ClassVar[RequestType]
    REQUEST_TYPE_CHARGE: _ClassVar[RequestType]
    REQUEST_TYPE_QUOTE: _ClassVar[RequestType]
    REQUEST_TYPE_QUERY: _ClassVar[RequestType]
    REQUEST_TYPE_EXECUTE: _ClassVar[RequestType]
REQUEST_TYPE_UNSPECIFIED: RequestType
REQUEST_TYPE_CHARGE: RequestType
REQUEST_TYPE_QUOTE: RequestType
REQUEST_TYPE_QUERY: RequestType
REQUEST_TYPE_EXECUTE: RequestType

class ServiceRequest(_message.Message):
    __slots__ = ("identity", "request_type", "service_code", "request_key", "event_time_ms", "quantity", "channel", "other_party", "visited_place", "partner", "explain", "attributes", "actor", "history_cursor", "language", "page_cursor", "kinds", "services", "from_ms", "to_ms", "offerings", "pattern", "unit_key", "open_account", "set_contract", "set_account_status", "set_payment_mode", "set_credit_limit", "set_threshold", "top_up", "adjust", "refund", "transfer", "session", "set_account_profile", "approve", "subscribe", "unsubscribe", "change_plan", "join", "transfer_ownership", "reopen_account", "release_number", "leave", "pause", "resume", "change_identity", "set_spending_limit", "drop_book", "set_payer", "set_payee", "post_usage", "restate_usage", "gift", "give_offering", "pay", "reverse_payment", "settle", "dispute", "resolve_dispute", "credit_bill", "write_off", "recover", "agree_instalments", "dun", "take_over_bill", "redeem_voucher", "lift_voucher_block", "change_characteristics")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TYPE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    OTHER_PARTY_FIELD_NUMBER: _ClassVar[int]
    VISITED_PLACE_FIELD_NUMBER: _ClassVar[int]
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    HISTORY_CURSOR_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PAGE_CURSOR_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    OFFERINGS_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    UNIT_KEY_FIELD_NUMBER: _ClassVar[int]
    OPEN_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SET_CONTRACT_FIELD_NUMBER: _ClassVar[int]
    SET_ACCOUNT_STATUS_FIELD_NUMBER: _ClassVar[int]
    SET_PAYMENT_MODE_FIELD_NUMBER: _ClassVar[int]
    SET_CREDIT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    SET_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    TOP_UP_FIELD_NUMBER: _ClassVar[int]
    ADJUST_FIELD_NUMBER: _ClassVar[int]
    REFUND_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SET_ACCOUNT_PROFILE_FIELD_NUMBER: _ClassVar[int]
    APPROVE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_PLAN_FIELD_NUMBER: _ClassVar[int]
    JOIN_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_OWNERSHIP_FIELD_NUMBER: _ClassVar[int]
    REOPEN_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LEAVE_FIELD_NUMBER: _ClassVar[int]
    PAUSE_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    CHANGE_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SET_SPENDING_LIMIT_FIELD_NUMBER: _ClassVar[int]
    DROP_BOOK_FIELD_NUMBER: _ClassVar[int]
    SET_PAYER_FIELD_NUMBER: _ClassVar[int]
    SET_PAYEE_FIELD_NUMBER: _ClassVar[int]
    POST_USAGE_FIELD_NUMBER: _ClassVar[int]
    RESTATE_USAGE_FIELD_NUMBER: _ClassVar[int]
    GIFT_FIELD_NUMBER: _ClassVar[int]
    GIVE_OFFERING_FIELD_NUMBER: _ClassVar[int]
    PAY_FIELD_NUMBER: _ClassVar[int]
    REVERSE_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    SETTLE_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_DISPUTE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_BILL_FIELD_NUMBER: _ClassVar[int]
    WRITE_OFF_FIELD_NUMBER: _ClassVar[int]
    RECOVER_FIELD_NUMBER: _ClassVar[int]
    AGREE_INSTALMENTS_FIELD_NUMBER: _ClassVar[int]
    DUN_FIELD_NUMBER: _ClassVar[int]
    TAKE_OVER_BILL_FIELD_NUMBER: _ClassVar[int]
    REDEEM_VOUCHER_FIELD_NUMBER: _ClassVar[int]
    LIFT_VOUCHER_BLOCK_FIELD_NUMBER: _ClassVar[int]
    CHANGE_CHARACTERISTICS_FIELD_NUMBER: _ClassVar[int]
    identity: str
    request_type: RequestType
    service_code: str
    request_key: str
    event_time_ms: int
    quantity: int
    channel: str
    other_party: str
    visited_place: str
    partner: str
    explain: bool
    attributes: _containers.ScalarMap[str, str]
    actor: str
    history_cursor: int
    language: str
    page_cursor: str
    kinds: _containers.RepeatedScalarFieldContainer[str]
    services: _containers.RepeatedScalarFieldContainer[str]
    from_ms: int
    to_ms: int
    offerings: _containers.RepeatedScalarFieldContainer[str]
    pattern: UsagePattern
    unit_key: UnitKey
    open_account: OpenAccount
    set_contract: SetContract
    set_account_status: SetAccountStatus
    set_payment_mode: SetPaymentMode
    set_credit_limit: SetCreditLimit
    set_threshold: SetThreshold
    top_up: TopUp
    adjust: Adjust
    refund: Refund
    transfer: Transfer
    session: SessionRequest
    set_account_profile: SetAccountProfile
    approve: Approve
    subscribe: Subscribe
    unsubscribe: Unsubscribe
    change_plan: ChangePlan
    join: Join
    transfer_ownership: TransferOwnership
    reopen_account: ReopenAccount
    release_number: ReleaseNumber
    leave: Leave
    pause: Pause
    resume: Resume
    change_identity: ChangeIdentity
    set_spending_limit: SetSpendingLimit
    drop_book: DropBook
    set_payer: SetPayer
    set_payee: SetPayee
    post_usage: PostUsage
    restate_usage: RestateUsage
    gift: Gift
    give_offering: GiveOffering
    pay: Pay
    reverse_payment: ReversePayment
    settle: Settle
    dispute: Dispute
    resolve_dispute: ResolveDispute
    credit_bill: CreditBill
    write_off: WriteOff
    recover: Recover
    agree_instalments: AgreeInstalments
    dun: Dun
    take_over_bill: TakeOverBill
    redeem_voucher: RedeemVoucher
    lift_voucher_block: LiftVoucherBlock
    change_characteristics: ChangeCharacteristics
    def __init__(self, identity: _Optional[str] = ..., request_type: _Optional[_Union[RequestType, str]] = ..., service_code: _Optional[str] = ..., request_key: _Optional[str] = ..., event_time_ms: _Optional[int] = ..., quantity: _Optional[int] = ..., channel: _Optional[str] = ..., other_party: _Optional[str] = ..., visited_place: _Optional[str] = ..., partner: _Optional[str] = ..., explain: _Optional[bool] = ..., attributes: _Optional[_Mapping[str, str]] = ..., actor: _Optional[str] = ..., history_cursor: _Optional[int] = ..., language: _Optional[str] = ..., page_cursor: _Optional[str] = ..., kinds: _Optional[_Iterable[str]] = ..., services: _Optional[_Iterable[str]] = ..., from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., offerings: _Optional[_Iterable[str]] = ..., pattern: _Optional[_Union[UsagePattern, _Mapping]] = ..., unit_key: _Optional[_Union[UnitKey, _Mapping]] = ..., open_account: _Optional[_Union[OpenAccount, _Mapping]] = ..., set_contract: _Optional[_Union[SetContract, _Mapping]] = ..., set_account_status: _Optional[_Union[SetAccountStatus, _Mapping]] = ..., set_payment_mode: _Optional[_Union[SetPaymentMode, _Mapping]] = ..., set_credit_limit: _Optional[_Union[SetCreditLimit, _Mapping]] = ..., set_threshold: _Optional[_Union[SetThreshold, _Mapping]] = ..., top_up: _Optional[_Union[TopUp, _Mapping]] = ..., adjust: _Optional[_Union[Adjust, _Mapping]] = ..., refund: _Optional[_Union[Refund, _Mapping]] = ..., transfer: _Optional[_Union[Transfer, _Mapping]] = ..., session: _Optional[_Union[SessionRequest, _Mapping]] = ..., set_account_profile: _Optional[_Union[SetAccountProfile, _Mapping]] = ..., approve: _Optional[_Union[Approve, _Mapping]] = ..., subscribe: _Optional[_Union[Subscribe, _Mapping]] = ..., unsubscribe: _Optional[_Union[Unsubscribe, _Mapping]] = ..., change_plan: _Optional[_Union[ChangePlan, _Mapping]] = ..., join: _Optional[_Union[Join, _Mapping]] = ..., transfer_ownership: _Optional[_Union[TransferOwnership, _Mapping]] = ..., reopen_account: _Optional[_Union[ReopenAccount, _Mapping]] = ..., release_number: _Optional[_Union[ReleaseNumber, _Mapping]] = ..., leave: _Optional[_Union[Leave, _Mapping]] = ..., pause: _Optional[_Union[Pause, _Mapping]] = ..., resume: _Optional[_Union[Resume, _Mapping]] = ..., change_identity: _Optional[_Union[ChangeIdentity, _Mapping]] = ..., set_spending_limit: _Optional[_Union[SetSpendingLimit, _Mapping]] = ..., drop_book: _Optional[_Union[DropBook, _Mapping]] = ..., set_payer: _Optional[_Union[SetPayer, _Mapping]] = ..., set_payee: _Optional[_Union[SetPayee, _Mapping]] = ..., post_usage: _Optional[_Union[PostUsage, _Mapping]] = ..., restate_usage: _Optional[_Union[RestateUsage, _Mapping]] = ..., gift: _Optional[_Union[Gift, _Mapping]] = ..., give_offering: _Optional[_Union[GiveOffering, _Mapping]] = ..., pay: _Optional[_Union[Pay, _Mapping]] = ..., reverse_payment: _Optional[_Union[ReversePayment, _Mapping]] = ..., settle: _Optional[_Union[Settle, _Mapping]] = ..., dispute: _Optional[_Union[Dispute, _Mapping]] = ..., resolve_dispute: _Optional[_Union[ResolveDispute, _Mapping]] = ..., credit_bill: _Optional[_Union[CreditBill, _Mapping]] = ..., write_off: _Optional[_Union[WriteOff, _Mapping]] = ..., recover: _Optional[_Union[Recover, _Mapping]] = ..., agree_instalments: _Optional[_Union[AgreeInstalments, _Mapping]] = ..., dun: _Optional[_Union[Dun, _Mapping]] = ..., take_over_bill: _Optional[_Union[TakeOverBill, _Mapping]] = ..., redeem_voucher: _Optional[_Union[RedeemVoucher, _Mapping]] = ..., lift_voucher_block: _Optional[_Union[LiftVoucherBlock, _Mapping]] = ..., change_characteristics: _Optional[_Union[ChangeCharacteristics, _Mapping]] = ...) -> None: ...

class PostUsage(_message.Message):
    __slots__ = ("feed", "batch", "uses", "replaces", "columns")
    FEED_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    REPLACES_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    feed: str
    batch: int
    uses: _containers.RepeatedCompositeFieldContainer[UsageUse]
    replaces: _containers.RepeatedCompositeFieldContainer[ReplacedUse]
    columns: UseColumns
    def __init__(self, feed: _Optional[str] = ..., batch: _Optional[int] = ..., uses: _Optional[_Iterable[_Union[UsageUse, _Mapping]]] = ..., replaces: _Optional[_Iterable[_Union[ReplacedUse, _Mapping]]] = ..., columns: _Optional[_Union[UseColumns, _Mapping]] = ...) -> None: ...

class UseColumns(_message.Message):
    __slots__ = ("event_times_ms", "quantities", "service_codes", "other_parties", "visited_places", "attributes", "attributes_of")
    EVENT_TIMES_MS_FIELD_NUMBER: _ClassVar[int]
    QUANTITIES_FIELD_NUMBER: _ClassVar[int]
    SERVICE_CODES_FIELD_NUMBER: _ClassVar[int]
    OTHER_PARTIES_FIELD_NUMBER: _ClassVar[int]
    VISITED_PLACES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_OF_FIELD_NUMBER: _ClassVar[int]
    event_times_ms: _containers.RepeatedScalarFieldContainer[int]
    quantities: _containers.RepeatedScalarFieldContainer[int]
    service_codes: TextColumn
    other_parties: TextColumn
    visited_places: TextColumn
    attributes: _containers.RepeatedCompositeFieldContainer[UseAttributes]
    attributes_of: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, event_times_ms: _Optional[_Iterable[int]] = ..., quantities: _Optional[_Iterable[int]] = ..., service_codes: _Optional[_Union[TextColumn, _Mapping]] = ..., other_parties: _Optional[_Union[TextColumn, _Mapping]] = ..., visited_places: _Optional[_Union[TextColumn, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[UseAttributes, _Mapping]]] = ..., attributes_of: _Optional[_Iterable[int]] = ...) -> None: ...

class TextColumn(_message.Message):
    __slots__ = ("texts", "text_of")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    TEXT_OF_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    text_of: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., text_of: _Optional[_Iterable[int]] = ...) -> None: ...

class UseAttributes(_message.Message):
    __slots__ = ("values",)
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.ScalarMap[str, str]
    def __init__(self, values: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ReplacedUse(_message.Message):
    __slots__ = ("use", "request_key", "event_time_ms", "quantity")
    USE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    use: int
    request_key: str
    event_time_ms: int
    quantity: int
    def __init__(self, use: _Optional[int] = ..., request_key: _Optional[str] = ..., event_time_ms: _Optional[int] = ..., quantity: _Optional[int] = ...) -> None: ...

class RestateUsage(_message.Message):
    __slots__ = ("feed", "batch", "expected_version", "from_ms", "expected_total", "lines", "counters", "takes", "reason")
    FEED_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_TOTAL_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    TAKES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    feed: str
    batch: int
    expected_version: int
    from_ms: int
    expected_total: int
    lines: _containers.RepeatedCompositeFieldContainer[RestatedLine]
    counters: _containers.RepeatedCompositeFieldContainer[RestatedAmount]
    takes: _containers.RepeatedCompositeFieldContainer[RestatedAmount]
    reason: str
    def __init__(self, feed: _Optional[str] = ..., batch: _Optional[int] = ..., expected_version: _Optional[int] = ..., from_ms: _Optional[int] = ..., expected_total: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[RestatedLine, _Mapping]]] = ..., counters: _Optional[_Iterable[_Union[RestatedAmount, _Mapping]]] = ..., takes: _Optional[_Iterable[_Union[RestatedAmount, _Mapping]]] = ..., reason: _Optional[str] = ...) -> None: ...

class RestatedLine(_message.Message):
    __slots__ = ("event_time_ms", "item", "member", "taxed_since", "difference")
    EVENT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    TAXED_SINCE_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    event_time_ms: int
    item: str
    member: str
    taxed_since: int
    difference: int
    def __init__(self, event_time_ms: _Optional[int] = ..., item: _Optional[str] = ..., member: _Optional[str] = ..., taxed_since: _Optional[int] = ..., difference: _Optional[int] = ...) -> None: ...

class RestatedAmount(_message.Message):
    __slots__ = ("name", "difference", "event_time_ms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    name: str
    difference: int
    event_time_ms: int
    def __init__(self, name: _Optional[str] = ..., difference: _Optional[int] = ..., event_time_ms: _Optional[int] = ...) -> None: ...

class UsageUse(_message.Message):
    __slots__ = ("service_code", "event_time_ms", "quantity", "other_party", "visited_place", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    OTHER_PARTY_FIELD_NUMBER: _ClassVar[int]
    VISITED_PLACE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    service_code: str
    event_time_ms: int
    quantity: int
    other_party: str
    visited_place: str
    attributes: _containers.ScalarMap[str, str]
    def __init__(self, service_code: _Optional[str] = ..., event_time_ms: _Optional[int] = ..., quantity: _Optional[int] = ..., other_party: _Optional[str] = ..., visited_place: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UsagePattern(_message.Message):
    __slots__ = ("uses",)
    USES_FIELD_NUMBER: _ClassVar[int]
    uses: _containers.RepeatedCompositeFieldContainer[PatternUse]
    def __init__(self, uses: _Optional[_Iterable[_Union[PatternUse, _Mapping]]] = ...) -> None: ...

class PatternUse(_message.Message):
    __slots__ = ("service_code", "quantity", "count", "other_party", "visited_place", "attributes", "weekdays", "from_hour", "to_hour")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    OTHER_PARTY_FIELD_NUMBER: _ClassVar[int]
    VISITED_PLACE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    WEEKDAYS_FIELD_NUMBER: _ClassVar[int]
    FROM_HOUR_FIELD_NUMBER: _ClassVar[int]
    TO_HOUR_FIELD_NUMBER: _ClassVar[int]
    service_code: str
    quantity: int
    count: int
    other_party: str
    visited_place: str
    attributes: _containers.ScalarMap[str, str]
    weekdays: _containers.RepeatedScalarFieldContainer[str]
    from_hour: int
    to_hour: int
    def __init__(self, service_code: _Optional[str] = ..., quantity: _Optional[int] = ..., count: _Optional[int] = ..., other_party: _Optional[str] = ..., visited_place: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ..., weekdays: _Optional[_Iterable[str]] = ..., from_hour: _Optional[int] = ..., to_hour: _Optional[int] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("offering", "valid_from_ms", "valid_to_ms", "attributes", "since_ms", "paused", "paused_end_ms", "quantity", "first_fees")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_MS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    PAUSED_END_MS_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FIRST_FEES_FIELD_NUMBER: _ClassVar[int]
    offering: str
    valid_from_ms: int
    valid_to_ms: int
    attributes: _containers.ScalarMap[str, str]
    since_ms: int
    paused: bool
    paused_end_ms: int
    quantity: int
    first_fees: str
    def __init__(self, offering: _Optional[str] = ..., valid_from_ms: _Optional[int] = ..., valid_to_ms: _Optional[int] = ..., attributes: _Optional[_Mapping[str, str]] = ..., since_ms: _Optional[int] = ..., paused: _Optional[bool] = ..., paused_end_ms: _Optional[int] = ..., quantity: _Optional[int] = ..., first_fees: _Optional[str] = ...) -> None: ...

class Contract(_message.Message):
    __slots__ = ("identity", "account_id", "domain", "valid_from_ms", "valid_to_ms", "status", "subscriptions", "attributes", "groups", "agreements", "order_id", "version", "paused_from_ms", "paused_to_ms")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class GroupsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: IdentityGroup
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[IdentityGroup, _Mapping]] = ...) -> None: ...
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_MS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    PAUSED_TO_MS_FIELD_NUMBER: _ClassVar[int]
    identity: str
    account_id: str
    domain: str
    valid_from_ms: int
    valid_to_ms: int
    status: str
    subscriptions: _containers.RepeatedCompositeFieldContainer[Subscription]
    attributes: _containers.ScalarMap[str, str]
    groups: _containers.MessageMap[str, IdentityGroup]
    agreements: _containers.RepeatedScalarFieldContainer[str]
    order_id: str
    version: int
    paused_from_ms: int
    paused_to_ms: int
    def __init__(self, identity: _Optional[str] = ..., account_id: _Optional[str] = ..., domain: _Optional[str] = ..., valid_from_ms: _Optional[int] = ..., valid_to_ms: _Optional[int] = ..., status: _Optional[str] = ..., subscriptions: _Optional[_Iterable[_Union[Subscription, _Mapping]]] = ..., attributes: _Optional[_Mapping[str, str]] = ..., groups: _Optional[_Mapping[str, IdentityGroup]] = ..., agreements: _Optional[_Iterable[str]] = ..., order_id: _Optional[str] = ..., version: _Optional[int] = ..., paused_from_ms: _Optional[int] = ..., paused_to_ms: _Optional[int] = ...) -> None: ...

class IdentityGroup(_message.Message):
    __slots__ = ("identities",)
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    identities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, identities: _Optional[_Iterable[str]] = ...) -> None: ...

class BalanceBook(_message.Message):
    __slots__ = ("book_id", "unit", "amount", "reserved", "priority", "valid_from_ms", "valid_to_ms", "allowance")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_MS_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCE_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    unit: str
    amount: int
    reserved: int
    priority: int
    valid_from_ms: int
    valid_to_ms: int
    allowance: str
    def __init__(self, book_id: _Optional[str] = ..., unit: _Optional[str] = ..., amount: _Optional[int] = ..., reserved: _Optional[int] = ..., priority: _Optional[int] = ..., valid_from_ms: _Optional[int] = ..., valid_to_ms: _Optional[int] = ..., allowance: _Optional[str] = ...) -> None: ...

class OpenAccount(_message.Message):
    __slots__ = ("account_id", "customer_id", "payment_mode", "credit_limit", "currency", "contract", "books", "account_attributes", "customer_attributes", "agreements", "cycle_day")
    class AccountAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class CustomerAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_MODE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    CYCLE_DAY_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    customer_id: str
    payment_mode: str
    credit_limit: int
    currency: str
    contract: Contract
    books: _containers.RepeatedCompositeFieldContainer[BalanceBook]
    account_attributes: _containers.ScalarMap[str, str]
    customer_attributes: _containers.ScalarMap[str, str]
    agreements: _containers.RepeatedScalarFieldContainer[str]
    cycle_day: int
    def __init__(self, account_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., payment_mode: _Optional[str] = ..., credit_limit: _Optional[int] = ..., currency: _Optional[str] = ..., contract: _Optional[_Union[Contract, _Mapping]] = ..., books: _Optional[_Iterable[_Union[BalanceBook, _Mapping]]] = ..., account_attributes: _Optional[_Mapping[str, str]] = ..., customer_attributes: _Optional[_Mapping[str, str]] = ..., agreements: _Optional[_Iterable[str]] = ..., cycle_day: _Optional[int] = ...) -> None: ...

class SetContract(_message.Message):
    __slots__ = ("account_id", "contract")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    contract: Contract
    def __init__(self, account_id: _Optional[str] = ..., contract: _Optional[_Union[Contract, _Mapping]] = ...) -> None: ...

class Subscribe(_message.Message):
    __slots__ = ("offering", "when", "valid_from_ms", "valid_to_ms", "subscription_attributes", "expected_version", "quantity")
    class SubscriptionAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_MS_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    offering: str
    when: str
    valid_from_ms: int
    valid_to_ms: int
    subscription_attributes: _containers.ScalarMap[str, str]
    expected_version: int
    quantity: int
    def __init__(self, offering: _Optional[str] = ..., when: _Optional[str] = ..., valid_from_ms: _Optional[int] = ..., valid_to_ms: _Optional[int] = ..., subscription_attributes: _Optional[_Mapping[str, str]] = ..., expected_version: _Optional[int] = ..., quantity: _Optional[int] = ...) -> None: ...

class Unsubscribe(_message.Message):
    __slots__ = ("offering", "when", "at_ms", "expected_version")
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    offering: str
    when: str
    at_ms: int
    expected_version: int
    def __init__(self, offering: _Optional[str] = ..., when: _Optional[str] = ..., at_ms: _Optional[int] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ChangePlan(_message.Message):
    __slots__ = ("from_offering", "to_offering", "when", "at_ms", "subscription_attributes", "expected_version", "quantity")
    class SubscriptionAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FROM_OFFERING_FIELD_NUMBER: _ClassVar[int]
    TO_OFFERING_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    from_offering: str
    to_offering: str
    when: str
    at_ms: int
    subscription_attributes: _containers.ScalarMap[str, str]
    expected_version: int
    quantity: int
    def __init__(self, from_offering: _Optional[str] = ..., to_offering: _Optional[str] = ..., when: _Optional[str] = ..., at_ms: _Optional[int] = ..., subscription_attributes: _Optional[_Mapping[str, str]] = ..., expected_version: _Optional[int] = ..., quantity: _Optional[int] = ...) -> None: ...

class Join(_message.Message):
    __slots__ = ("member", "offering", "when", "from_ms", "subscription_attributes", "reason", "expected_version", "quantity")
    class SubscriptionAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    member: str
    offering: str
    when: str
    from_ms: int
    subscription_attributes: _containers.ScalarMap[str, str]
    reason: str
    expected_version: int
    quantity: int
    def __init__(self, member: _Optional[str] = ..., offering: _Optional[str] = ..., when: _Optional[str] = ..., from_ms: _Optional[int] = ..., subscription_attributes: _Optional[_Mapping[str, str]] = ..., reason: _Optional[str] = ..., expected_version: _Optional[int] = ..., quantity: _Optional[int] = ...) -> None: ...

class Leave(_message.Message):
    __slots__ = ("reason", "expected_version", "to_account_id")
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    reason: str
    expected_version: int
    to_account_id: str
    def __init__(self, reason: _Optional[str] = ..., expected_version: _Optional[int] = ..., to_account_id: _Optional[str] = ...) -> None: ...

class ChangeIdentity(_message.Message):
    __slots__ = ("to_identity", "reason", "expected_version")
    TO_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    to_identity: str
    reason: str
    expected_version: int
    def __init__(self, to_identity: _Optional[str] = ..., reason: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class ChangeCharacteristics(_message.Message):
    __slots__ = ("set_attributes", "group", "group_members", "add_agreements", "remove_agreements", "reason", "expected_version")
    class SetAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SET_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    GROUP_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    ADD_AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    set_attributes: _containers.ScalarMap[str, str]
    group: str
    group_members: _containers.RepeatedScalarFieldContainer[str]
    add_agreements: _containers.RepeatedScalarFieldContainer[str]
    remove_agreements: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    expected_version: int
    def __init__(self, set_attributes: _Optional[_Mapping[str, str]] = ..., group: _Optional[str] = ..., group_members: _Optional[_Iterable[str]] = ..., add_agreements: _Optional[_Iterable[str]] = ..., remove_agreements: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class Pause(_message.Message):
    __slots__ = ("offering", "when", "from_ms", "to_ms", "reason", "expected_version")
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    offering: str
    when: str
    from_ms: int
    to_ms: int
    reason: str
    expected_version: int
    def __init__(self, offering: _Optional[str] = ..., when: _Optional[str] = ..., from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., reason: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class Resume(_message.Message):
    __slots__ = ("offering", "when", "at_ms", "reason", "expected_version")
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    offering: str
    when: str
    at_ms: int
    reason: str
    expected_version: int
    def __init__(self, offering: _Optional[str] = ..., when: _Optional[str] = ..., at_ms: _Optional[int] = ..., reason: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class TransferOwnership(_message.Message):
    __slots__ = ("customer_id", "from_customer_id", "customer_attributes", "with_bills", "reason")
    class CustomerAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    WITH_BILLS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    from_customer_id: str
    customer_attributes: _containers.ScalarMap[str, str]
    with_bills: bool
    reason: str
    def __init__(self, customer_id: _Optional[str] = ..., from_customer_id: _Optional[str] = ..., customer_attributes: _Optional[_Mapping[str, str]] = ..., with_bills: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class ReleaseNumber(_message.Message):
    __slots__ = ("number", "reason")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    number: str
    reason: str
    def __init__(self, number: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ReopenAccount(_message.Message):
    __slots__ = ("member", "offering", "subscription_attributes", "reason", "quantity")
    class SubscriptionAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    member: str
    offering: str
    subscription_attributes: _containers.ScalarMap[str, str]
    reason: str
    quantity: int
    def __init__(self, member: _Optional[str] = ..., offering: _Optional[str] = ..., subscription_attributes: _Optional[_Mapping[str, str]] = ..., reason: _Optional[str] = ..., quantity: _Optional[int] = ...) -> None: ...

class SetAccountStatus(_message.Message):
    __slots__ = ("status", "reason", "pay_out", "to_identity")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PAY_OUT_FIELD_NUMBER: _ClassVar[int]
    TO_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    status: str
    reason: str
    pay_out: int
    to_identity: str
    def __init__(self, status: _Optional[str] = ..., reason: _Optional[str] = ..., pay_out: _Optional[int] = ..., to_identity: _Optional[str] = ...) -> None: ...

class SetPaymentMode(_message.Message):
    __slots__ = ("payment_mode",)
    PAYMENT_MODE_FIELD_NUMBER: _ClassVar[int]
    payment_mode: str
    def __init__(self, payment_mode: _Optional[str] = ...) -> None: ...

class SetCreditLimit(_message.Message):
    __slots__ = ("credit_limit", "reason")
    CREDIT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    credit_limit: int
    reason: str
    def __init__(self, credit_limit: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class SetThreshold(_message.Message):
    __slots__ = ("threshold_id", "watches", "mark", "remove")
    THRESHOLD_ID_FIELD_NUMBER: _ClassVar[int]
    WATCHES_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    threshold_id: str
    watches: str
    mark: int
    remove: bool
    def __init__(self, threshold_id: _Optional[str] = ..., watches: _Optional[str] = ..., mark: _Optional[int] = ..., remove: _Optional[bool] = ...) -> None: ...

class SetSpendingLimit(_message.Message):
    __slots__ = ("limit_id", "period", "amount", "member", "services", "scope", "warn_percent", "remove")
    LIMIT_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    WARN_PERCENT_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    limit_id: str
    period: str
    amount: int
    member: str
    services: _containers.RepeatedScalarFieldContainer[str]
    scope: str
    warn_percent: int
    remove: bool
    def __init__(self, limit_id: _Optional[str] = ..., period: _Optional[str] = ..., amount: _Optional[int] = ..., member: _Optional[str] = ..., services: _Optional[_Iterable[str]] = ..., scope: _Optional[str] = ..., warn_percent: _Optional[int] = ..., remove: _Optional[bool] = ...) -> None: ...

class Gift(_message.Message):
    __slots__ = ("to_identity", "rule", "amount", "book_id")
    TO_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    to_identity: str
    rule: str
    amount: int
    book_id: str
    def __init__(self, to_identity: _Optional[str] = ..., rule: _Optional[str] = ..., amount: _Optional[int] = ..., book_id: _Optional[str] = ...) -> None: ...

class GiveOffering(_message.Message):
    __slots__ = ("to_identity", "offering", "subscription_attributes", "quantity", "book_id")
    class SubscriptionAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TO_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    to_identity: str
    offering: str
    subscription_attributes: _containers.ScalarMap[str, str]
    quantity: int
    book_id: str
    def __init__(self, to_identity: _Optional[str] = ..., offering: _Optional[str] = ..., subscription_attributes: _Optional[_Mapping[str, str]] = ..., quantity: _Optional[int] = ..., book_id: _Optional[str] = ...) -> None: ...

class SetPayer(_message.Message):
    __slots__ = ("payer_account_id", "reason")
    PAYER_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    payer_account_id: str
    reason: str
    def __init__(self, payer_account_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SetPayee(_message.Message):
    __slots__ = ("payee_account_id", "pays", "reason")
    PAYEE_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAYS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    payee_account_id: str
    pays: str
    reason: str
    def __init__(self, payee_account_id: _Optional[str] = ..., pays: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RedeemVoucher(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class LiftVoucherBlock(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class DropBook(_message.Message):
    __slots__ = ("book_id", "reason")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    reason: str
    def __init__(self, book_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SetAccountProfile(_message.Message):
    __slots__ = ("account_attributes", "customer_attributes", "agreements")
    class AccountAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class CustomerAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    account_attributes: _containers.ScalarMap[str, str]
    customer_attributes: _containers.ScalarMap[str, str]
    agreements: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, account_attributes: _Optional[_Mapping[str, str]] = ..., customer_attributes: _Optional[_Mapping[str, str]] = ..., agreements: _Optional[_Iterable[str]] = ...) -> None: ...

class TopUp(_message.Message):
    __slots__ = ("book_id", "unit", "amount", "valid_to_ms", "priority", "allowance", "kind", "valid_from_ms")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_MS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    unit: str
    amount: int
    valid_to_ms: int
    priority: int
    allowance: str
    kind: str
    valid_from_ms: int
    def __init__(self, book_id: _Optional[str] = ..., unit: _Optional[str] = ..., amount: _Optional[int] = ..., valid_to_ms: _Optional[int] = ..., priority: _Optional[int] = ..., allowance: _Optional[str] = ..., kind: _Optional[str] = ..., valid_from_ms: _Optional[int] = ...) -> None: ...

class Adjust(_message.Message):
    __slots__ = ("book_id", "delta", "reason")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    delta: int
    reason: str
    def __init__(self, book_id: _Optional[str] = ..., delta: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Approve(_message.Message):
    __slots__ = ("of_key", "reject", "reason")
    OF_KEY_FIELD_NUMBER: _ClassVar[int]
    REJECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    of_key: str
    reject: bool
    reason: str
    def __init__(self, of_key: _Optional[str] = ..., reject: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class Refund(_message.Message):
    __slots__ = ("charge_key", "amount", "reason")
    CHARGE_KEY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    charge_key: str
    amount: int
    reason: str
    def __init__(self, charge_key: _Optional[str] = ..., amount: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class TakeOverBill(_message.Message):
    __slots__ = ("bill", "period", "item", "service", "amount", "due_ms", "reason")
    BILL_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    DUE_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    bill: str
    period: str
    item: str
    service: str
    amount: int
    due_ms: int
    reason: str
    def __init__(self, bill: _Optional[str] = ..., period: _Optional[str] = ..., item: _Optional[str] = ..., service: _Optional[str] = ..., amount: _Optional[int] = ..., due_ms: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Pay(_message.Message):
    __slots__ = ("amount", "bill", "service", "item", "kind", "reason")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    BILL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    amount: int
    bill: str
    service: str
    item: str
    kind: str
    reason: str
    def __init__(self, amount: _Optional[int] = ..., bill: _Optional[str] = ..., service: _Optional[str] = ..., item: _Optional[str] = ..., kind: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ReversePayment(_message.Message):
    __slots__ = ("of_key", "reason")
    OF_KEY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    of_key: str
    reason: str
    def __init__(self, of_key: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Settle(_message.Message):
    __slots__ = ("book_id", "bill", "service", "amount", "reason")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    BILL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    bill: str
    service: str
    amount: int
    reason: str
    def __init__(self, book_id: _Optional[str] = ..., bill: _Optional[str] = ..., service: _Optional[str] = ..., amount: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Dispute(_message.Message):
    __slots__ = ("bill", "service", "item", "amount", "reason")
    BILL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    bill: str
    service: str
    item: str
    amount: int
    reason: str
    def __init__(self, bill: _Optional[str] = ..., service: _Optional[str] = ..., item: _Optional[str] = ..., amount: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ResolveDispute(_message.Message):
    __slots__ = ("bill", "credit", "reason")
    BILL_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    bill: str
    credit: int
    reason: str
    def __init__(self, bill: _Optional[str] = ..., credit: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class CreditBill(_message.Message):
    __slots__ = ("bill", "amount", "item", "reason")
    BILL_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    bill: str
    amount: int
    item: str
    reason: str
    def __init__(self, bill: _Optional[str] = ..., amount: _Optional[int] = ..., item: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class WriteOff(_message.Message):
    __slots__ = ("bill", "amount", "approver", "reason")
    BILL_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    APPROVER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    bill: str
    amount: int
    approver: str
    reason: str
    def __init__(self, bill: _Optional[str] = ..., amount: _Optional[int] = ..., approver: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Recover(_message.Message):
    __slots__ = ("bill", "amount", "kind", "reason")
    BILL_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    bill: str
    amount: int
    kind: str
    reason: str
    def __init__(self, bill: _Optional[str] = ..., amount: _Optional[int] = ..., kind: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class AgreeInstalments(_message.Message):
    __slots__ = ("bill", "parts", "first_due_ms", "every_days", "reason")
    BILL_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    FIRST_DUE_MS_FIELD_NUMBER: _ClassVar[int]
    EVERY_DAYS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    bill: str
    parts: int
    first_due_ms: int
    every_days: int
    reason: str
    def __init__(self, bill: _Optional[str] = ..., parts: _Optional[int] = ..., first_due_ms: _Optional[int] = ..., every_days: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Dun(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Transfer(_message.Message):
    __slots__ = ("from_book_id", "to_identity", "to_book_id", "amount", "reason")
    FROM_BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    TO_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    TO_BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    from_book_id: str
    to_identity: str
    to_book_id: str
    amount: int
    reason: str
    def __init__(self, from_book_id: _Optional[str] = ..., to_identity: _Optional[str] = ..., to_book_id: _Optional[str] = ..., amount: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class SessionRequest(_message.Message):
    __slots__ = ("session_id", "operation", "invocation", "units")
    class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OPERATION_UNSPECIFIED: _ClassVar[SessionRequest.Operation]
        OPERATION_CREATE: _ClassVar[SessionRequest.Operation]
        OPERATION_UPDATE: _ClassVar[SessionRequest.Operation]
        OPERATION_RELEASE: _ClassVar[SessionRequest.Operation]
    OPERATION_UNSPECIFIED: SessionRequest.Operation
    OPERATION_CREATE: SessionRequest.Operation
    OPERATION_UPDATE: SessionRequest.Operation
    OPERATION_RELEASE: SessionRequest.Operation
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    operation: SessionRequest.Operation
    invocation: int
    units: _containers.RepeatedCompositeFieldContainer[UnitUse]
    def __init__(self, session_id: _Optional[str] = ..., operation: _Optional[_Union[SessionRequest.Operation, str]] = ..., invocation: _Optional[int] = ..., units: _Optional[_Iterable[_Union[UnitUse, _Mapping]]] = ...) -> None: ...

class UnitKey(_message.Message):
    __slots__ = ("rating_group", "service_identifier")
    RATING_GROUP_FIELD_NUMBER: _ClassVar[int]
    SERVICE_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    rating_group: int
    service_identifier: int
    def __init__(self, rating_group: _Optional[int] = ..., service_identifier: _Optional[int] = ...) -> None: ...

class UnitUse(_message.Message):
    __slots__ = ("service_code", "other_party", "visited_place", "requested", "used", "event_time_ms", "attributes", "unit_key", "request_usual")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    OTHER_PARTY_FIELD_NUMBER: _ClassVar[int]
    VISITED_PLACE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    UNIT_KEY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_USUAL_FIELD_NUMBER: _ClassVar[int]
    service_code: str
    other_party: str
    visited_place: str
    requested: int
    used: int
    event_time_ms: int
    attributes: _containers.ScalarMap[str, str]
    unit_key: UnitKey
    request_usual: bool
    def __init__(self, service_code: _Optional[str] = ..., other_party: _Optional[str] = ..., visited_place: _Optional[str] = ..., requested: _Optional[int] = ..., used: _Optional[int] = ..., event_time_ms: _Optional[int] = ..., attributes: _Optional[_Mapping[str, str]] = ..., unit_key: _Optional[_Union[UnitKey, _Mapping]] = ..., request_usual: _Optional[bool] = ...) -> None: ...

class ChargeStep(_message.Message):
    __slots__ = ("kind", "rule", "origin", "text", "quantity", "unit", "exact", "level")
    KIND_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    kind: str
    rule: str
    origin: str
    text: str
    quantity: int
    unit: str
    exact: str
    level: str
    def __init__(self, kind: _Optional[str] = ..., rule: _Optional[str] = ..., origin: _Optional[str] = ..., text: _Optional[str] = ..., quantity: _Optional[int] = ..., unit: _Optional[str] = ..., exact: _Optional[str] = ..., level: _Optional[str] = ...) -> None: ...

class BookMovement(_message.Message):
    __slots__ = ("book_id", "unit", "delta", "before", "after")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    unit: str
    delta: int
    before: int
    after: int
    def __init__(self, book_id: _Optional[str] = ..., unit: _Optional[str] = ..., delta: _Optional[int] = ..., before: _Optional[int] = ..., after: _Optional[int] = ...) -> None: ...

class ChargeResult(_message.Message):
    __slots__ = ("amount", "currency", "movements", "steps", "catalogue_version", "account_version", "repeated", "domain", "notices", "covered")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_VERSION_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    COVERED_FIELD_NUMBER: _ClassVar[int]
    amount: int
    currency: str
    movements: _containers.RepeatedCompositeFieldContainer[BookMovement]
    steps: _containers.RepeatedCompositeFieldContainer[ChargeStep]
    catalogue_version: int
    account_version: int
    repeated: bool
    domain: str
    notices: _containers.RepeatedScalarFieldContainer[str]
    covered: bool
    def __init__(self, amount: _Optional[int] = ..., currency: _Optional[str] = ..., movements: _Optional[_Iterable[_Union[BookMovement, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[ChargeStep, _Mapping]]] = ..., catalogue_version: _Optional[int] = ..., account_version: _Optional[int] = ..., repeated: _Optional[bool] = ..., domain: _Optional[str] = ..., notices: _Optional[_Iterable[str]] = ..., covered: _Optional[bool] = ...) -> None: ...

class PreviewResult(_message.Message):
    __slots__ = ("movements", "fees", "lost", "notices", "account_version", "contract_version", "contracts", "currency", "domain", "amount", "gift")
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    GIFT_FIELD_NUMBER: _ClassVar[int]
    movements: _containers.RepeatedCompositeFieldContainer[BookMovement]
    fees: _containers.RepeatedCompositeFieldContainer[PreviewFee]
    lost: _containers.RepeatedCompositeFieldContainer[AllowanceView]
    notices: _containers.RepeatedScalarFieldContainer[str]
    account_version: int
    contract_version: int
    contracts: _containers.RepeatedCompositeFieldContainer[Contract]
    currency: str
    domain: str
    amount: int
    gift: PreviewGift
    def __init__(self, movements: _Optional[_Iterable[_Union[BookMovement, _Mapping]]] = ..., fees: _Optional[_Iterable[_Union[PreviewFee, _Mapping]]] = ..., lost: _Optional[_Iterable[_Union[AllowanceView, _Mapping]]] = ..., notices: _Optional[_Iterable[str]] = ..., account_version: _Optional[int] = ..., contract_version: _Optional[int] = ..., contracts: _Optional[_Iterable[_Union[Contract, _Mapping]]] = ..., currency: _Optional[str] = ..., domain: _Optional[str] = ..., amount: _Optional[int] = ..., gift: _Optional[_Union[PreviewGift, _Mapping]] = ...) -> None: ...

class PreviewGift(_message.Message):
    __slots__ = ("to_identity", "offering", "quantity", "price", "fee", "valid_from_ms", "valid_to_ms")
    TO_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_MS_FIELD_NUMBER: _ClassVar[int]
    to_identity: str
    offering: str
    quantity: int
    price: int
    fee: int
    valid_from_ms: int
    valid_to_ms: int
    def __init__(self, to_identity: _Optional[str] = ..., offering: _Optional[str] = ..., quantity: _Optional[int] = ..., price: _Optional[int] = ..., fee: _Optional[int] = ..., valid_from_ms: _Optional[int] = ..., valid_to_ms: _Optional[int] = ...) -> None: ...

class PreviewFee(_message.Message):
    __slots__ = ("identity", "offering", "fee", "item", "amount", "from_ms", "to_ms", "steps", "free_until_ms")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    FREE_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    identity: str
    offering: str
    fee: str
    item: str
    amount: int
    from_ms: int
    to_ms: int
    steps: _containers.RepeatedCompositeFieldContainer[ChargeStep]
    free_until_ms: int
    def __init__(self, identity: _Optional[str] = ..., offering: _Optional[str] = ..., fee: _Optional[str] = ..., item: _Optional[str] = ..., amount: _Optional[int] = ..., from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[ChargeStep, _Mapping]]] = ..., free_until_ms: _Optional[int] = ...) -> None: ...

class BalanceView(_message.Message):
    __slots__ = ("account_id", "domain", "status", "payment_mode", "currency", "real", "reserved", "available", "credit_limit", "books", "version", "members", "bound", "spending_limits", "staged")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_MODE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    REAL_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    SPENDING_LIMITS_FIELD_NUMBER: _ClassVar[int]
    STAGED_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    domain: str
    status: str
    payment_mode: str
    currency: str
    real: int
    reserved: int
    available: int
    credit_limit: int
    books: _containers.RepeatedCompositeFieldContainer[BalanceBook]
    version: int
    members: _containers.RepeatedScalarFieldContainer[str]
    bound: int
    spending_limits: _containers.RepeatedCompositeFieldContainer[SpendingLimitView]
    staged: int
    def __init__(self, account_id: _Optional[str] = ..., domain: _Optional[str] = ..., status: _Optional[str] = ..., payment_mode: _Optional[str] = ..., currency: _Optional[str] = ..., real: _Optional[int] = ..., reserved: _Optional[int] = ..., available: _Optional[int] = ..., credit_limit: _Optional[int] = ..., books: _Optional[_Iterable[_Union[BalanceBook, _Mapping]]] = ..., version: _Optional[int] = ..., members: _Optional[_Iterable[str]] = ..., bound: _Optional[int] = ..., spending_limits: _Optional[_Iterable[_Union[SpendingLimitView, _Mapping]]] = ..., staged: _Optional[int] = ...) -> None: ...

class SpendingLimitView(_message.Message):
    __slots__ = ("limit_id", "period", "amount", "spent", "resets_ms", "member", "services", "scope", "warn_percent")
    LIMIT_ID_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SPENT_FIELD_NUMBER: _ClassVar[int]
    RESETS_MS_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    WARN_PERCENT_FIELD_NUMBER: _ClassVar[int]
    limit_id: str
    period: str
    amount: int
    spent: int
    resets_ms: int
    member: str
    services: _containers.RepeatedScalarFieldContainer[str]
    scope: str
    warn_percent: int
    def __init__(self, limit_id: _Optional[str] = ..., period: _Optional[str] = ..., amount: _Optional[int] = ..., spent: _Optional[int] = ..., resets_ms: _Optional[int] = ..., member: _Optional[str] = ..., services: _Optional[_Iterable[str]] = ..., scope: _Optional[str] = ..., warn_percent: _Optional[int] = ...) -> None: ...

class AccumulatorView(_message.Message):
    __slots__ = ("accumulator", "period", "quantity", "identity", "subscribed_from_ms")
    ACCUMULATOR_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    accumulator: str
    period: str
    quantity: int
    identity: str
    subscribed_from_ms: int
    def __init__(self, accumulator: _Optional[str] = ..., period: _Optional[str] = ..., quantity: _Optional[int] = ..., identity: _Optional[str] = ..., subscribed_from_ms: _Optional[int] = ...) -> None: ...

class AllowanceView(_message.Message):
    __slots__ = ("allowance", "unit", "quota", "used", "remaining", "name", "period", "valid_from_ms", "valid_to_ms", "member_cap", "member_used", "shared", "rolled_from", "subscribed_from_ms")
    ALLOWANCE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_MS_FIELD_NUMBER: _ClassVar[int]
    MEMBER_CAP_FIELD_NUMBER: _ClassVar[int]
    MEMBER_USED_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    ROLLED_FROM_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FROM_MS_FIELD_NUMBER: _ClassVar[int]
    allowance: str
    unit: str
    quota: int
    used: int
    remaining: int
    name: str
    period: str
    valid_from_ms: int
    valid_to_ms: int
    member_cap: int
    member_used: int
    shared: bool
    rolled_from: str
    subscribed_from_ms: int
    def __init__(self, allowance: _Optional[str] = ..., unit: _Optional[str] = ..., quota: _Optional[int] = ..., used: _Optional[int] = ..., remaining: _Optional[int] = ..., name: _Optional[str] = ..., period: _Optional[str] = ..., valid_from_ms: _Optional[int] = ..., valid_to_ms: _Optional[int] = ..., member_cap: _Optional[int] = ..., member_used: _Optional[int] = ..., shared: _Optional[bool] = ..., rolled_from: _Optional[str] = ..., subscribed_from_ms: _Optional[int] = ...) -> None: ...

class UsageView(_message.Message):
    __slots__ = ("accumulators", "allowances", "recent")
    ACCUMULATORS_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCES_FIELD_NUMBER: _ClassVar[int]
    RECENT_FIELD_NUMBER: _ClassVar[int]
    accumulators: _containers.RepeatedCompositeFieldContainer[AccumulatorView]
    allowances: _containers.RepeatedCompositeFieldContainer[AllowanceView]
    recent: _containers.RepeatedCompositeFieldContainer[HistoryLine]
    def __init__(self, accumulators: _Optional[_Iterable[_Union[AccumulatorView, _Mapping]]] = ..., allowances: _Optional[_Iterable[_Union[AllowanceView, _Mapping]]] = ..., recent: _Optional[_Iterable[_Union[HistoryLine, _Mapping]]] = ...) -> None: ...

class HistoryLine(_message.Message):
    __slots__ = ("request_key", "kind", "time_ms", "identity", "service_code", "quantity", "amount", "actor", "reason", "movements", "steps", "account_version", "notices", "principal", "event_time_ms", "other_party", "visited_place", "channel", "changes", "settled")
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_VERSION_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    OTHER_PARTY_FIELD_NUMBER: _ClassVar[int]
    VISITED_PLACE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    request_key: str
    kind: str
    time_ms: int
    identity: str
    service_code: str
    quantity: int
    amount: int
    actor: str
    reason: str
    movements: _containers.RepeatedCompositeFieldContainer[BookMovement]
    steps: _containers.RepeatedCompositeFieldContainer[ChargeStep]
    account_version: int
    notices: _containers.RepeatedScalarFieldContainer[str]
    principal: str
    event_time_ms: int
    other_party: str
    visited_place: str
    channel: str
    changes: _containers.RepeatedCompositeFieldContainer[TermChange]
    settled: _containers.RepeatedCompositeFieldContainer[BillSettled]
    def __init__(self, request_key: _Optional[str] = ..., kind: _Optional[str] = ..., time_ms: _Optional[int] = ..., identity: _Optional[str] = ..., service_code: _Optional[str] = ..., quantity: _Optional[int] = ..., amount: _Optional[int] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., movements: _Optional[_Iterable[_Union[BookMovement, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[ChargeStep, _Mapping]]] = ..., account_version: _Optional[int] = ..., notices: _Optional[_Iterable[str]] = ..., principal: _Optional[str] = ..., event_time_ms: _Optional[int] = ..., other_party: _Optional[str] = ..., visited_place: _Optional[str] = ..., channel: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[TermChange, _Mapping]]] = ..., settled: _Optional[_Iterable[_Union[BillSettled, _Mapping]]] = ...) -> None: ...

class BillSettled(_message.Message):
    __slots__ = ("bill", "how", "amount")
    BILL_FIELD_NUMBER: _ClassVar[int]
    HOW_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    bill: str
    how: str
    amount: int
    def __init__(self, bill: _Optional[str] = ..., how: _Optional[str] = ..., amount: _Optional[int] = ...) -> None: ...

class TermChange(_message.Message):
    __slots__ = ("term", "before", "after")
    TERM_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    term: str
    before: str
    after: str
    def __init__(self, term: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class HistoryView(_message.Message):
    __slots__ = ("lines", "next_cursor", "time_zone")
    LINES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedCompositeFieldContainer[HistoryLine]
    next_cursor: int
    time_zone: str
    def __init__(self, lines: _Optional[_Iterable[_Union[HistoryLine, _Mapping]]] = ..., next_cursor: _Optional[int] = ..., time_zone: _Optional[str] = ...) -> None: ...

class ContractView(_message.Message):
    __slots__ = ("contract",)
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    contract: Contract
    def __init__(self, contract: _Optional[_Union[Contract, _Mapping]] = ...) -> None: ...

class SessionResult(_message.Message):
    __slots__ = ("session_id", "invocation", "grants", "account_version", "repeated", "notices")
    class Grant(_message.Message):
        __slots__ = ("service_code", "granted", "valid_until_ms", "final_unit", "final_action", "charged", "tariff_switch_ms", "unit_key", "result_code", "reason", "redirect_address", "filters", "threshold", "holding_time_s")
        class FinalAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            FINAL_ACTION_UNSPECIFIED: _ClassVar[SessionResult.Grant.FinalAction]
            FINAL_ACTION_TERMINATE: _ClassVar[SessionResult.Grant.FinalAction]
            FINAL_ACTION_RESTRICT: _ClassVar[SessionResult.Grant.FinalAction]
            FINAL_ACTION_REDIRECT: _ClassVar[SessionResult.Grant.FinalAction]
        FINAL_ACTION_UNSPECIFIED: SessionResult.Grant.FinalAction
        FINAL_ACTION_TERMINATE: SessionResult.Grant.FinalAction
        FINAL_ACTION_RESTRICT: SessionResult.Grant.FinalAction
        FINAL_ACTION_REDIRECT: SessionResult.Grant.FinalAction
        class ResultCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            RESULT_CODE_UNSPECIFIED: _ClassVar[SessionResult.Grant.ResultCode]
            RESULT_CODE_SUCCESS: _ClassVar[SessionResult.Grant.ResultCode]
            RESULT_CODE_END_USER_SERVICE_DENIED: _ClassVar[SessionResult.Grant.ResultCode]
            RESULT_CODE_CREDIT_CONTROL_NOT_APPLICABLE: _ClassVar[SessionResult.Grant.ResultCode]
            RESULT_CODE_CREDIT_LIMIT_REACHED: _ClassVar[SessionResult.Grant.ResultCode]
            RESULT_CODE_RATING_FAILED: _ClassVar[SessionResult.Grant.ResultCode]
        RESULT_CODE_UNSPECIFIED: SessionResult.Grant.ResultCode
        RESULT_CODE_SUCCESS: SessionResult.Grant.ResultCode
        RESULT_CODE_END_USER_SERVICE_DENIED: SessionResult.Grant.ResultCode
        RESULT_CODE_CREDIT_CONTROL_NOT_APPLICABLE: SessionResult.Grant.ResultCode
        RESULT_CODE_CREDIT_LIMIT_REACHED: SessionResult.Grant.ResultCode
        RESULT_CODE_RATING_FAILED: SessionResult.Grant.ResultCode
        SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
        GRANTED_FIELD_NUMBER: _ClassVar[int]
        VALID_UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
        FINAL_UNIT_FIELD_NUMBER: _ClassVar[int]
        FINAL_ACTION_FIELD_NUMBER: _ClassVar[int]
        CHARGED_FIELD_NUMBER: _ClassVar[int]
        TARIFF_SWITCH_MS_FIELD_NUMBER: _ClassVar[int]
        UNIT_KEY_FIELD_NUMBER: _ClassVar[int]
        RESULT_CODE_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        REDIRECT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
        FILTERS_FIELD_NUMBER: _ClassVar[int]
        THRESHOLD_FIELD_NUMBER: _ClassVar[int]
        HOLDING_TIME_S_FIELD_NUMBER: _ClassVar[int]
        service_code: str
        granted: int
        valid_until_ms: int
        final_unit: bool
        final_action: SessionResult.Grant.FinalAction
        charged: int
        tariff_switch_ms: int
        unit_key: UnitKey
        result_code: SessionResult.Grant.ResultCode
        reason: str
        redirect_address: str
        filters: _containers.RepeatedScalarFieldContainer[str]
        threshold: int
        holding_time_s: int
        def __init__(self, service_code: _Optional[str] = ..., granted: _Optional[int] = ..., valid_until_ms: _Optional[int] = ..., final_unit: _Optional[bool] = ..., final_action: _Optional[_Union[SessionResult.Grant.FinalAction, str]] = ..., charged: _Optional[int] = ..., tariff_switch_ms: _Optional[int] = ..., unit_key: _Optional[_Union[UnitKey, _Mapping]] = ..., result_code: _Optional[_Union[SessionResult.Grant.ResultCode, str]] = ..., reason: _Optional[str] = ..., redirect_address: _Optional[str] = ..., filters: _Optional[_Iterable[str]] = ..., threshold: _Optional[int] = ..., holding_time_s: _Optional[int] = ...) -> None: ...
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_VERSION_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    invocation: int
    grants: _containers.RepeatedCompositeFieldContainer[SessionResult.Grant]
    account_version: int
    repeated: bool
    notices: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_id: _Optional[str] = ..., invocation: _Optional[int] = ..., grants: _Optional[_Iterable[_Union[SessionResult.Grant, _Mapping]]] = ..., account_version: _Optional[int] = ..., repeated: _Optional[bool] = ..., notices: _Optional[_Iterable[str]] = ...) -> None: ...

class CommandResult(_message.Message):
    __slots__ = ("movements", "account_version", "repeated", "notices", "account_id", "uses", "amount", "use_outcomes")
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_VERSION_FIELD_NUMBER: _ClassVar[int]
    REPEATED_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    USE_OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    movements: _containers.RepeatedCompositeFieldContainer[BookMovement]
    account_version: int
    repeated: bool
    notices: _containers.RepeatedScalarFieldContainer[str]
    account_id: str
    uses: _containers.RepeatedCompositeFieldContainer[UseResult]
    amount: int
    use_outcomes: UseOutcomes
    def __init__(self, movements: _Optional[_Iterable[_Union[BookMovement, _Mapping]]] = ..., account_version: _Optional[int] = ..., repeated: _Optional[bool] = ..., notices: _Optional[_Iterable[str]] = ..., account_id: _Optional[str] = ..., uses: _Optional[_Iterable[_Union[UseResult, _Mapping]]] = ..., amount: _Optional[int] = ..., use_outcomes: _Optional[_Union[UseOutcomes, _Mapping]] = ...) -> None: ...

class UseOutcomes(_message.Message):
    __slots__ = ("amounts", "currency", "refused", "set_aside")
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    SET_ASIDE_FIELD_NUMBER: _ClassVar[int]
    amounts: _containers.RepeatedScalarFieldContainer[int]
    currency: str
    refused: _containers.RepeatedCompositeFieldContainer[RefusedUse]
    set_aside: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, amounts: _Optional[_Iterable[int]] = ..., currency: _Optional[str] = ..., refused: _Optional[_Iterable[_Union[RefusedUse, _Mapping]]] = ..., set_aside: _Optional[_Iterable[int]] = ...) -> None: ...

class RefusedUse(_message.Message):
    __slots__ = ("use", "reason", "message")
    USE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    use: int
    reason: str
    message: str
    def __init__(self, use: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class UseResult(_message.Message):
    __slots__ = ("amount", "reason", "message", "currency", "set_aside")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    SET_ASIDE_FIELD_NUMBER: _ClassVar[int]
    amount: int
    reason: str
    message: str
    currency: str
    set_aside: bool
    def __init__(self, amount: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., currency: _Optional[str] = ..., set_aside: _Optional[bool] = ...) -> None: ...

class AccountView(_message.Message):
    __slots__ = ("account_id", "customer_id", "domain", "status", "status_reason", "payment_mode", "currency", "credit_limit", "cycle_day", "account_attributes", "customer_attributes", "agreements", "thresholds", "version", "members_count", "members", "next_cursor", "payer_account_id", "payee_account_ids")
    class AccountAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class CustomerAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_REASON_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_MODE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CREDIT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    CYCLE_DAY_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAYER_ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    PAYEE_ACCOUNT_IDS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    customer_id: str
    domain: str
    status: str
    status_reason: str
    payment_mode: str
    currency: str
    credit_limit: int
    cycle_day: int
    account_attributes: _containers.ScalarMap[str, str]
    customer_attributes: _containers.ScalarMap[str, str]
    agreements: _containers.RepeatedScalarFieldContainer[str]
    thresholds: _containers.RepeatedCompositeFieldContainer[ThresholdView]
    version: int
    members_count: int
    members: _containers.RepeatedCompositeFieldContainer[MemberView]
    next_cursor: str
    payer_account_id: str
    payee_account_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, account_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., domain: _Optional[str] = ..., status: _Optional[str] = ..., status_reason: _Optional[str] = ..., payment_mode: _Optional[str] = ..., currency: _Optional[str] = ..., credit_limit: _Optional[int] = ..., cycle_day: _Optional[int] = ..., account_attributes: _Optional[_Mapping[str, str]] = ..., customer_attributes: _Optional[_Mapping[str, str]] = ..., agreements: _Optional[_Iterable[str]] = ..., thresholds: _Optional[_Iterable[_Union[ThresholdView, _Mapping]]] = ..., version: _Optional[int] = ..., members_count: _Optional[int] = ..., members: _Optional[_Iterable[_Union[MemberView, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., payer_account_id: _Optional[str] = ..., payee_account_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ThresholdView(_message.Message):
    __slots__ = ("threshold_id", "watches", "mark")
    THRESHOLD_ID_FIELD_NUMBER: _ClassVar[int]
    WATCHES_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    threshold_id: str
    watches: str
    mark: int
    def __init__(self, threshold_id: _Optional[str] = ..., watches: _Optional[str] = ..., mark: _Optional[int] = ...) -> None: ...

class MemberView(_message.Message):
    __slots__ = ("identity", "limits")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    identity: str
    limits: _containers.RepeatedCompositeFieldContainer[MemberLimit]
    def __init__(self, identity: _Optional[str] = ..., limits: _Optional[_Iterable[_Union[MemberLimit, _Mapping]]] = ...) -> None: ...

class MemberLimit(_message.Message):
    __slots__ = ("kind", "of", "unit", "period", "cap", "used", "remaining")
    KIND_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    CAP_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    kind: str
    of: str
    unit: str
    period: str
    cap: int
    used: int
    remaining: int
    def __init__(self, kind: _Optional[str] = ..., of: _Optional[str] = ..., unit: _Optional[str] = ..., period: _Optional[str] = ..., cap: _Optional[int] = ..., used: _Optional[int] = ..., remaining: _Optional[int] = ...) -> None: ...

class AccountsView(_message.Message):
    __slots__ = ("customer_id", "accounts", "next_cursor")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    accounts: _containers.RepeatedCompositeFieldContainer[CustomerAccount]
    next_cursor: str
    def __init__(self, customer_id: _Optional[str] = ..., accounts: _Optional[_Iterable[_Union[CustomerAccount, _Mapping]]] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class CustomerAccount(_message.Message):
    __slots__ = ("account_id", "domain", "opened_ms")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    OPENED_MS_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    domain: str
    opened_ms: int
    def __init__(self, account_id: _Optional[str] = ..., domain: _Optional[str] = ..., opened_ms: _Optional[int] = ...) -> None: ...

class OfferingsView(_message.Message):
    __slots__ = ("offerings", "currency", "catalogue_version", "next_cursor")
    OFFERINGS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    offerings: _containers.RepeatedCompositeFieldContainer[OfferingView]
    currency: str
    catalogue_version: int
    next_cursor: str
    def __init__(self, offerings: _Optional[_Iterable[_Union[OfferingView, _Mapping]]] = ..., currency: _Optional[str] = ..., catalogue_version: _Optional[int] = ..., next_cursor: _Optional[str] = ...) -> None: ...

class OfferingView(_message.Message):
    __slots__ = ("offering", "name", "kind", "origin", "includes", "requires", "excludes", "validity", "clauses", "subscribed", "may_subscribe", "refusal", "may_be_given", "gift_fee")
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    INCLUDES_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDES_FIELD_NUMBER: _ClassVar[int]
    VALIDITY_FIELD_NUMBER: _ClassVar[int]
    CLAUSES_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    MAY_SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    MAY_BE_GIVEN_FIELD_NUMBER: _ClassVar[int]
    GIFT_FEE_FIELD_NUMBER: _ClassVar[int]
    offering: str
    name: str
    kind: str
    origin: str
    includes: _containers.RepeatedScalarFieldContainer[str]
    requires: _containers.RepeatedScalarFieldContainer[str]
    excludes: _containers.RepeatedScalarFieldContainer[str]
    validity: str
    clauses: _containers.RepeatedCompositeFieldContainer[OfferClause]
    subscribed: bool
    may_subscribe: bool
    refusal: _status_pb2.Status
    may_be_given: bool
    gift_fee: int
    def __init__(self, offering: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[str] = ..., origin: _Optional[str] = ..., includes: _Optional[_Iterable[str]] = ..., requires: _Optional[_Iterable[str]] = ..., excludes: _Optional[_Iterable[str]] = ..., validity: _Optional[str] = ..., clauses: _Optional[_Iterable[_Union[OfferClause, _Mapping]]] = ..., subscribed: _Optional[bool] = ..., may_subscribe: _Optional[bool] = ..., refusal: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., may_be_given: _Optional[bool] = ..., gift_fee: _Optional[int] = ...) -> None: ...

class OfferClause(_message.Message):
    __slots__ = ("section", "id", "name", "text", "origin", "prices")
    SECTION_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    section: str
    id: str
    name: str
    text: str
    origin: str
    prices: _containers.RepeatedCompositeFieldContainer[OfferPrice]
    def __init__(self, section: _Optional[str] = ..., id: _Optional[str] = ..., name: _Optional[str] = ..., text: _Optional[str] = ..., origin: _Optional[str] = ..., prices: _Optional[_Iterable[_Union[OfferPrice, _Mapping]]] = ...) -> None: ...

class OfferPrice(_message.Message):
    __slots__ = ("kind", "exact", "per", "unit", "start", "bands")
    KIND_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    exact: str
    per: str
    unit: str
    start: str
    bands: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[str] = ..., exact: _Optional[str] = ..., per: _Optional[str] = ..., unit: _Optional[str] = ..., start: _Optional[str] = ..., bands: _Optional[_Iterable[str]] = ...) -> None: ...

class DetailView(_message.Message):
    __slots__ = ("records", "currency", "next_cursor", "kept_no_further")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    KEPT_NO_FURTHER_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[UsageRecord]
    currency: str
    next_cursor: str
    kept_no_further: bool
    def __init__(self, records: _Optional[_Iterable[_Union[UsageRecord, _Mapping]]] = ..., currency: _Optional[str] = ..., next_cursor: _Optional[str] = ..., kept_no_further: _Optional[bool] = ...) -> None: ...

class UsageRecord(_message.Message):
    __slots__ = ("request_key", "kind", "time_ms", "event_time_ms", "identity", "service_code", "quantity", "free_quantity", "amount", "other_party", "visited_place", "session_id", "piece_quantity", "of_key", "channel", "account_version", "steps", "unit")
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FREE_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    OTHER_PARTY_FIELD_NUMBER: _ClassVar[int]
    VISITED_PLACE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PIECE_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    OF_KEY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_VERSION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    request_key: str
    kind: str
    time_ms: int
    event_time_ms: int
    identity: str
    service_code: str
    quantity: int
    free_quantity: int
    amount: int
    other_party: str
    visited_place: str
    session_id: str
    piece_quantity: int
    of_key: str
    channel: str
    account_version: int
    steps: _containers.RepeatedCompositeFieldContainer[ChargeStep]
    unit: str
    def __init__(self, request_key: _Optional[str] = ..., kind: _Optional[str] = ..., time_ms: _Optional[int] = ..., event_time_ms: _Optional[int] = ..., identity: _Optional[str] = ..., service_code: _Optional[str] = ..., quantity: _Optional[int] = ..., free_quantity: _Optional[int] = ..., amount: _Optional[int] = ..., other_party: _Optional[str] = ..., visited_place: _Optional[str] = ..., session_id: _Optional[str] = ..., piece_quantity: _Optional[int] = ..., of_key: _Optional[str] = ..., channel: _Optional[str] = ..., account_version: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[ChargeStep, _Mapping]]] = ..., unit: _Optional[str] = ...) -> None: ...

class MonthView(_message.Message):
    __slots__ = ("from_ms", "to_ms", "currency", "amount", "lines", "allowances", "catalogue_version")
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCES_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    from_ms: int
    to_ms: int
    currency: str
    amount: int
    lines: _containers.RepeatedCompositeFieldContainer[MonthLine]
    allowances: _containers.RepeatedCompositeFieldContainer[AllowanceView]
    catalogue_version: int
    def __init__(self, from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., currency: _Optional[str] = ..., amount: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[MonthLine, _Mapping]]] = ..., allowances: _Optional[_Iterable[_Union[AllowanceView, _Mapping]]] = ..., catalogue_version: _Optional[int] = ...) -> None: ...

class MonthLine(_message.Message):
    __slots__ = ("service_code", "fee", "name", "count", "quantity", "free_quantity", "amount", "unit")
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FREE_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    service_code: str
    fee: str
    name: str
    count: int
    quantity: int
    free_quantity: int
    amount: int
    unit: str
    def __init__(self, service_code: _Optional[str] = ..., fee: _Optional[str] = ..., name: _Optional[str] = ..., count: _Optional[int] = ..., quantity: _Optional[int] = ..., free_quantity: _Optional[int] = ..., amount: _Optional[int] = ..., unit: _Optional[str] = ...) -> None: ...

class FeesView(_message.Message):
    __slots__ = ("currency", "until_ms", "fees", "amount", "more", "catalogue_version")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    UNTIL_MS_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    currency: str
    until_ms: int
    fees: _containers.RepeatedCompositeFieldContainer[ComingFee]
    amount: int
    more: bool
    catalogue_version: int
    def __init__(self, currency: _Optional[str] = ..., until_ms: _Optional[int] = ..., fees: _Optional[_Iterable[_Union[ComingFee, _Mapping]]] = ..., amount: _Optional[int] = ..., more: _Optional[bool] = ..., catalogue_version: _Optional[int] = ...) -> None: ...

class ComingFee(_message.Message):
    __slots__ = ("member", "offering", "fee", "name", "item", "from_ms", "to_ms", "due_ms", "period", "before", "amount")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    OFFERING_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    DUE_MS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    member: str
    offering: str
    fee: str
    name: str
    item: str
    from_ms: int
    to_ms: int
    due_ms: int
    period: str
    before: int
    amount: int
    def __init__(self, member: _Optional[str] = ..., offering: _Optional[str] = ..., fee: _Optional[str] = ..., name: _Optional[str] = ..., item: _Optional[str] = ..., from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., due_ms: _Optional[int] = ..., period: _Optional[str] = ..., before: _Optional[int] = ..., amount: _Optional[int] = ...) -> None: ...

class CompareView(_message.Message):
    __slots__ = ("from_ms", "to_ms", "currency", "before", "after", "difference", "lines", "offerings", "kept_no_further", "catalogue_version")
    FROM_MS_FIELD_NUMBER: _ClassVar[int]
    TO_MS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    OFFERINGS_FIELD_NUMBER: _ClassVar[int]
    KEPT_NO_FURTHER_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_VERSION_FIELD_NUMBER: _ClassVar[int]
    from_ms: int
    to_ms: int
    currency: str
    before: int
    after: int
    difference: int
    lines: _containers.RepeatedCompositeFieldContainer[CompareLine]
    offerings: _containers.RepeatedScalarFieldContainer[str]
    kept_no_further: bool
    catalogue_version: int
    def __init__(self, from_ms: _Optional[int] = ..., to_ms: _Optional[int] = ..., currency: _Optional[str] = ..., before: _Optional[int] = ..., after: _Optional[int] = ..., difference: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[CompareLine, _Mapping]]] = ..., offerings: _Optional[_Iterable[str]] = ..., kept_no_further: _Optional[bool] = ..., catalogue_version: _Optional[int] = ...) -> None: ...

class CompareLine(_message.Message):
    __slots__ = ("service_code", "fee", "name", "count", "quantity", "before", "after", "difference", "unrated", "unit")
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    FEE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    UNRATED_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    service_code: str
    fee: str
    name: str
    count: int
    quantity: int
    before: int
    after: int
    difference: int
    unrated: int
    unit: str
    def __init__(self, service_code: _Optional[str] = ..., fee: _Optional[str] = ..., name: _Optional[str] = ..., count: _Optional[int] = ..., quantity: _Optional[int] = ..., before: _Optional[int] = ..., after: _Optional[int] = ..., difference: _Optional[int] = ..., unrated: _Optional[int] = ..., unit: _Optional[str] = ...) -> None: ...

class OutcomeView(_message.Message):
    __slots__ = ("request_key", "state", "reply")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[OutcomeView.State]
        STATE_UNKNOWN: _ClassVar[OutcomeView.State]
        STATE_DONE: _ClassVar[OutcomeView.State]
        STATE_REFUSED: _ClassVar[OutcomeView.State]
    STATE_UNSPECIFIED: OutcomeView.State
    STATE_UNKNOWN: OutcomeView.State
    STATE_DONE: OutcomeView.State
    STATE_REFUSED: OutcomeView.State
    REQUEST_KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    request_key: str
    state: OutcomeView.State
    reply: ServiceReply
    def __init__(self, request_key: _Optional[str] = ..., state: _Optional[_Union[OutcomeView.State, str]] = ..., reply: _Optional[_Union[ServiceReply, _Mapping]] = ...) -> None: ...

class FrozenView(_message.Message):
    __slots__ = ("account", "contract")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    account: bytes
    contract: bytes
    def __init__(self, account: _Optional[bytes] = ..., contract: _Optional[bytes] = ...) -> None: ...

class ArrearsView(_message.Message):
    __slots__ = ("account_id", "domain", "status", "currency", "open", "disputed", "overdue", "overdue_since_ms", "bills", "dunning", "account_version")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    DISPUTED_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    BILLS_FIELD_NUMBER: _ClassVar[int]
    DUNNING_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_VERSION_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    domain: str
    status: str
    currency: str
    open: int
    disputed: int
    overdue: int
    overdue_since_ms: int
    bills: _containers.RepeatedCompositeFieldContainer[OpenBill]
    dunning: _containers.RepeatedCompositeFieldContainer[DunningState]
    account_version: int
    def __init__(self, account_id: _Optional[str] = ..., domain: _Optional[str] = ..., status: _Optional[str] = ..., currency: _Optional[str] = ..., open: _Optional[int] = ..., disputed: _Optional[int] = ..., overdue: _Optional[int] = ..., overdue_since_ms: _Optional[int] = ..., bills: _Optional[_Iterable[_Union[OpenBill, _Mapping]]] = ..., dunning: _Optional[_Iterable[_Union[DunningState, _Mapping]]] = ..., account_version: _Optional[int] = ...) -> None: ...

class OpenBill(_message.Message):
    __slots__ = ("number", "period", "due_ms", "billed", "open", "disputed", "overdue", "credited", "written_off", "late_fee", "items", "instalments")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    DUE_MS_FIELD_NUMBER: _ClassVar[int]
    BILLED_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    DISPUTED_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    CREDITED_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_FIELD_NUMBER: _ClassVar[int]
    LATE_FEE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    INSTALMENTS_FIELD_NUMBER: _ClassVar[int]
    number: str
    period: str
    due_ms: int
    billed: int
    open: int
    disputed: int
    overdue: int
    credited: int
    written_off: int
    late_fee: int
    items: _containers.RepeatedCompositeFieldContainer[OpenItem]
    instalments: _containers.RepeatedCompositeFieldContainer[Instalment]
    def __init__(self, number: _Optional[str] = ..., period: _Optional[str] = ..., due_ms: _Optional[int] = ..., billed: _Optional[int] = ..., open: _Optional[int] = ..., disputed: _Optional[int] = ..., overdue: _Optional[int] = ..., credited: _Optional[int] = ..., written_off: _Optional[int] = ..., late_fee: _Optional[int] = ..., items: _Optional[_Iterable[_Union[OpenItem, _Mapping]]] = ..., instalments: _Optional[_Iterable[_Union[Instalment, _Mapping]]] = ...) -> None: ...

class OpenItem(_message.Message):
    __slots__ = ("item", "service_code", "billed", "open", "disputed")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    BILLED_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    DISPUTED_FIELD_NUMBER: _ClassVar[int]
    item: str
    service_code: str
    billed: int
    open: int
    disputed: int
    def __init__(self, item: _Optional[str] = ..., service_code: _Optional[str] = ..., billed: _Optional[int] = ..., open: _Optional[int] = ..., disputed: _Optional[int] = ...) -> None: ...

class Instalment(_message.Message):
    __slots__ = ("due_ms", "amount")
    DUE_MS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    due_ms: int
    amount: int
    def __init__(self, due_ms: _Optional[int] = ..., amount: _Optional[int] = ...) -> None: ...

class DunningState(_message.Message):
    __slots__ = ("step", "service_code", "action", "since_ms")
    STEP_FIELD_NUMBER: _ClassVar[int]
    SERVICE_CODE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    step: str
    service_code: str
    action: str
    since_ms: int
    def __init__(self, step: _Optional[str] = ..., service_code: _Optional[str] = ..., action: _Optional[str] = ..., since_ms: _Optional[int] = ...) -> None: ...

class ServiceReply(_message.Message):
    __slots__ = ("error", "charge", "quote", "balance", "usage", "contract", "history", "command", "session", "outcome", "account", "accounts", "offerings", "detail", "month", "compare", "arrears", "fees", "preview", "frozen")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CHARGE_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    OFFERINGS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    ARREARS_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    FROZEN_FIELD_NUMBER: _ClassVar[int]
    error: _status_pb2.Status
    charge: ChargeResult
    quote: ChargeResult
    balance: BalanceView
    usage: UsageView
    contract: ContractView
    history: HistoryView
    command: CommandResult
    session: SessionResult
    outcome: OutcomeView
    account: AccountView
    accounts: AccountsView
    offerings: OfferingsView
    detail: DetailView
    month: MonthView
    compare: CompareView
    arrears: ArrearsView
    fees: FeesView
    preview: PreviewResult
    frozen: FrozenView
    def __init__(self, error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., charge: _Optional[_Union[ChargeResult, _Mapping]] = ..., quote: _Optional[_Union[ChargeResult, _Mapping]] = ..., balance: _Optional[_Union[BalanceView, _Mapping]] = ..., usage: _Optional[_Union[UsageView, _Mapping]] = ..., contract: _Optional[_Union[ContractView, _Mapping]] = ..., history: _Optional[_Union[HistoryView, _Mapping]] = ..., command: _Optional[_Union[CommandResult, _Mapping]] = ..., session: _Optional[_Union[SessionResult, _Mapping]] = ..., outcome: _Optional[_Union[OutcomeView, _Mapping]] = ..., account: _Optional[_Union[AccountView, _Mapping]] = ..., accounts: _Optional[_Union[AccountsView, _Mapping]] = ..., offerings: _Optional[_Union[OfferingsView, _Mapping]] = ..., detail: _Optional[_Union[DetailView, _Mapping]] = ..., month: _Optional[_Union[MonthView, _Mapping]] = ..., compare: _Optional[_Union[CompareView, _Mapping]] = ..., arrears: _Optional[_Union[ArrearsView, _Mapping]] = ..., fees: _Optional[_Union[FeesView, _Mapping]] = ..., preview: _Optional[_Union[PreviewResult, _Mapping]] = ..., frozen: _Optional[_Union[FrozenView, _Mapping]] = ...) -> None: ...

class ExchangeRequest(_message.Message):
    __slots__ = ("batch_id", "timeout_ms", "requests", "traceparent", "traced")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACED_FIELD_NUMBER: _ClassVar[int]
    batch_id: int
    timeout_ms: int
    requests: _containers.RepeatedCompositeFieldContainer[ServiceRequest]
    traceparent: str
    traced: int
    def __init__(self, batch_id: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., requests: _Optional[_Iterable[_Union[ServiceRequest, _Mapping]]] = ..., traceparent: _Optional[str] = ..., traced: _Optional[int] = ...) -> None: ...

class ExchangeResponse(_message.Message):
    __slots__ = ("batch_id", "positions", "replies", "error")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    batch_id: int
    positions: _containers.RepeatedScalarFieldContainer[int]
    replies: _containers.RepeatedCompositeFieldContainer[ServiceReply]
    error: _status_pb2.Status
    def __init__(self, batch_id: _Optional[int] = ..., positions: _Optional[_Iterable[int]] = ..., replies: _Optional[_Iterable[_Union[ServiceReply, _Mapping]]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ChargeRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: ServiceRequest
    def __init__(self, request: _Optional[_Union[ServiceRequest, _Mapping]] = ...) -> None: ...

class ChargeResponse(_message.Message):
    __slots__ = ("charge",)
    CHARGE_FIELD_NUMBER: _ClassVar[int]
    charge: ChargeResult
    def __init__(self, charge: _Optional[_Union[ChargeResult, _Mapping]] = ...) -> None: ...

class QuoteRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: ServiceRequest
    def __init__(self, request: _Optional[_Union[ServiceRequest, _Mapping]] = ...) -> None: ...

class QuoteResponse(_message.Message):
    __slots__ = ("quote", "preview")
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_FIELD_NUMBER: _ClassVar[int]
    quote: ChargeResult
    preview: PreviewResult
    def __init__(self, quote: _Optional[_Union[ChargeResult, _Mapping]] = ..., preview: _Optional[_Union[PreviewResult, _Mapping]] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: ServiceRequest
    def __init__(self, request: _Optional[_Union[ServiceRequest, _Mapping]] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("balance", "usage", "contract", "history", "outcome", "account", "accounts", "offerings", "detail", "month", "compare")
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    OFFERINGS_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    balance: BalanceView
    usage: UsageView
    contract: ContractView
    history: HistoryView
    outcome: OutcomeView
    account: AccountView
    accounts: AccountsView
    offerings: OfferingsView
    detail: DetailView
    month: MonthView
    compare: CompareView
    def __init__(self, balance: _Optional[_Union[BalanceView, _Mapping]] = ..., usage: _Optional[_Union[UsageView, _Mapping]] = ..., contract: _Optional[_Union[ContractView, _Mapping]] = ..., history: _Optional[_Union[HistoryView, _Mapping]] = ..., outcome: _Optional[_Union[OutcomeView, _Mapping]] = ..., account: _Optional[_Union[AccountView, _Mapping]] = ..., accounts: _Optional[_Union[AccountsView, _Mapping]] = ..., offerings: _Optional[_Union[OfferingsView, _Mapping]] = ..., detail: _Optional[_Union[DetailView, _Mapping]] = ..., month: _Optional[_Union[MonthView, _Mapping]] = ..., compare: _Optional[_Union[CompareView, _Mapping]] = ...) -> None: ...

class ExecuteRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: ServiceRequest
    def __init__(self, request: _Optional[_Union[ServiceRequest, _Mapping]] = ...) -> None: ...

class ExecuteResponse(_message.Message):
    __slots__ = ("command", "session")
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    command: CommandResult
    session: SessionResult
    def __init__(self, command: _Optional[_Union[CommandResult, _Mapping]] = ..., session: _Optional[_Union[SessionResult, _Mapping]] = ...) -> None: ...
