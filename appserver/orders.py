"""Commands of the front end → actions of the ledger, with the checks that need no account.

What the account decides (funds, status, known books) is the ledger's to say, not ours.
"""

from collections.abc import Callable, Mapping, Sequence, Sized

from onetier.v1 import service_desk_pb2 as desk

from appserver.asks import Order, SessionOrder, TransferAsk
from charging.base.account import MAIN_BOOK, MONEY, Book, Threshold
from charging.base.account_id import check_own, require_subscriber
from charging.base.bounds import AMOUNT_MAX, ID_CHARS_MAX, TEXT_CHARS_MAX
from charging.base.contract import Contract, Subscription
from charging.base.identity import normalise
from charging.base.names import is_currency, is_place, is_service
from charging.base.party import party
from charging.errors import Invalid
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_credit_limit import SetCreditLimit
from charging.ledger.commands.set_payment_mode import SetPaymentMode
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.set_threshold import SetThreshold
from charging.ledger.commands.top_up import TopUp
from charging.rating.sessions import UnitAsk

LIST_ENTRIES_MAX = 256
ATTRIBUTES_MAX = 64
SESSION_UNITS_MAX = 16
PRIORITY_DEFAULT = 100
QUANTITY_MAX = 1 << 50
SERVICE_AHEAD_MS_MAX = 300_000
"""How much later than the request itself a service of a session may have begun."""

_OPERATIONS = {
    desk.SessionRequest.OPERATION_CREATE: "create",
    desk.SessionRequest.OPERATION_UPDATE: "update",
    desk.SessionRequest.OPERATION_RELEASE: "release",
}


def order_of(request: desk.ServiceRequest, identity: str, time_ms: int, country: str) -> Order:
    """Read the command of a request, numbers as a country writes them.

    Raises `Invalid`, the field named with its path.
    """
    name = request.WhichOneof("command")
    if name is None:
        text = "one of the commands"
        raise Invalid("COMMAND_MISSING", "the request executes nothing: set a command", fields={"command": text})
    read = _READERS.get(name)
    if read is None:
        raise _bad("COMMAND_UNKNOWN", name, f"one of {', '.join(_READERS)}")
    return read(request, identity, time_ms, country)


def _open_account(request: desk.ServiceRequest, identity: str, _time_ms: int, country: str) -> OpenAccount:
    command = request.open_account
    require_subscriber(identity, "identity")
    account_id = check_own(command.account_id, identity, "open_account.account_id")
    if command.contract.account_id and command.contract.account_id not in (command.account_id, identity):
        raise _bad("ACCOUNT_MISMATCH", "open_account.contract.account_id", "nothing, or open_account.account_id")
    if command.payment_mode not in ("prepaid", "postpaid"):
        raise _bad("PAYMENT_MODE_UNKNOWN", "open_account.payment_mode", "prepaid or postpaid")
    _within(command.credit_limit, 0, "open_account.credit_limit")
    cycle_day = command.cycle_day or 1
    if not 1 <= cycle_day <= 28:
        raise _bad("CYCLE_DAY_OUT_OF_RANGE", "open_account.cycle_day", "1 to 28")
    if command.currency and is_currency(command.currency) is None:
        raise _bad("CURRENCY_MALFORMED", "open_account.currency", "a code of ISO 4217 such as EUR, or empty")
    if command.contract.version:
        raise _bad("VERSION_UNKNOWN", "open_account.contract.version", "0: there is none before")
    contract = _contract(command.contract, identity, account_id, "open_account.contract", country)
    _short_list(command.books, "open_account.books")
    books = tuple(_book(book, f"open_account.books[{index}]") for index, book in enumerate(command.books))
    return OpenAccount(
        account_id,
        _text(command.customer_id, "open_account.customer_id"),
        command.payment_mode,
        command.currency,
        command.credit_limit,
        cycle_day,
        contract,
        books,
        _attributes(command.account_attributes, "open_account.account_attributes"),
        _attributes(command.customer_attributes, "open_account.customer_attributes"),
        _texts(command.agreements, "open_account.agreements"),
    )


def _set_contract(request: desk.ServiceRequest, identity: str, _time_ms: int, country: str) -> SetContract:
    command = request.set_contract
    if not command.HasField("contract"):
        raise _bad("CONTRACT_MISSING", "set_contract.contract", "the contract of the member")
    given = command.contract
    account_id = _text(command.account_id or given.account_id, "set_contract.account_id")
    if given.account_id not in ("", account_id):
        raise _bad("ACCOUNT_MISMATCH", "set_contract.contract.account_id", "nothing, or set_contract.account_id")
    _within(given.version, 0, "set_contract.contract.version")
    member = normalise(given.identity, country) if given.identity else identity
    require_subscriber(member, "set_contract.contract.identity")
    return SetContract(_contract(given, member, account_id, "set_contract.contract", country), given.version)


