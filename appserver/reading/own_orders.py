"""What of the commands no type of a field can say: contracts, books of an opening, steps of a session.

Registered by the name of the command, and of the field; `appserver.reading.orders` reads all others.
"""

from collections.abc import Callable, Mapping, Sequence

from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.asks import Order, SessionOrder
from appserver.reading.keys import numbers_of
from appserver.reading.uses import USES_READ_MAX, check_quantity, place_of, service_of, uses_of
from charging.base.account import Book
from charging.base.account_id import check_own, require_subscriber
from charging.base.asked import Asked
from charging.base.bounds import AMOUNT_MAX, BOOK_MAX, PRIORITY_DEFAULT, TIME_MS_MAX, UNITS_MAX
from charging.base.contract import Contract, Subscription
from charging.base.fields import FIRST_FEES, QUANTITY, UNIT
from charging.base.fieldtypes import (
    ATTRIBUTES,
    ATTRIBUTES_MAX,
    NAME,
    NAMES,
    TEXT,
    check_first_book,
    check_length,
    check_name,
    check_units,
    check_validity,
    refusal,
)
from charging.base.identity import normalise
from charging.base.party import party
from charging.base.unit_key import NONE
from charging.base.usage import Usage
from charging.ledger.commands.post_usage import ReplacedUse
from charging.ledger.commands.restate_usage import COUNTERS_MAX, RestatedAmount, RestatedLine
from charging.ledger.commands.set_contract import SetContract
from charging.rating.session_asks import UnitAsk

SERVICE_AHEAD_MS_MAX = 300_000
"""How much later than the request itself a service of a session may have begun."""

RESTATED_READ_MAX = COUNTERS_MAX + 1
"""Likewise, of the lists of a restatement."""
COUNTER_CHARS_MAX = 400
"""Of the key of an accumulator."""

Reader = Callable[[desk.ServiceRequest, Asked], Order]
OwnField = Callable[..., object]
"""Of the command's message and `Asked`."""

_OPERATIONS = {
    desk.SessionRequest.OPERATION_CREATE: "create",
    desk.SessionRequest.OPERATION_UPDATE: "update",
    desk.SessionRequest.OPERATION_RELEASE: "release",
}


def _opened_id(command: desk.OpenAccount, asked: Asked) -> str:
    require_subscriber(asked.identity, "identity")
    return check_own(command.account_id, asked.identity, "open_account.account_id")


def _first_contract(command: desk.OpenAccount, asked: Asked) -> Contract:
    given, path = command.contract, "open_account.contract"
    if given.account_id and given.account_id not in (command.account_id, asked.identity):
        raise refusal("ACCOUNT_MISMATCH", f"{path}.account_id", "nothing, or open_account.account_id")
    if given.version:
        raise refusal("VERSION_UNKNOWN", f"{path}.version", "0: there is none before")
    account_id = check_own(command.account_id, asked.identity, "open_account.account_id")
    return _contract(given, asked.identity, account_id, path, asked.country)


def _first_books(command: desk.OpenAccount, _asked: Asked) -> tuple[Book, ...]:
    check_length(command.books, "open_account.books")
    return tuple(_book(book, f"open_account.books[{index}]") for index, book in enumerate(command.books))


def _set_contract(request: desk.ServiceRequest, asked: Asked) -> SetContract:
    command = request.set_contract
    if not command.HasField("contract"):
        raise refusal("CONTRACT_MISSING", "set_contract.contract", "the contract of the member")
    given = command.contract
    account_id = TEXT.read(command.account_id or given.account_id, "set_contract.account_id")
    if given.account_id not in ("", account_id):
        raise refusal("ACCOUNT_MISMATCH", "set_contract.contract.account_id", "nothing, or set_contract.account_id")
    if not 0 <= given.version <= AMOUNT_MAX:
        raise refusal("NUMBER_OUT_OF_RANGE", "set_contract.contract.version", f"0 to {AMOUNT_MAX}")
    member = normalise(given.identity, asked.country) if given.identity else asked.identity
    require_subscriber(member, "set_contract.contract.identity")
    return SetContract(_contract(given, member, account_id, "set_contract.contract", asked.country), given.version)


