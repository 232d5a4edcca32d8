"""Deciding the commands on an account's terms: opening, contracts, status, mode, credit, marks, profile, moves."""

import msgspec
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book, next_mark
from charging.base.bounds import AMOUNT_MAX, BOOKS_MAX, MEMBERS_MAX, THRESHOLDS_MAX
from charging.base.contract import Contract
from charging.errors import Invalid, Refused
from charging.ledger import funds
from charging.ledger.commands import (
    Command,
    MoveIn,
    MoveOut,
    OpenAccount,
    SetContract,
    SetCreditLimit,
    SetPaymentMode,
    SetProfile,
    SetStatus,
    SetThreshold,
)
from charging.ledger.decision import Effect
from charging.ledger.events import (
    ContractSet,
    CreditSet,
    ModeSet,
    MovedIn,
    MovedOut,
    Opened,
    ProfileSet,
    StatusSet,
    ThresholdSet,
)
from charging.ledger.standing import require_here, require_open
from charging.ledger.within import check_contract

_pack_account = msgspec.msgpack.Encoder().encode
_unpack_account = msgspec.msgpack.Decoder(Account).decode


def open_account(account: Account | None, command: Command, action: OpenAccount) -> Effect:
    """Create an account. Refused ACCOUNT_EXISTS, IDENTITY_TAKEN; Invalid for impossible terms."""
    if account is not None and account.account_id != action.account_id:
        raise Refused("IDENTITY_TAKEN", "the identity belongs to another account")
    if account is not None:
        raise Refused("ACCOUNT_EXISTS", f"account {action.account_id} exists")
    _check_mode(action.payment_mode)
    _check_limit(action.credit_limit)
    if not 1 <= action.cycle_day <= 28:
        raise Invalid("CYCLE_DAY_OUT_OF_RANGE", "the cycle begins on day 1 to 28", fields={"cycle_day": "1 to 28"})
    if action.account_id != command.account_id or action.contract.account_id != action.account_id:
        raise Invalid("ACCOUNT_MISMATCH", "command, action and contract name different accounts")
    check_contract(action.contract)
    books = _first_books(action.books)
    state = Account(
        action.account_id,
        0,
        action.contract.domain,
        action.customer_id,
        "active",
        action.payment_mode,
        action.currency,
        action.credit_limit,
        action.cycle_day,
        (action.contract.identity,),
        books,
        {},
        action.attributes,
        action.customer_attributes,
        action.agreements,
    )
    opened = sum([book.amount for book in books if book.unit == MONEY])
    return Effect((Opened(state), ContractSet(replace(action.contract, version=1))), opened)


def _first_books(given: tuple[Book, ...]) -> tuple[Book, ...]:
    ids = [book.book_id for book in given]
    if len(set(ids)) != len(ids) or len(ids) > BOOKS_MAX:
        raise Invalid("BOOKS_MALFORMED", f"book ids are unique and at most {BOOKS_MAX}", fields={"books": "unique ids"})
    for book in given:
        if book.amount < 0 or book.amount > AMOUNT_MAX or book.reserved or not book.book_id:
            raise Invalid("BOOKS_MALFORMED", "a book has an id, no reservation and an amount of zero or more")
        if book.book_id == MAIN_BOOK and (book.unit != MONEY or book.allowance):
            raise Invalid("BOOKS_MALFORMED", "the main book is unrestricted money")
    books = list(given) if MAIN_BOOK in ids else [*given, Book(MAIN_BOOK, MONEY, 0)]
    return tuple(sorted(books, key=funds.consumption_order))


def set_contract(account: Account, action: SetContract) -> Effect:
    """Add, replace or (status ended) remove a member's contract."""
    require_open(account)
    contract = action.contract
    check_contract(contract)
    if contract.account_id != account.account_id:
        raise Invalid("ACCOUNT_MISMATCH", f"the contract names account {contract.account_id}")
    known = contract.identity in account.members
    if not known and contract.status == "ended":
        raise Refused("MEMBER_UNKNOWN", "the account has no such member whose contract could end")
    if not known and len(account.members) >= MEMBERS_MAX:
        raise Refused("MEMBERS_FULL", f"an account has at most {MEMBERS_MAX} members")
    return Effect((ContractSet(replace(contract, version=account.version + 1)),))


def set_status(account: Account, action: SetStatus) -> Effect:
    """Suspend, resume or close. A closed account stays closed: its money stays with it, its identities are let go."""
    require_open(account)
    if action.status not in ("active", "suspended", "closed"):
        raise Invalid("STATUS_UNKNOWN", "status is active, suspended or closed", fields={"status": "active, suspended"})
    if action.status == "closed" and account.sessions:
        raise Refused("SESSIONS_OPEN", "release the open sessions first", facts={"open": str(len(account.sessions))})
    if action.status == "closed" and account.outgoing:
        raise Refused("TRANSFERS_PENDING", "transfers are under way", facts={"pending": str(len(account.outgoing))})
    if action.status != "closed":
        return Effect((StatusSet(action.status, action.reason),))
    ended = [
        Contract(member, account.account_id, account.domain, status="ended", version=account.version + 1)
        for member in account.members
    ]
    return Effect((StatusSet(action.status, action.reason), *map(ContractSet, ended)))