def _set_status(request: desk.ServiceRequest, _identity: str, _time_ms: int, _country: str) -> SetStatus:
    command = request.set_account_status
    if command.status not in ("active", "suspended", "closed"):
        raise _bad("STATUS_UNKNOWN", "set_account_status.status", "active, suspended or closed")
    return SetStatus(command.status, _text(command.reason, "set_account_status.reason"))


def _set_mode(request: desk.ServiceRequest, _identity: str, _time_ms: int, _country: str) -> SetPaymentMode:
    mode = request.set_payment_mode.payment_mode
    if mode not in ("prepaid", "postpaid"):
        raise _bad("PAYMENT_MODE_UNKNOWN", "set_payment_mode.payment_mode", "prepaid or postpaid")
    return SetPaymentMode(mode)


def _set_credit(request: desk.ServiceRequest, _identity: str, _time_ms: int, _country: str) -> SetCreditLimit:
    command = request.set_credit_limit
    _within(command.credit_limit, 0, "set_credit_limit.credit_limit")
    return SetCreditLimit(command.credit_limit, _text(command.reason, "set_credit_limit.reason"))


def _set_threshold(request: desk.ServiceRequest, _identity: str, _time_ms: int, _country: str) -> SetThreshold:
    command = request.set_threshold
    threshold_id = _id(command.threshold_id, "set_threshold.threshold_id")
    if command.remove:
        for field, written in (("watches", command.watches), ("mark", command.mark)):
            if written:
                raise _bad("FIELD_WITHOUT_EFFECT", f"set_threshold.{field}", "nothing, when the threshold is removed")
        return SetThreshold(Threshold(threshold_id, "", 0), remove=True)
    watches = _id(command.watches, "set_threshold.watches")
    _within(command.mark, -AMOUNT_MAX, "set_threshold.mark")
    return SetThreshold(Threshold(threshold_id, watches, command.mark), remove=False)


def _set_profile(request: desk.ServiceRequest, _identity: str, _time_ms: int, _country: str) -> SetProfile:
    command = request.set_account_profile
    return SetProfile(
        _attributes(command.account_attributes, "set_account_profile.account_attributes"),
        _attributes(command.customer_attributes, "set_account_profile.customer_attributes"),
        _texts(command.agreements, "set_account_profile.agreements"),
    )


def _top_up(request: desk.ServiceRequest, _identity: str, time_ms: int, _country: str) -> TopUp:
    command = request.top_up
    _positive(command.amount, "TOP_UP_NOT_POSITIVE", "top_up.amount")
    if command.valid_to_ms and command.valid_to_ms <= time_ms:
        raise _bad("VALIDITY_OVER", "top_up.valid_to_ms", "0, or a time after the top-up")
    _validity(command, "top_up")
    return TopUp(
        _text(command.book_id, "top_up.book_id") or MAIN_BOOK,
        _unit(command.unit, "top_up.unit"),
        command.amount,
        command.valid_to_ms,
        command.priority or PRIORITY_DEFAULT,
        _text(command.allowance, "top_up.allowance"),
        _text(command.kind, "top_up.kind") or "deposit",
        command.valid_from_ms,
    )


def _adjust(request: desk.ServiceRequest, _identity: str, _time_ms: int, _country: str) -> Adjust:
    command = request.adjust
    missing = {"actor": "who adjusts"} if not request.actor else {}
    if not command.reason.strip():
        missing["adjust.reason"] = "why it is adjusted"
    if missing:
        raise Invalid("ADJUSTMENT_UNSIGNED", "an adjustment names its actor and its reason", fields=missing)
    if command.delta == 0:
        raise _bad("ADJUSTMENT_EMPTY", "adjust.delta", "not zero")
    _within(command.delta, -AMOUNT_MAX, "adjust.delta")
    return Adjust(
        _text(command.book_id, "adjust.book_id") or MAIN_BOOK, command.delta, _text(command.reason, "adjust.reason")
    )


def _refund(request: desk.ServiceRequest, _identity: str, _time_ms: int, _country: str) -> Refund:
    command = request.refund
    _within(command.amount, 0, "refund.amount")
    return Refund(_id(command.charge_key, "refund.charge_key"), command.amount, _text(command.reason, "refund.reason"))