def _session(request: desk.ServiceRequest, asked: Asked) -> SessionOrder:
    command = request.session
    require_subscriber(asked.identity, "identity")
    operation = _OPERATIONS.get(command.operation)
    if operation is None:
        raise refusal("SESSION_OPERATION_UNKNOWN", "session.operation", "create, update or release")
    if len(command.units) > UNITS_MAX:
        raise refusal("SESSION_UNITS_MALFORMED", "session.units", f"given for each unit once, at most {UNITS_MAX}")
    units = tuple(_unit_ask(use, f"session.units[{index}]", asked) for index, use in enumerate(command.units))
    check_units([unit.key for unit in units], "session.units", "SESSION_UNITS_MALFORMED")
    return SessionOrder(check_name(command.session_id, "session.session_id"), operation, command.invocation, units)


def _unit_ask(use: desk.UnitUse, path: str, asked: Asked) -> UnitAsk:
    check_quantity(use.used, f"{path}.used")
    check_quantity(use.requested, f"{path}.requested")
    if not 0 <= use.event_time_ms <= asked.time_ms + SERVICE_AHEAD_MS_MAX:
        raise refusal("EVENT_TIME_INVALID", f"{path}.event_time_ms", "when the service began, UTC, milliseconds")
    group, identifier = numbers_of(use.unit_key) if use.HasField("unit_key") else (NONE, NONE)
    if not use.service_code and group == NONE and identifier == NONE:
        raise refusal("SESSION_UNITS_MALFORMED", path, "named by the code of its service, or by a rating group")
    return UnitAsk(
        service_of(use.service_code, f"{path}.service_code") if use.service_code else "",
        use.requested,
        use.used,
        use.event_time_ms,
        party(use.other_party, asked.country) if use.other_party else "",
        place_of(use.visited_place, f"{path}.visited_place"),
        ATTRIBUTES.read(use.attributes, f"{path}.attributes"),
        group,
        identifier,
        use.request_usual,
    )


def _uses(command: desk.PostUsage, asked: Asked) -> tuple[Usage, ...]:
    require_subscriber(asked.identity, "identity")
    return uses_of(command, asked)


def _replaced_uses(command: desk.PostUsage, asked: Asked) -> tuple[ReplacedUse, ...]:
    return tuple(
        _replaced_use(each, f"post_usage.replaces[{index}]", asked)
        for index, each in enumerate(command.replaces[:USES_READ_MAX])
    )


def _replaced_use(given: desk.ReplacedUse, path: str, asked: Asked) -> ReplacedUse:
    check_quantity(given.quantity, f"{path}.quantity")
    if not 0 < given.event_time_ms <= asked.time_ms:
        raise refusal("EVENT_TIME_INVALID", f"{path}.event_time_ms", "when the part began, not after the request, UTC")
    key = NAME.read(given.request_key, f"{path}.request_key")
    return ReplacedUse(given.use, key, given.event_time_ms, given.quantity)


def _restated_lines(command: desk.RestateUsage, asked: Asked) -> tuple[RestatedLine, ...]:
    return tuple(
        _restated_line(each, f"restate_usage.lines[{index}]", asked)
        for index, each in enumerate(command.lines[:RESTATED_READ_MAX])
    )


def _restated_line(given: desk.RestatedLine, path: str, asked: Asked) -> RestatedLine:
    if not 0 < given.event_time_ms <= TIME_MS_MAX:
        raise refusal("EVENT_TIME_INVALID", f"{path}.event_time_ms", "a moment of the cycle, UTC")
    if not -AMOUNT_MAX <= given.difference <= AMOUNT_MAX:
        raise refusal("NUMBER_OUT_OF_RANGE", f"{path}.difference", f"at most {AMOUNT_MAX} either way")
    return RestatedLine(
        given.event_time_ms,
        NAME.read(given.item, f"{path}.item"),
        normalise(given.member, asked.country) if given.member else "",
        given.taxed_since,
        given.difference,
    )


def _restated_counters(command: desk.RestateUsage, asked: Asked) -> tuple[RestatedAmount, ...]:
    return _restated_amounts(command.counters, "restate_usage.counters")


def _restated_takes(command: desk.RestateUsage, asked: Asked) -> tuple[RestatedAmount, ...]:
    return _restated_amounts(command.takes, "restate_usage.takes")