def set_payment_mode(account: Account, action: SetPaymentMode) -> Effect:
    """Switch between prepaid and postpaid: balances, credit and sessions stay as they are."""
    require_open(account)
    _check_mode(action.payment_mode)
    return Effect((ModeSet(action.payment_mode),))


def set_credit_limit(account: Account, action: SetCreditLimit) -> Effect:
    """Change the credit limit. Refused CREDIT_IN_USE when what is owed or kept needs more than the new limit."""
    require_open(account)
    _check_limit(action.credit_limit)
    main = funds.book_of(account, MAIN_BOOK)
    if (
        main is not None
        and main.amount - main.reserved < -action.credit_limit
        and (action.credit_limit < account.credit_limit)
    ):
        owed = main.reserved - main.amount
        raise Refused("CREDIT_IN_USE", f"{owed} micro-units of credit are in use", facts={"in_use": str(owed)})
    return Effect((CreditSet(action.credit_limit, action.reason),))


def set_threshold(account: Account, action: SetThreshold) -> Effect:
    """Set or remove a mark."""
    require_open(account)
    threshold = action.threshold
    known = any(each.threshold_id == threshold.threshold_id for each in account.thresholds)
    if action.remove and not known:
        raise Refused("THRESHOLD_UNKNOWN", f"the account has no threshold {threshold.threshold_id!r}")
    if not action.remove and (not threshold.threshold_id or not threshold.watches):
        raise Invalid("THRESHOLD_MALFORMED", "a threshold has an id and watches the balance or an accumulator")
    if not action.remove and not known and len(account.thresholds) >= THRESHOLDS_MAX:
        raise Refused("THRESHOLDS_FULL", f"an account has at most {THRESHOLDS_MAX} thresholds")
    return Effect((ThresholdSet(threshold, action.remove),))


def set_profile(account: Account, action: SetProfile) -> Effect:
    """Replace attributes and agreements."""
    require_open(account)
    return Effect((ProfileSet(action.attributes, action.customer_attributes, action.agreements),))


def move_out(account: Account, command: Command, action: MoveOut) -> Effect:
    """Let the account go, packed in `detail`; told again when it is asked again for the same domain."""
    if account.status == "moved":
        if account.status_reason != action.to_domain:
            require_here(account)
        status, reason = account.before_move
        parcel = replace(account, status=status, status_reason=reason, before_move=())
        return Effect((), 0, _pack_account(parcel), repeated=True)
    if action.to_domain == account.domain or not action.to_domain:
        raise Refused("MOVE_TO_SELF", f"account {account.account_id} is in {account.domain} already")
    parcel = replace(account, version=account.version + 1, mark=next_mark(account.mark, command.key))
    return Effect((MovedOut(action.to_domain),), 0, _pack_account(parcel))


def move_in(account: Account | None, command: Command, action: MoveIn) -> Effect:
    """Take in an account; its contracts belong to the new domain from here on."""
    try:
        parcel = _unpack_account(action.account)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Invalid("PARCEL_MALFORMED", "the account that arrives can't be read") from error
    domain = action.domain or next((contract.domain for contract in action.contracts), "")
    if parcel.account_id != command.account_id or not domain:
        raise Invalid("ACCOUNT_MISMATCH", f"account {parcel.account_id} arrives as {command.account_id}")
    if account is not None and (account.status != "moved" or account.version > parcel.version):
        raise Refused("ACCOUNT_EXISTS", f"account {parcel.account_id} is here")
    for contract in action.contracts:
        check_contract(contract)
    version = max(parcel.version, 0 if account is None else account.version) + 1
    contracts: tuple[Contract, ...] = tuple(
        replace(contract, version=version, domain=domain) for contract in action.contracts
    )
    return Effect((MovedIn(replace(parcel, domain=domain), contracts),))


def _check_mode(payment_mode: str) -> None:
    if payment_mode not in ("prepaid", "postpaid"):
        raise Invalid("PAYMENT_MODE_UNKNOWN", "payment mode is prepaid or postpaid", fields={"payment_mode": "prepaid"})


def _check_limit(credit_limit: int) -> None:
    if not 0 <= credit_limit <= AMOUNT_MAX:
        raise Invalid(
            "CREDIT_LIMIT_OUT_OF_RANGE",
            f"a credit limit is 0 to {AMOUNT_MAX} micro-units",
            fields={"credit_limit": "zero or more"},
        )