def _approve(request: desk.ServiceRequest, _identity: str, _time_ms: int, _country: str) -> Approve:
    command = request.approve
    of_key = _id(command.of_key, "approve.of_key")
    return Approve(of_key, command.reject, _text(command.reason, "approve.reason"))


def _transfer(request: desk.ServiceRequest, identity: str, _time_ms: int, country: str) -> TransferAsk:
    command = request.transfer
    _positive(command.amount, "TRANSFER_NOT_POSITIVE", "transfer.amount")
    other = normalise(command.to_identity, country) if command.to_identity else identity
    source = _text(command.from_book_id, "transfer.from_book_id") or MAIN_BOOK
    target = _text(command.to_book_id, "transfer.to_book_id") or MAIN_BOOK
    if other == identity and source == target:
        raise _bad("TRANSFER_TO_ITSELF", "transfer.to_identity", "another identity, or another book of this one")
    reason = _text(command.reason, "transfer.reason")
    return TransferAsk(source, "" if other == identity else other, target, command.amount, reason)


def _session(request: desk.ServiceRequest, identity: str, time_ms: int, country: str) -> SessionOrder:
    command = request.session
    require_subscriber(identity, "identity")
    operation = _OPERATIONS.get(command.operation)
    if operation is None:
        raise _bad("SESSION_OPERATION_UNKNOWN", "session.operation", "create, update or release")
    if len(command.units) > SESSION_UNITS_MAX:
        raise _bad("SESSION_UNITS_MALFORMED", "session.units", f"at most {SESSION_UNITS_MAX}")
    services = [use.service_code for use in command.units]
    if len(set(services)) != len(services) or not all(services):
        raise _bad("SESSION_UNITS_MALFORMED", "session.units", "one entry for each service, its code given")
    units = tuple(
        _unit_ask(use, f"session.units[{index}]", time_ms, country) for index, use in enumerate(command.units)
    )
    return SessionOrder(_id(command.session_id, "session.session_id"), operation, command.invocation, units)


def _unit_ask(use: desk.UnitUse, path: str, time_ms: int, country: str) -> UnitAsk:
    _quantity(use.used, f"{path}.used")
    _quantity(use.requested, f"{path}.requested")
    if not 0 <= use.event_time_ms <= time_ms + SERVICE_AHEAD_MS_MAX:
        raise _bad("EVENT_TIME_INVALID", f"{path}.event_time_ms", "when the service began, UTC, milliseconds")
    return UnitAsk(
        _service(use.service_code, f"{path}.service_code"),
        use.requested,
        use.used,
        use.event_time_ms,
        party(use.other_party, country) if use.other_party else "",
        _place(use.visited_place, f"{path}.visited_place"),
        _attributes(use.attributes, f"{path}.attributes"),
    )


_READERS: Mapping[str, Callable[[desk.ServiceRequest, str, int, str], Order]] = {
    "open_account": _open_account,
    "set_contract": _set_contract,
    "set_account_status": _set_status,
    "set_payment_mode": _set_mode,
    "set_credit_limit": _set_credit,
    "set_threshold": _set_threshold,
    "set_account_profile": _set_profile,
    "top_up": _top_up,
    "adjust": _adjust,
    "refund": _refund,
    "transfer": _transfer,
    "session": _session,
    "approve": _approve,
}


def _contract(given: desk.Contract, identity: str, account_id: str, path: str, country: str) -> Contract:
    if given.identity and normalise(given.identity, country) != identity:
        raise _bad("IDENTITY_MISMATCH", f"{path}.identity", "empty, or the identity of the request")
    status = given.status or "active"
    if status not in ("active", "suspended", "ended"):
        raise _bad("STATUS_UNKNOWN", f"{path}.status", "active, suspended or ended")
    _validity(given, path)
    _short_list(given.subscriptions, f"{path}.subscriptions")
    for index, each in enumerate(given.subscriptions):
        _validity(each, f"{path}.subscriptions[{index}]")
    if len(given.groups) > ATTRIBUTES_MAX:
        raise _bad("LIST_TOO_LONG", f"{path}.groups", f"at most {ATTRIBUTES_MAX}")
    return Contract(
        identity,
        account_id,
        _text(given.domain, f"{path}.domain"),
        given.valid_from_ms,
        given.valid_to_ms,
        status,
        tuple(
            Subscription(
                _id(each.offering, f"{path}.subscriptions[{index}].offering"),
                each.valid_from_ms,
                each.valid_to_ms,
                _attributes(each.attributes, f"{path}.subscriptions[{index}].attributes"),
            )
            for index, each in enumerate(given.subscriptions)
        ),
        _attributes(given.attributes, f"{path}.attributes"),
        {
            _id(name, f"{path}.groups"): tuple(party(one, country) for one in given.groups[name].identities)
            for name in sorted(given.groups)
        },
        _texts(given.agreements, f"{path}.agreements"),
        _text(given.order_id, f"{path}.order_id"),
    )