def _restated_amounts(given: Sequence[desk.RestatedAmount], path: str) -> tuple[RestatedAmount, ...]:
    amounts = tuple(
        RestatedAmount(each.event_time_ms, each.name, each.difference) for each in given[:RESTATED_READ_MAX]
    )
    for index, each in enumerate(amounts):
        if not 0 < each.time_ms <= TIME_MS_MAX:
            raise refusal("EVENT_TIME_INVALID", f"{path}[{index}].event_time_ms", "a moment of the cycle, UTC")
        if not 0 < len(each.name) <= COUNTER_CHARS_MAX:
            raise refusal("RESTATEMENT_WRONG", f"{path}[{index}].name", f"1 to {COUNTER_CHARS_MAX} characters")
        if not -BOOK_MAX <= each.difference <= BOOK_MAX:
            raise refusal("NUMBER_OUT_OF_RANGE", f"{path}[{index}].difference", f"at most {BOOK_MAX} either way")
    return amounts


OWN_READERS: Mapping[str, Reader] = {"set_contract": _set_contract, "session": _session}
"""By command: what reads the whole of it."""
OWN_FIELDS: Mapping[str, Mapping[str, OwnField]] = {
    "open_account": {"account_id": _opened_id, "contract": _first_contract, "books": _first_books},
    "post_usage": {"uses": _uses, "replaces": _replaced_uses},
    "restate_usage": {"lines": _restated_lines, "counters": _restated_counters, "takes": _restated_takes},
}
"""By command and field: what reads the fields that its struct marks `Own`."""


def _contract(given: desk.Contract, identity: str, account_id: str, path: str, country: str) -> Contract:
    if given.identity and normalise(given.identity, country) != identity:
        raise refusal("IDENTITY_MISMATCH", f"{path}.identity", "empty, or the identity of the request")
    status = given.status or "active"
    if status not in ("active", "suspended", "ended"):
        raise refusal("STATUS_UNKNOWN", f"{path}.status", "active, suspended or ended")
    check_validity(given.valid_from_ms, given.valid_to_ms, path)
    check_validity(given.paused_from_ms, given.paused_to_ms, path, "paused_from_ms", "paused_to_ms")
    check_length(given.subscriptions, f"{path}.subscriptions")
    for index, each in enumerate(given.subscriptions):
        check_validity(each.valid_from_ms, each.valid_to_ms, f"{path}.subscriptions[{index}]")
        check_validity(each.since_ms, each.paused_end_ms, f"{path}.subscriptions[{index}]", "since_ms", "paused_end_ms")
    if len(given.groups) > ATTRIBUTES_MAX:
        raise refusal("LIST_TOO_LONG", f"{path}.groups", f"at most {ATTRIBUTES_MAX}")
    return Contract(
        identity,
        account_id,
        TEXT.read(given.domain, f"{path}.domain"),
        given.valid_from_ms,
        given.valid_to_ms,
        status,
        tuple(
            Subscription(
                check_name(each.offering, f"{path}.subscriptions[{index}].offering"),
                each.valid_from_ms,
                each.valid_to_ms,
                ATTRIBUTES.read(each.attributes, f"{path}.subscriptions[{index}].attributes"),
                each.since_ms,
                each.paused,
                each.paused_end_ms,
                QUANTITY.read(each.quantity, f"{path}.subscriptions[{index}].quantity"),
                FIRST_FEES.read(each.first_fees, f"{path}.subscriptions[{index}].first_fees"),
            )
            for index, each in enumerate(given.subscriptions)
        ),
        ATTRIBUTES.read(given.attributes, f"{path}.attributes"),
        {
            check_name(name, f"{path}.groups"): tuple(party(one, country) for one in given.groups[name].identities)
            for name in sorted(given.groups)
        },
        NAMES.read(given.agreements, f"{path}.agreements"),
        TEXT.read(given.order_id, f"{path}.order_id"),
        paused_from_ms=given.paused_from_ms,
        paused_to_ms=given.paused_to_ms,
    )


def _book(given: desk.BalanceBook, path: str) -> Book:
    check_first_book(given.amount, given.reserved, path)
    check_validity(given.valid_from_ms, given.valid_to_ms, path)
    return Book(
        check_name(given.book_id, f"{path}.book_id"),
        UNIT.read(given.unit, f"{path}.unit"),
        given.amount,
        0,
        given.priority or PRIORITY_DEFAULT,
        given.valid_from_ms,
        given.valid_to_ms,
        TEXT.read(given.allowance, f"{path}.allowance"),
    )
