"""The request of each command, its fields as arguments. For many at once; single ones are in `calls`.

Made by `make proto`: change the contract, or the struct of the ledger, instead.
"""

from collections.abc import Mapping, Sequence
from typing import Unpack

from onetier.v1 import service_desk_pb2 as desk

from onetier_client.requests import Facts, execute


def open_account(identity: str, command: desk.OpenAccount, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Creates an account with its first contract. The identity of the request is the account's primary member.

    `account_id`: Of the caller's own: letters, digits and . _ @ -; empty = the identity stands for it. The account's id
        in the country, such as "GD/3:1001", is the owner's to give; the result tells it.
    `customer_id`: Of the customer's system; kept and shown. (at most 256 characters)
    `payment_mode`: "prepaid" or "postpaid".
    `credit_limit`: Micro-units; how far the money may go below zero. (0 to 1000000000000000)
    `currency`: ISO 4217; empty = that of the catalogue in force. (a code of ISO 4217 such as EUR, or empty)
    `contract`: Of its first member. What it subscribes to begins now (0), or later, and is sold and paid for as
        "subscribe" says. What began before is refused OPENED_IN_PAST, unless the caller is granted "open_account_past":
        it comes from elsewhere as it was, 0 = nobody knows when it began, and brings no fees.
    `books`: What it begins with; a main money book is made in any case.
    `account_attributes`: Of the account (level A of the discount rules). (at most 64, names of 1 to 64, values of at
        most 256 characters)
    `customer_attributes`: Of the customer (level C). (at most 64, names of 1 to 64, values of at most 256 characters)
    `agreements`: Discount rules agreed for the account. (at most 256, of 1 to 64 characters each)
    `cycle_day`: 1…31: day of month on which the bill cycle begins, in a shorter month its last one. (1 to 31)
    """
    return execute(identity, command, **facts)


def set_contract(identity: str, command: desk.SetContract, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Adds or replaces the contract of a member of the account; a contract with status "ended" leaves it.

    `account_id`: Empty, the account's id, or the part of it that the caller chose; another account is refused.
    `contract`: The whole contract as it is to be; its version, when given, is that of the one that it replaces.
    """
    return execute(identity, command, **facts)


def set_account_status(
    identity: str, status: str, reason: str = "", pay_out: int = 0, to_identity: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Suspends, resumes or closes the account. A closed one stays closed: its identities are let go, and rest for as
    long as the catalogue says. What is left of fees of all members is given back, and fees for ending early are taken,
    in the same act: what can't be paid closes nothing, and neither does a minimum term that no fee ends.

    `status`: "active", "suspended", "closed".
    `reason`: Kept, and shown in the history. (at most 256 characters)
    `pay_out`: Of an account that closes, micro-units: all that its main book has once credits and fees of its end are
        posted, which is paid out to the customer; another amount is refused, so nothing is paid out that was not seen.
        0 = the money stays with the account; what is left of a closed one leaves by the same command. (0 to
        1000000000000000)
    `to_identity`: Who gets what would be paid out, of another account in whatever domain: it arrives there once, or
        comes back to this account when it is refused there. Spelt as an identity is, or the account's id; empty = it is
        paid out. (an identity, such as msisdn:8613012345678, or a number as people write it)
    """
    return execute(
        identity, desk.SetAccountStatus(status=status, reason=reason, pay_out=pay_out, to_identity=to_identity), **facts
    )


def set_payment_mode(identity: str, payment_mode: str, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Switches between prepaid and postpaid without stopping service.

    `payment_mode`: From now on: "prepaid" or "postpaid".
    """
    return execute(identity, desk.SetPaymentMode(payment_mode=payment_mode), **facts)


def set_credit_limit(identity: str, credit_limit: int, reason: str = "", **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Changes how far the account's money may go below zero.

    `credit_limit`: How far, micro-units. (0 to 1000000000000000)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.SetCreditLimit(credit_limit=credit_limit, reason=reason), **facts)


def set_threshold(
    identity: str, threshold_id: str, watches: str = "", mark: int = 0, remove: bool = False, **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Raises a notice when a balance falls below, or an accumulator rises over, a mark.

    `threshold_id`: The caller's name for it; one of the same name is replaced. (1 to 64 characters)
    `watches`: "balance" or the id of an accumulator. (0 to 64 characters)
    `mark`: Micro-units; or what the accumulator counts. (-1000000000000000 to 1000000000000000)
    `remove`: Watch no more; nothing else but the id is given then.
    """
    return execute(
        identity, desk.SetThreshold(threshold_id=threshold_id, watches=watches, mark=mark, remove=remove), **facts
    )


def top_up(
    identity: str,
    amount: int,
    book_id: str = "",
    unit: str = "",
    valid_to_ms: int = 0,
    priority: int = 0,
    allowance: str = "",
    kind: str = "",
    valid_from_ms: int = 0,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Deposit, top-up or payment. Creates the book if it is not there.

    `book_id`: "" = the main money book. (at most 256 characters)
    `unit`: What the book counts: "money" (which "" stands for), "second", "byte", "event".
    `amount`: Micro-units; or seconds, bytes, events, as the unit says. (more than zero, at most 1000000000000000)
    `valid_to_ms`: Until when the book holds, that moment not included; 0 = open end. (0, or a time after the top-up;
        UTC, milliseconds)
    `priority`: Books of a lower one are used first; 0 = 100. (-2147483648 to 2147483647)
    `allowance`: Allowance of the catalogue that gives scope and rules to a new book; empty = everything. (at most 256
        characters)
    `kind`: "deposit", "payment", "bonus", "voucher", …: kept for the audit. (at most 256 characters)
    `valid_from_ms`: From when a new book, or one that was empty, holds; 0 = a book of units, or of money bound to an
        allowance, from the time of the request on, so that a pack does not pay for usage from before it was bought;
        plain money whenever. (0, or a time after 1970; UTC, milliseconds)
    """
    return execute(
        identity,
        desk.TopUp(
            book_id=book_id,
            unit=unit,
            amount=amount,
            valid_to_ms=valid_to_ms,
            priority=priority,
            allowance=allowance,
            kind=kind,
            valid_from_ms=valid_from_ms,
        ),
        **facts,
    )


def adjust(
    identity: str, delta: int, book_id: str = "", reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Corrects a book by hand. The request names its actor.

    `book_id`: "" = the main money book. (at most 256 characters)
    `delta`: What is added, or taken when it is below zero: micro-units, or what the book counts. (not zero,
        -1000000000000000 to 1000000000000000)
    `reason`: Kept, and shown in the history; must be given. (at most 256 characters)
    """
    return execute(identity, desk.Adjust(book_id=book_id, delta=delta, reason=reason), **facts)


def refund(
    identity: str, charge_key: str, amount: int = 0, reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Gives back a charge, by its request key.

    `charge_key`: Request key of the charge. (1 to 64 characters)
    `amount`: Micro-units; 0 = all that is left of it. (0 to 1000000000000000)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.Refund(charge_key=charge_key, amount=amount, reason=reason), **facts)


def transfer(
    identity: str,
    to_identity: str,
    amount: int,
    from_book_id: str = "",
    to_book_id: str = "",
    reason: str = "",
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Moves money to another book of the account, or to another account, in whatever domain.

    `from_book_id`: "" = the main money book. (at most 256 characters)
    `to_identity`: Who gets it; "" = the account itself, in another book. (an identity, such as msisdn:8613012345678, or
        a number as people write it)
    `to_book_id`: "" = the main money book. (at most 256 characters)
    `amount`: Micro-units. (more than zero, at most 1000000000000000)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(
        identity,
        desk.Transfer(
            from_book_id=from_book_id, to_identity=to_identity, to_book_id=to_book_id, amount=amount, reason=reason
        ),
        **facts,
    )


def session(identity: str, command: desk.SessionRequest, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Charging session after 3GPP TS 32.290: create, update, release.

    `session_id`: The caller's own, unique within the account.
    `operation`: What is done: begin, report and ask for more, or end.
    `invocation`: 0, 1, 2, … within the session.
    `units`: Use and wish of each unit, 32 at most, each once. Units are told apart by `unit_key`, without one by the
        service code. One that is left out goes on with what it has. One that can't be rated is refused by itself, the
        others go on; only a session that would begin with nothing else is refused, for the reason of the first.
    """
    return execute(identity, command, **facts)


def set_account_profile(
    identity: str,
    account_attributes: Mapping[str, str] | None = None,
    customer_attributes: Mapping[str, str] | None = None,
    agreements: Sequence[str] = (),
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Replaces the attributes and agreements that discount rules read.

    `account_attributes`: Of the account (level A). (at most 64, names of 1 to 64, values of at most 256 characters)
    `customer_attributes`: Of the customer (level C). (at most 64, names of 1 to 64, values of at most 256 characters)
    `agreements`: Discount rules agreed for the account. (at most 256, of 1 to 64 characters each)
    """
    return execute(
        identity,
        desk.SetAccountProfile(
            account_attributes=account_attributes, customer_attributes=customer_attributes, agreements=agreements
        ),
        **facts,
    )


def approve(
    identity: str, of_key: str, reject: bool = False, reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Decides a command that was answered APPROVAL_NEEDED, as another principal than the one who sent it. Approved,
    exactly the proposed content is done, once; a repeat of its own key then tells the outcome.

    `of_key`: Request key of the proposed command. (1 to 64 characters)
    `reject`: Refuse it instead; whoever proposed it may so withdraw it.
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.Approve(of_key=of_key, reject=reject, reason=reason), **facts)


def subscribe(
    identity: str,
    offering: str,
    when: str = "",
    valid_from_ms: int = 0,
    valid_to_ms: int = 0,
    subscription_attributes: Mapping[str, str] | None = None,
    expected_version: int = 0,
    quantity: int = 0,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Adds an offering to the contract of the subscriber that the request names. What the catalogue says holds: sold at
    that moment, with what it requires, without what it excludes. Fees of the offering are posted in the same act: those
    of its activation, and what is in advance for the rest of the running period. The version in the result is the
    contract's new one.

    `offering`: Of the catalogue, as it is named there. (1 to 64 characters)
    `when`: "now" (which "" stands for), or "next_cycle": when the account's next bill cycle begins, by the clock of its
        region.
    `valid_from_ms`: From when it holds, instead; 0 = as "when" says. Not more than a minute ago, but for who is granted
        change_past. (0, or a time after 1970; UTC, milliseconds)
    `valid_to_ms`: Until when, that moment not included; 0 = as long as the catalogue says, else open end. (0, or a time
        after 1970; UTC, milliseconds)
    `subscription_attributes`: Of the subscription. (at most 64, names of 1 to 64, values of at most 256 characters)
    `expected_version`: Of the contract that it was decided on; 0 = whatever it is now. (0 to 1000000000000000)
    `quantity`: How many of it, at most 10,000: its fees are due so many times, what it grants is granted once. 0 = 1.
        (1 to 10000)
    """
    return execute(
        identity,
        desk.Subscribe(
            offering=offering,
            when=when,
            valid_from_ms=valid_from_ms,
            valid_to_ms=valid_to_ms,
            subscription_attributes=subscription_attributes,
            expected_version=expected_version,
            quantity=quantity,
        ),
        **facts,
    )


def unsubscribe(
    identity: str, offering: str, when: str = "", at_ms: int = 0, expected_version: int = 0, **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Ends an offering in the contract of the subscriber that the request names; one that has not begun by then goes
    wholly. What was paid for the time after is given back, fees of its end are posted, in the same act. The version in
    the result is the contract's new one.

    `offering`: As the contract has it; it need not be sold any more. (1 to 64 characters)
    `when`: "now" (which "" stands for), or "next_cycle": when the account's next bill cycle begins, by the clock of its
        region.
    `at_ms`: The moment from which it holds no more, instead; 0 = as "when" says. Not more than a minute ago, but for
        who is granted change_past. (0, or a time after 1970; UTC, milliseconds)
    `expected_version`: Of the contract that it was decided on; 0 = whatever it is now. (0 to 1000000000000000)
    """
    return execute(
        identity,
        desk.Unsubscribe(offering=offering, when=when, at_ms=at_ms, expected_version=expected_version),
        **facts,
    )


def change_plan(
    identity: str,
    from_offering: str,
    to_offering: str,
    when: str = "",
    at_ms: int = 0,
    subscription_attributes: Mapping[str, str] | None = None,
    expected_version: int = 0,
    quantity: int = 0,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Ends one offering and begins another at the same moment, in one act: both or neither. The rules of `Subscribe`
    and of `Unsubscribe` hold.

    `from_offering`: The offering that ends. (1 to 64 characters)
    `to_offering`: The offering that begins. (1 to 64 characters)
    `when`: "now" (which "" stands for), or "next_cycle": when the account's next bill cycle begins, by the clock of its
        region.
    `at_ms`: The moment of the change, instead; 0 = as "when" says. Not more than a minute ago, but for who is granted
        change_past. (0, or a time after 1970; UTC, milliseconds)
    `subscription_attributes`: Of the subscription that begins. (at most 64, names of 1 to 64, values of at most 256
        characters)
    `expected_version`: Of the contract that it was decided on; 0 = whatever it is now. (0 to 1000000000000000)
    `quantity`: How many of the offering that begins, at most 10,000; 0 = 1. (1 to 10000)
    """
    return execute(
        identity,
        desk.ChangePlan(
            from_offering=from_offering,
            to_offering=to_offering,
            when=when,
            at_ms=at_ms,
            subscription_attributes=subscription_attributes,
            expected_version=expected_version,
            quantity=quantity,
        ),
        **facts,
    )


def join(
    identity: str,
    member: str,
    offering: str = "",
    when: str = "",
    from_ms: int = 0,
    subscription_attributes: Mapping[str, str] | None = None,
    reason: str = "",
    expected_version: int = 0,
    quantity: int = 0,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Takes one subscriber more into the account that the request names, by its id or by a member. The identity must be
    free, or rest for this very account: what `leave` kept for it (`to_account_id`) is its own from the first moment on.
    The version in the result is that of the new contract.

    `member`: Spelt as an identity is. (an identity, such as msisdn:8613012345678, or a number as people write it)
    `offering`: Of the catalogue, what its contract begins with, and pays for; empty = nothing, until it subscribes. (0
        to 64 characters)
    `when`: "now" (which "" stands for), or "next_cycle": when the account's next bill cycle begins, by the clock of its
        region. The identity belongs to the account at once; what it uses before then is refused.
    `from_ms`: From when, instead; 0 = as "when" says. Not more than a minute ago. (0, or a time after 1970; UTC,
        milliseconds)
    `subscription_attributes`: What the tariffs of the offering read of the subscription. (at most 64, names of 1 to 64,
        values of at most 256 characters)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    `expected_version`: Of the contract that the identity had last, with whatever account; 0 = whatever it is now. (0 to
        1000000000000000)
    `quantity`: How many of the offering, at most 10,000; 0 = 1. (1 to 10000)
    """
    return execute(
        identity,
        desk.Join(
            member=member,
            offering=offering,
            when=when,
            from_ms=from_ms,
            subscription_attributes=subscription_attributes,
            reason=reason,
            expected_version=expected_version,
            quantity=quantity,
        ),
        **facts,
    )


def transfer_ownership(
    identity: str,
    customer_id: str,
    from_customer_id: str = "",
    customer_attributes: Mapping[str, str] | None = None,
    with_bills: bool = False,
    reason: str = "",
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Gives the account to another customer: members, contracts, books, fees and history go on, and so do counters. Its
    offerings may cost a fee for it, which its own books pay in the same act.

    `customer_id`: Whose it is from now on. (1 to 64 characters)
    `from_customer_id`: Whose it is, for the caller's certainty: another one is refused (CUSTOMER_CHANGED). Empty =
        whoever has it. (at most 256 characters)
    `customer_attributes`: What discount rules read of the new customer, by name; nothing of the old one's stays. (at
        most 64, names of 1 to 64, values of at most 256 characters)
    `with_bills`: The new customer takes over what is owed by bills; else they are settled before.
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(
        identity,
        desk.TransferOwnership(
            customer_id=customer_id,
            from_customer_id=from_customer_id,
            customer_attributes=customer_attributes,
            with_bills=with_bills,
            reason=reason,
        ),
        **facts,
    )


def reopen_account(
    identity: str,
    member: str = "",
    offering: str = "",
    subscription_attributes: Mapping[str, str] | None = None,
    reason: str = "",
    quantity: int = 0,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Opens a closed account again, with its books, bills and history, for as long after its end as the catalogue says
    (`reopen_days`). Its contracts ended with it: one of its numbers may come back as a member that begins anew, as long
    as it rests; others join afterwards.

    `member`: The number that comes back, as an identity is spelt; empty = none. (an identity, such as
        msisdn:8613012345678, or a number as people write it)
    `offering`: Of the catalogue, what its contract begins with, and pays for; empty = nothing, until it subscribes. (0
        to 64 characters)
    `subscription_attributes`: What the tariffs of the offering read of the subscription. (at most 64, names of 1 to 64,
        values of at most 256 characters)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    `quantity`: How many of the offering, at most 10,000; 0 = 1. (1 to 10000)
    """
    return execute(
        identity,
        desk.ReopenAccount(
            member=member,
            offering=offering,
            subscription_attributes=subscription_attributes,
            reason=reason,
            quantity=quantity,
        ),
        **facts,
    )


def release_number(identity: str, number: str, reason: str = "", **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Frees a number that the account let go before its rest is over, whether the account is closed or not: whoever
    comes next may have it. Who did it and why stays in the account's history for good.

    `number`: Spelt as an identity is. (an identity, such as msisdn:8613012345678, or a number as people write it)
    `reason`: Why; it must be given, and so must the actor. (at most 256 characters)
    """
    return execute(identity, desk.ReleaseNumber(number=number, reason=reason), **facts)


def leave(
    identity: str, reason: str = "", expected_version: int = 0, to_account_id: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """The subscriber that the request names leaves its account, which keeps books and history; the identity is free for
    another one. The last member stays until the account is closed.

    `reason`: Kept, and shown in the history. (at most 256 characters)
    `expected_version`: Of the contract that it was decided on; 0 = whatever it is now. (0 to 1000000000000000)
    `to_account_id`: Account that may have the number at once, though it rests for others, such as "GD/3:1001"; empty =
        no other. (at most 256 characters)
    """
    return execute(
        identity, desk.Leave(reason=reason, expected_version=expected_version, to_account_id=to_account_id), **facts
    )


def pause(
    identity: str,
    offering: str = "",
    when: str = "",
    from_ms: int = 0,
    to_ms: int = 0,
    reason: str = "",
    expected_version: int = 0,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Pauses the contract of the subscriber that the request names, or one offering of it: usage of the time is
    refused, open sessions get no more quota, fees stop where the catalogue says so. The version in the result is the
    contract's new one.

    `offering`: What is paused; empty = the whole contract. (0 to 64 characters)
    `when`: "now" (which "" stands for), or "next_cycle": when the account's next bill cycle begins, by the clock of its
        region.
    `from_ms`: From when, instead; 0 = as "when" says. Not more than a minute ago, but for who is granted change_past.
        (0, or a time after 1970; UTC, milliseconds)
    `to_ms`: Until when, that moment not included; 0 = until it is resumed. (0, or a time after 1970; UTC, milliseconds)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    `expected_version`: Of the contract that it was decided on; 0 = whatever it is now. (0 to 1000000000000000)
    """
    return execute(
        identity,
        desk.Pause(
            offering=offering, when=when, from_ms=from_ms, to_ms=to_ms, reason=reason, expected_version=expected_version
        ),
        **facts,
    )


def resume(
    identity: str,
    offering: str = "",
    when: str = "",
    at_ms: int = 0,
    reason: str = "",
    expected_version: int = 0,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Resumes what is paused; a pause that has not begun is taken back. The version in the result is the contract's new
    one.

    `offering`: What is resumed; empty = the whole contract. (0 to 64 characters)
    `when`: "now" (which "" stands for), or "next_cycle": when the account's next bill cycle begins, by the clock of its
        region.
    `at_ms`: From when, instead; 0 = as "when" says. Not more than a minute ago, but for who is granted change_past. (0,
        or a time after 1970; UTC, milliseconds)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    `expected_version`: Of the contract that it was decided on; 0 = whatever it is now. (0 to 1000000000000000)
    """
    return execute(
        identity,
        desk.Resume(offering=offering, when=when, at_ms=at_ms, reason=reason, expected_version=expected_version),
        **facts,
    )


def change_identity(
    identity: str, to_identity: str, reason: str = "", expected_version: int = 0, **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Gives the subscriber that the request names another identity: a new number, card or user name. Its contract,
    counters, limits and fees go on; the old identity rests for as long as the catalogue says, then it is free. The new
    one is served where the account is, by the number plan or by an entry of the directory.

    `to_identity`: Spelt as an identity is. (an identity, such as msisdn:8613012345678, or a number as people write it)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    `expected_version`: Of the contract that it was decided on; 0 = whatever it is now. (0 to 1000000000000000)
    """
    return execute(
        identity,
        desk.ChangeIdentity(to_identity=to_identity, reason=reason, expected_version=expected_version),
        **facts,
    )


def set_spending_limit(
    identity: str,
    limit_id: str,
    period: str = "",
    amount: int = 0,
    member: str = "",
    services: Sequence[str] = (),
    scope: str = "",
    warn_percent: int = 0,
    remove: bool = False,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Sets or removes how much may be spent in a day or a cycle. Beyond it, what costs money is refused
    SPENDING_LIMIT_REACHED, which says when the period ends; sessions get no more quota. Counted from now on; a limit of
    the same name is replaced, and goes on counting if it counts the same.

    `limit_id`: The caller's name for it. (1 to 64 characters)
    `period`: "day" (which "" stands for) or "cycle", by the region's clock.
    `amount`: Micro-units; 0 = nothing that costs money. (0 to 1000000000000000)
    `member`: A member of the account whose spending counts; empty = that of all members together. (an identity, such as
        msisdn:8613012345678, or a number as people write it)
    `services`: Codes of services; empty = all of them. (at most 256, of 1 to 64 characters each)
    `scope`: Allowance of the catalogue whose scope it has; empty = no other than the services. (0 to 64 characters)
    `warn_percent`: Per cent of the amount at which the notice `spending:` with its name is raised; 0 = none. At the
        whole amount the notice is `spending-reached:`. (0 to 100)
    `remove`: Hold it no more; nothing else but the id is given then.
    """
    return execute(
        identity,
        desk.SetSpendingLimit(
            limit_id=limit_id,
            period=period,
            amount=amount,
            member=member,
            services=services,
            scope=scope,
            warn_percent=warn_percent,
            remove=remove,
        ),
        **facts,
    )


def drop_book(identity: str, book_id: str, reason: str = "", **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Takes away an empty book, so that its scope holds no more. The main book stays.

    `book_id`:  (1 to 64 characters)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.DropBook(book_id=book_id, reason=reason), **facts)


def set_payer(
    identity: str, payer_account_id: str = "", reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Lets another account, of whatever customer and region, pay the bills of this one, from its next billing period
    on. That account agrees by `set_payee`; a bill that it refuses is owed here.

    `payer_account_id`: Id of the account that pays, as GD/3:1001; "" = this one pays for itself again. (0 to 64
        characters)
    `reason`:  (at most 256 characters)
    """
    return execute(identity, desk.SetPayer(payer_account_id=payer_account_id, reason=reason), **facts)


def set_payee(
    identity: str, payee_account_id: str, pays: str = "", reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Agrees to pay the bills of another account whose payer this one is: what is left to pay of each is a line of the
    next bill here.

    `payee_account_id`: Id of the account that is paid for, as GD/3:1001. (1 to 64 characters)
    `pays`: "yes", also if empty; "no" = from now on its bills go back.
    `reason`:  (at most 256 characters)
    """
    return execute(identity, desk.SetPayee(payee_account_id=payee_account_id, pays=pays, reason=reason), **facts)


def post_usage(identity: str, command: desk.PostUsage, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Charges many uses of one subscriber at once, one after the other as they stand here: as mediation brings them
    from files. Whatever can be charged is; the result tells each of them. Each batch of a feed is taken once for a
    subscriber, for ever, whatever request key it comes under.

    `feed`: Who counts the batches, such as the id of a mediation plant. (1 to 64 characters)
    `batch`: Number of the batch; for each subscriber a feed's batches grow. (1 to 9007199254740992)
    `uses`: 1 to 200, in their order of time; or none, and `columns`.
    `replaces`: For uses that are the whole of a call of which a part was charged: the whole is set aside, and costs
        what it does less the part when its cycle is rated anew.
    `columns`: The uses by columns, in place of `uses`: for who sends many. What became of them is told by columns, too.
    """
    return execute(identity, command, **facts)


def restate_usage(identity: str, command: desk.RestateUsage, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Restates what usage came to: one difference for all that was rated anew, with the counters and books that go with
    it. Closed bills stay as they are; what is of a closed cycle stands on the next bill, with its origin.

    `feed`: Who counts the jobs. (1 to 64 characters)
    `batch`: Number of the job; for each account a feed's jobs grow, and each is taken once. (1 to 9007199254740992)
    `expected_version`: The account as it was when all was rated anew; refused RESTATEMENT_STALE when it has moved on.
        (1 to 9007199254740992)
    `from_ms`: A moment of the first cycle that was rated anew, UTC, milliseconds. (1 to 9007199254740992)
    `expected_total`: What usage of the open cycles from then on came to before; refused RESTATEMENT_STALE when it is
        another sum. (-1000000000000000000 to 1000000000000000000; micro-units)
    `lines`: By cycle, item, member and day of tax; at most 200.
    `counters`: Accumulators by their keys; at most 500.
    `takes`: Books that rating names, of units or bound money: what more was taken of them; at most 100.
    `reason`:  (at most 256 characters)
    """
    return execute(identity, command, **facts)


def gift(
    identity: str, to_identity: str, rule: str, amount: int, book_id: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Gives money or free units to another subscriber, in whatever domain, by a rule of the catalogue: from which
    books, how much at once, in a day and in a month, for which fee, into which book. Both histories tell the other
    party; what the other side can't take comes back.

    `to_identity`: Who gets it. (an identity, such as msisdn:8613012345678, or a number as people write it)
    `rule`: Id of the rule of gifts. (1 to 64 characters)
    `amount`: Micro-units; or seconds, bytes, events, as the rule says. (more than zero, at most 1000000000000000)
    `book_id`: From which book; "" = the main money book. (at most 256 characters)
    """
    return execute(identity, desk.Gift(to_identity=to_identity, rule=rule, amount=amount, book_id=book_id), **facts)


def give_offering(
    identity: str,
    to_identity: str,
    offering: str,
    subscription_attributes: Mapping[str, str] | None = None,
    quantity: int = 0,
    book_id: str = "",
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Buys an offering for another subscriber, in whatever domain: one that the catalogue lets be given. Who gets it
    must be able to take it as by `subscribe`, pays nothing, and has it from now on. The giver pays what its fees come
    to for the other side, and the fee of the gift; `preview` tells both, and when it ends. Both histories tell the
    other party. What the other side can't take by the time it arrives comes back, the fee too, and the giver's history
    says why.

    `to_identity`: Who gets it. (an identity, such as msisdn:8613012345678, or a number as people write it)
    `offering`: Of the catalogue of the region that serves the other side. (1 to 64 characters)
    `subscription_attributes`: Of the subscription. (at most 64, names of 1 to 64, values of at most 256 characters)
    `quantity`: How many of it, at most 10,000; 0 = 1. (1 to 10000)
    `book_id`: From which book the price comes, money without a scope and never credit; "" = the main money book. (at
        most 256 characters)
    """
    return execute(
        identity,
        desk.GiveOffering(
            to_identity=to_identity,
            offering=offering,
            subscription_attributes=subscription_attributes,
            quantity=quantity,
            book_id=book_id,
        ),
        **facts,
    )


def pay(
    identity: str,
    amount: int,
    bill: str = "",
    service: str = "",
    item: str = "",
    kind: str = "",
    reason: str = "",
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Takes a payment: it settles open bills, the oldest due first, and what is left goes to the balance. What is named
    is settled and nothing else, never beyond what is owed of it. Service that was stopped for it goes on in the same
    act.

    `amount`: Micro-units. (more than zero, at most 1000000000000000)
    `bill`: Number of one bill; empty = the oldest due first. (0 to 64 characters)
    `service`: Only items of this service, such as "voice". (0 to 64 characters)
    `item`: Only this item of the bills. (0 to 64 characters)
    `kind`: "payment", "cash", "transfer", …: how it came in, kept for the audit; empty = "payment". (at most 256
        characters)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(
        identity, desk.Pay(amount=amount, bill=bill, service=service, item=item, kind=kind, reason=reason), **facts
    )


def reverse_payment(identity: str, of_key: str, reason: str = "", **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Takes a payment back, as after a chargeback: what it settled is owed again, the rest leaves the balance, and what
    of that was spent is owed, too. A payment that never came is refused from then on, if it comes later.

    `of_key`: Request key of the payment, or of the top-up. (1 to 64 characters)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.ReversePayment(of_key=of_key, reason=reason), **facts)


def settle(
    identity: str,
    book_id: str = "",
    bill: str = "",
    service: str = "",
    amount: int = 0,
    reason: str = "",
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Settles open bills from a book of the account: a guarantee, or the balance where it settles nothing by itself.

    `book_id`: "" = the main money book. (at most 256 characters)
    `bill`: Number of one bill; empty = the oldest due first. (0 to 64 characters)
    `service`: Only items of this service. (0 to 64 characters)
    `amount`: Micro-units; 0 = as much as is owed and as the book has. (0 to 1000000000000000)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(
        identity, desk.Settle(book_id=book_id, bill=bill, service=service, amount=amount, reason=reason), **facts
    )


def dispute(
    identity: str,
    bill: str,
    service: str = "",
    item: str = "",
    amount: int = 0,
    reason: str = "",
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Holds what a customer disputes of a bill: no late fee, no dunning, until the dispute is resolved.

    `bill`: Number of the bill. (1 to 64 characters)
    `service`: Only items of this service. (0 to 64 characters)
    `item`: Only this item. (0 to 64 characters)
    `amount`: Micro-units; 0 = all that is owed of it. (0 to 1000000000000000)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.Dispute(bill=bill, service=service, item=item, amount=amount, reason=reason), **facts)


def resolve_dispute(
    identity: str, bill: str, credit: int = 0, reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Ends the dispute of a bill: a part of it is credited, or nothing, and the rest is owed as before.

    `bill`: Number of the bill. (1 to 64 characters)
    `credit`: Micro-units of what is disputed that are credited; 0 = all is owed again. (0 to 1000000000000000)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.ResolveDispute(bill=bill, credit=credit, reason=reason), **facts)


def credit_bill(
    identity: str, bill: str, amount: int, item: str = "", reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Credits a closed bill, in part or wholly, by a credit note of its own number; what was paid already goes to the
    balance.

    `bill`: Number of the bill. (1 to 64 characters)
    `amount`: Micro-units, tax included. (more than zero, at most 1000000000000000)
    `item`: Credited first; empty = the bill's last items first. (0 to 64 characters)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.CreditBill(bill=bill, amount=amount, item=item, reason=reason), **facts)


def write_off(
    identity: str, bill: str, amount: int, approver: str = "", reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Gives a bad debt up. The request names its actor, and somebody else approves it.

    `bill`: Number of the bill. (1 to 64 characters)
    `amount`: Micro-units of what is owed of it. (more than zero, at most 1000000000000000)
    `approver`: Who approved it; not the actor. (at most 256 characters)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.WriteOff(bill=bill, amount=amount, approver=approver, reason=reason), **facts)


def recover(
    identity: str, bill: str, amount: int, kind: str = "", reason: str = "", **facts: Unpack[Facts]
) -> desk.ServiceRequest:
    """Takes money in for a debt that was written off.

    `bill`: Number of the bill. (1 to 64 characters)
    `amount`: Micro-units. (more than zero, at most 1000000000000000)
    `kind`: "payment", "collection", …: how it came in, kept for the audit; empty = "payment". (at most 256 characters)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.Recover(bill=bill, amount=amount, kind=kind, reason=reason), **facts)


def agree_instalments(
    identity: str,
    bill: str = "",
    parts: int = 0,
    first_due_ms: int = 0,
    every_days: int = 0,
    reason: str = "",
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Agrees that what is owed is paid later, in parts: each is overdue at its own time only.

    `bill`: Number of one bill; empty = all that are open. (0 to 64 characters)
    `parts`: Equal parts, at most 36; 1 = all of it later, 0 = no agreement any more. (0 to 36)
    `first_due_ms`: When the first is overdue unless it is paid; UTC, milliseconds. (0, or a time after 1970; UTC,
        milliseconds)
    `every_days`: Days between one part and the next; 0 = 30. (0 to 92)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(
        identity,
        desk.AgreeInstalments(bill=bill, parts=parts, first_due_ms=first_due_ms, every_days=every_days, reason=reason),
        **facts,
    )


def dun(identity: str, reason: str = "", **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Takes the steps of dunning that the catalogue has for what is overdue of the account now; nothing due, nothing
    happens. A step that was taken holds until its reason is gone, and is not taken twice.

    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.Dun(reason=reason), **facts)


def take_over_bill(
    identity: str,
    bill: str,
    amount: int,
    period: str = "",
    item: str = "",
    service: str = "",
    due_ms: int = 0,
    reason: str = "",
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Owes a bill that another system made and that is not paid, as when an operator moves in; the bill's number is new
    to the account. The balance settles it, as any bill.

    `bill`: Its number there. (1 to 64 characters)
    `period`: What it was for, as people write it: "2026-10/1". (at most 256 characters)
    `item`: What it is asked for, as bills call it; empty = "balance". (0 to 64 characters)
    `service`: What it is dunned with: "voice", "broadband"; empty = all of the account. (0 to 64 characters)
    `amount`: Micro-units. (more than zero, at most 1000000000000000)
    `due_ms`: When it is overdue; UTC, milliseconds. (a time after 1970; UTC, milliseconds)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(
        identity,
        desk.TakeOverBill(
            bill=bill, period=period, item=item, service=service, amount=amount, due_ms=due_ms, reason=reason
        ),
        **facts,
    )


def redeem_voucher(identity: str, code: str, **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Uses a voucher for the account: what it gives, where it holds and until when, whoever made it said. The voucher
    is kept in another place, so the first answer is UNAVAILABLE, VOUCHER_UNDER_WAY, with RetryInfo: repeat the same
    request key, as after any UNAVAILABLE, and its answer is the end. A wrong code counts; after five in a day the
    account takes no voucher until an operator lifts that.

    `code`: As it is printed; groups, spaces and small letters make no difference. (1 to 64 characters)
    """
    return execute(identity, desk.RedeemVoucher(code=code), **facts)


def lift_voucher_block(identity: str, reason: str = "", **facts: Unpack[Facts]) -> desk.ServiceRequest:
    """Lets an account use vouchers again after too many wrong codes.

    `reason`: Kept, and shown in the history. (at most 256 characters)
    """
    return execute(identity, desk.LiftVoucherBlock(reason=reason), **facts)


def change_characteristics(
    identity: str,
    set_attributes: Mapping[str, str] | None = None,
    group: str = "",
    group_members: Sequence[str] = (),
    add_agreements: Sequence[str] = (),
    remove_agreements: Sequence[str] = (),
    reason: str = "",
    expected_version: int = 0,
    **facts: Unpack[Facts],
) -> desk.ServiceRequest:
    """Changes what rules of the catalogue read of the contract of the subscriber that the request names: attributes,
    the numbers of a group, agreements. What may be changed through the request's channel, and to what, the catalogue
    says (`characteristics`); what is not named stays as it is.

    `set_attributes`: By name, what each is to be; "" takes one away. (at most 64, names of 1 to 64, values of at most
        256 characters)
    `group`: Group whose numbers are replaced; "" = no group's. (0 to 64 characters)
    `group_members`: All that are in the group afterwards; none empties it. (at most 256, of 1 to 64 characters each)
    `add_agreements`: Agreements, or rules of subscribers, that are made; each must not be there yet. (at most 256, of 1
        to 64 characters each)
    `remove_agreements`: Those that are ended; each must be there. (at most 256, of 1 to 64 characters each)
    `reason`: Kept, and shown in the history. (at most 256 characters)
    `expected_version`: Of the contract that it was decided on; 0 = whatever it is now. (0 to 1000000000000000)
    """
    return execute(
        identity,
        desk.ChangeCharacteristics(
            set_attributes=set_attributes,
            group=group,
            group_members=group_members,
            add_agreements=add_agreements,
            remove_agreements=remove_agreements,
            reason=reason,
            expected_version=expected_version,
        ),
        **facts,
    )