def _book(given: desk.BalanceBook, path: str) -> Book:
    if given.amount < 0 or given.amount > AMOUNT_MAX:
        raise _bad("BOOKS_MALFORMED", f"{path}.amount", f"0 to {AMOUNT_MAX}")
    if given.reserved:
        raise _bad("BOOKS_MALFORMED", f"{path}.reserved", "0: sessions reserve, nobody else")
    _validity(given, path)
    return Book(
        _id(given.book_id, f"{path}.book_id"),
        _unit(given.unit, f"{path}.unit"),
        given.amount,
        0,
        given.priority or PRIORITY_DEFAULT,
        given.valid_from_ms,
        given.valid_to_ms,
        _text(given.allowance, f"{path}.allowance"),
    )


def _validity(given: desk.Contract | desk.Subscription | desk.BalanceBook | desk.TopUp, path: str) -> None:
    if given.valid_from_ms < 0:
        raise _bad("VALIDITY_OVER", f"{path}.valid_from_ms", "0, or a time after 1970")
    if given.valid_to_ms and given.valid_to_ms <= given.valid_from_ms:
        raise _bad("VALIDITY_OVER", f"{path}.valid_to_ms", "0, or a time after valid_from_ms")


def _unit(given: str, path: str) -> str:
    if given not in ("", MONEY, "second", "byte", "event"):
        raise _bad("UNIT_UNKNOWN", path, "money, second, byte or event")
    return given or MONEY


def _service(given: str, path: str) -> str:
    if is_service(given) is None:
        raise _bad("SERVICE_UNKNOWN", path, "a service code of the catalogue, such as voice, sms, data")
    return given


def _place(given: str, path: str) -> str:
    if given and is_place(given) is None:
        raise _bad("REGION_UNKNOWN", path, "the code of a region or of a network abroad")
    return given


def _id(given: str, path: str) -> str:
    if not given or len(given) > ID_CHARS_MAX or not given.isprintable():
        raise _bad("NAME_MALFORMED", path, f"1 to {ID_CHARS_MAX} characters")
    return given


def _text(given: str, path: str) -> str:
    if len(given) > TEXT_CHARS_MAX:
        raise _bad("TEXT_TOO_LONG", path, f"at most {TEXT_CHARS_MAX} characters")
    return given


def _texts(given: Sequence[str], path: str) -> tuple[str, ...]:
    _short_list(given, path)
    return tuple(_id(each, path) for each in given)


def _short_list(given: Sized, path: str) -> None:
    if len(given) > LIST_ENTRIES_MAX:
        raise _bad("LIST_TOO_LONG", path, f"at most {LIST_ENTRIES_MAX}")


def _attributes(given: Mapping[str, str], path: str) -> dict[str, str]:
    if not given:
        return {}
    if len(given) > ATTRIBUTES_MAX:
        raise _bad("LIST_TOO_LONG", path, f"at most {ATTRIBUTES_MAX}")
    # The order of a protobuf map is anyone's; the digest needs one.
    return {_id(name, path): _text(given[name], path) for name in sorted(given)}


def _within(amount: int, smallest: int, path: str) -> None:
    if not smallest <= amount <= AMOUNT_MAX:
        raise _bad("AMOUNT_OUT_OF_RANGE", path, f"{smallest} to {AMOUNT_MAX}")


def _positive(amount: int, reason: str, path: str) -> None:
    if amount <= 0:
        raise _bad(reason, path, "more than zero")
    _within(amount, 1, path)


def _quantity(quantity: int, path: str) -> None:
    if quantity < 0:
        raise _bad("QUANTITY_NEGATIVE", path, "0 or more")
    if quantity > QUANTITY_MAX:
        raise _bad("QUANTITY_ABSURD", path, f"at most {QUANTITY_MAX}")


def _bad(reason: str, path: str, wanted: str) -> Invalid:
    return Invalid(reason, f"{path} must be {wanted}", fields={path: wanted})
