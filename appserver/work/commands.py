"""Orders of the front end → commands for the owner, now that account, contract and catalogue are at hand."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from appserver.accounts.chain import ChargeItem, CommandItem
from appserver.batches.item import WorkItem
from appserver.reading.asks import SessionOrder
from appserver.reference import DomainReference
from appserver.work.admitting import joined_on, reopened_on
from appserver.work.bulk import rated_uses
from appserver.work.characteristics import characterised_on
from appserver.work.dunning import dunned
from appserver.work.giving import given_on
from appserver.work.granting import may
from appserver.work.items import OpeningItem, PreviewItem
from appserver.work.opened import opened_on
from appserver.work.paying import paid_on
from appserver.work.pricing import before_contract, session_step
from appserver.work.revisions import decided_on, rests_until_ms
from appserver.work.whole import approved_on, closed_on, handed_on
from business.vouchers.codes import VoucherKeys, malformed_code, read_code
from charging.base.account import MONEY, Account
from charging.base.account_id import names
from charging.base.contract import Contract
from charging.base.lateness import refuse_late
from charging.base.money import NO_CURRENCY
from charging.base.unit_key import is_numbered
from charging.base.usage import Charge, Usage
from charging.errors import Invalid
from charging.ledger.asking import TransferAsk
from charging.ledger.command import Command
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.change_characteristics import ChangeCharacteristics
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.gift import Gift, GiftTerms
from charging.ledger.commands.give_offering import GiveOffering
from charging.ledger.commands.join import Join
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.post_usage import PostUsage
from charging.ledger.commands.redeem_voucher import CodeRead, RedeemVoucher
from charging.ledger.commands.reopen_account import Reopen
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_payee import SetPayee
from charging.ledger.commands.set_payer import SetPayer
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_spending_limit import SetSpendingLimit
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.set_threshold import SetThreshold
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.transfer_ownership import TransferOwnership
from charging.ledger.kinds import Action, Revision
from charging.ledger.ledger import available_view, seal
from charging.ledger.revising import CHANGE_PAST
from charging.ledger.standing import require_serving
from charging.plans.plan import Plan
from charging.rating import bonuses, rating
from charging.rating.alike import AlikeUses
from charging.rating.quotas import keyed_usage
from charging.rating.selling import (
    NAMES_SHOWN_MAX,
    check_agreements,
    check_offerings,
    check_scope,
    check_spending,
    check_watched,
)


def charge_command(
    item: ChargeItem, account: Account, confirmed: int, contract: Contract, reference: DomainReference, now_ms: int
) -> Command:
    """Rate the usage of an item on a state of its account; the charge stays with the item for its reply.

    `confirmed` is the version at which the owner agreed last. Raises `Invalid` when the event is older than the
    contract or nothing prices it, and what rating refuses.
    """
    usage = item.usage
    if is_numbered(usage.service):
        usage = keyed_usage(reference.timeline.plan_at(usage.start_ms), usage)
    charge = item.charge = rate_usage(usage, account, contract, reference, now_ms)
    if charge.depends:
        post = PostCharge(usage, seal(charge), account.version, account.mark)
    else:
        # Holds on any later state with the same terms, so it names what is known for sure, not what is predicted.
        post = PostCharge(usage, seal(charge), confirmed)
    return _command(account.account_id, item, post)


def rate_usage(usage: Usage, account: Account, contract: Contract, reference: DomainReference, now_ms: int) -> Charge:
    """Rate a usage as things stand; what sessions keep counts as taken.

    Raises `Invalid` EVENT_BEFORE_CONTRACT, `Refused` CONTRACT_SUSPENDED, and USAGE_TOO_LATE when it needs counters that
    are kept no more.
    """
    if usage.visited:
        reference.check_place(usage.visited, "visited_place")
    if usage.start_ms < contract.valid_from_ms:
        raise before_contract(contract)
    if contract.paused_from_ms or contract.status != "active":
        require_serving(contract, usage.start_ms)
    charge = rating.rate(reference.timeline.plan_at(usage.start_ms), usage, contract, available_view(account))
    refuse_late(charge, usage.start_ms, now_ms)
    return charge


def order_command(
    item: CommandItem | PreviewItem,
    account: Account,
    contracts: Mapping[str, Contract],
    reference: DomainReference,
    now_ms: int,
    session_validity_ms: int,
    keys: VoucherKeys,
) -> Command:
    """Make the command of an execute request. Raises `Invalid`, and what rating raises for a session.

    `contracts` are those of the account that are at hand, by identity: the asking one's at least. By `keys` codes of
    vouchers are read.
    """
    contract = contracts[item.request.identity]
    order = item.order
    action: Action
    if isinstance(order, SessionOrder):
        action = session_step(item.request, order, account, contract, reference, now_ms, session_validity_ms)
    elif isinstance(order, TransferAsk):
        action = _transfer(order, account)
    elif isinstance(order, PostUsage):
        action = _rated(order, account, contract, reference, now_ms)
    elif isinstance(order, SetContract):
        action = _contract(order, account, reference, now_ms)
        _check_sold(action.contract, reference, now_ms, "set_contract.contract.agreements")
    elif isinstance(order, ChangeCharacteristics):
        action = characterised_on(order, contract, reference, item.request.channel, now_ms)
    elif isinstance(order, Revision):
        may_past = may(item, CHANGE_PAST, reference)
        action = decided_on(order, contract, account, reference, now_ms, may_past=may_past)
    elif isinstance(order, Join):
        action = joined_on(order, account, reference, now_ms)
    elif isinstance(order, Reopen):
        action = reopened_on(order, account, reference, now_ms)
    elif isinstance(order, SetStatus) and order.status == "closed":
        action = closed_on(order, account, contracts, reference, now_ms)
    elif isinstance(order, Approve):
        action = approved_on(order, account, contracts, reference, now_ms)
    elif isinstance(order, TransferOwnership):
        action = handed_on(order, account, contracts, reference, now_ms)
    elif isinstance(order, SetProfile):
        _check_profile(order.agreements, reference, now_ms, "set_account_profile.agreements")
        action = order
    elif isinstance(order, TopUp):
        _check_scopes([(order.unit, order.allowance, "top_up.allowance")], reference, now_ms)
        action = _with_bonuses(order, item.request.channel, reference, now_ms)
    elif isinstance(order, Gift | GiveOffering):
        action = _gift(order, item, reference, now_ms)
    elif isinstance(order, SetPayer | SetPayee):
        action = paid_on(order, account, item.receiver.account) if item.receiver is not None else order
    elif isinstance(order, RedeemVoucher):
        action = _redemption(order, reference, keys)
    elif isinstance(order, SetSpendingLimit):
        today = _today(reference, now_ms)
        if today is not None and not order.remove:
            check_spending(today, order.limit.services, order.limit.scope, "set_spending_limit")
        action = order
    elif isinstance(order, Dun | TakeOverBill):
        action = dunned(order, account, _today(reference, now_ms), now_ms)
    elif isinstance(order, SetThreshold):
        today = _today(reference, now_ms)
        if today is not None and not order.remove:
            check_watched(today, order.threshold.watches, "set_threshold.watches")
        action = order
    else:
        action = order
    return _command(account.account_id, item, action)


def _rated(
    order: PostUsage, account: Account, contract: Contract, reference: DomainReference, now_ms: int
) -> PostUsage:
    return rated_uses(
        order,
        account,
        now_ms,
        lambda usage, state: rate_usage(usage, state, contract, reference, now_ms),
        lambda state: AlikeUses(
            reference.timeline.plan_at, lambda place: reference.check_place(place, "visited_place"), contract, state
        ),
    )


def open_command(item: OpeningItem, reference: DomainReference, now_ms: int) -> Command:
    """Make the command that creates an account: without a domain it opens where the identity is served, without a
    currency it has that of the catalogue in force.

    It names no account: the id is the owner's to give, see `charging.base.account_id`.

    Raises `Invalid` when its offerings can't be sold so, or its agreements are unknown, and as `opened_on`.
    """
    order = item.order
    if not order.contract.domain:
        order = replace(order, contract=replace(order.contract, domain=reference.domain))
    if not order.currency:
        today = _today(reference, now_ms)
        order = replace(order, currency=today.currency if today is not None else NO_CURRENCY)
    order = replace(order, zone=reference.told.time_zone)
    _check_sold(order.contract, reference, now_ms, "open_account.contract.agreements")
    order = opened_on(order, item, reference, now_ms)
    _check_profile(order.agreements, reference, now_ms, "open_account.agreements")
    books = enumerate(order.books)
    _check_scopes([(b.unit, b.allowance, f"open_account.books[{at}].allowance") for at, b in books], reference, now_ms)
    return _command("", item, order)


def _command(account_id: str, item: WorkItem, action: Action) -> Command:
    request = item.request
    return Command(
        account_id,
        request.key,
        request.digest,
        request.actor,
        request.channel,
        request.time_ms,
        action,
        item.batch.principal,
        request.partner,
    )


def _transfer(order: TransferAsk, account: Account) -> Action:
    if order.to_identity and order.to_identity not in account.members:
        return SendTransfer(order.from_book_id, order.to_identity, order.to_book_id, order.amount, order.reason)
    if order.from_book_id == order.to_book_id:
        text = "an identity of another account, or another book of this one"
        raise Invalid(
            "TRANSFER_TO_ITSELF",
            "both identities belong to one account and the books are the same",
            fields={"transfer.to_identity": text},
        )
    return MoveMoney(order.from_book_id, order.to_book_id, order.amount, order.reason)


def _contract(order: SetContract, account: Account, reference: DomainReference, now_ms: int) -> SetContract:
    contract = order.contract
    if contract.domain not in ("", account.terms.domain):
        field = "set_contract.contract.domain"
        reference.check_domain(contract.domain, field)
        text = f"{account.terms.domain}, where its account is, or nothing"
        raise Invalid("REGION_MISMATCH", f"a contract can't be in {contract.domain}: give {text}", fields={field: text})
    if contract.account_id and not names(contract.account_id, account.account_id):
        text = f"{account.account_id}, or nothing"
        fields = {"set_contract.account_id": text}
        raise Invalid("ACCOUNT_MISMATCH", f"the identity's account is another one: give {text}", fields=fields)
    whole = replace(contract, account_id=account.account_id, domain=contract.domain or account.terms.domain)
    if contract.status == "ended":
        whole = replace(whole, rests_until_ms=rests_until_ms(reference, now_ms))
    return SetContract(whole, order.expected_version)


def _check_sold(contract: Contract, reference: DomainReference, now_ms: int, field: str) -> None:
    """Check what is subscribed to and agreed by the catalogue of today."""
    today = _today(reference, now_ms)
    if today is not None:
        check_offerings(today, contract, now_ms)
        check_agreements(today, contract.agreements, "subscriber", field)


def _check_scopes(scopes: Sequence[tuple[str, str, str]], reference: DomainReference, now_ms: int) -> None:
    """Check allowances that books are bound to: (unit, allowance, field) each."""
    today = _today(reference, now_ms)
    if today is not None:
        for unit, allowance, field in scopes:
            check_scope(today, unit, allowance, field)


def _gift(
    order: Gift | GiveOffering, item: CommandItem | PreviewItem, reference: DomainReference, now_ms: int
) -> Gift | GiveOffering:
    """Fill in the rule of the catalogue of today, or what is given of an offering. Raises `Invalid` GIFT_UNKNOWN."""
    identity = item.request.identity
    if isinstance(order, GiveOffering):
        return given_on(order, identity, item.receiver, now_ms) if item.receiver is not None else order
    today = _today(reference, now_ms)
    rule = today.gifts.get(order.rule) if today is not None else None
    if rule is None:
        known = sorted(today.gifts)[:NAMES_SHOWN_MAX] if today is not None else []
        text = f"one of {', '.join(known) or 'none: the catalogue has none'}"
        fields = {"gift.rule": text}
        raise Invalid("GIFT_UNKNOWN", f"there is no rule of gifts {order.rule[:64]!r}: give {text}", fields=fields)
    ends_ms = now_ms + rule.validity_ms if rule.validity_ms else 0
    terms = GiftTerms(
        rule.label,
        rule.unit,
        rule.books,
        rule.least,
        rule.most,
        rule.per_day,
        rule.per_month,
        rule.fee,
        rule.to_book,
        rule.allowance,
        ends_ms,
        identity,
        rule.fee_kept,
    )
    return replace(order, terms=terms)


def _redemption(order: RedeemVoucher, reference: DomainReference, keys: VoucherKeys) -> RedeemVoucher:
    """Take the code out, and what may be kept of it in. Raises `Invalid` VOUCHER_MALFORMED."""
    code = read_code(order.code)
    if code.domain not in reference.told.domains:
        raise malformed_code()
    return RedeemVoucher("", CodeRead(code.place.subject_id, keys.hashes(code.plain)))


def _with_bonuses(order: TopUp, channel: str, reference: DomainReference, now_ms: int) -> TopUp:
    """Fill in what the catalogue of today gives with a top-up of money."""
    today = _today(reference, now_ms)
    if today is None or not today.bonuses or order.unit not in ("", MONEY):
        return order
    return replace(order, bonuses=bonuses.due(today, order.amount, order.kind, channel, now_ms))


def _check_profile(agreements: tuple[str, ...], reference: DomainReference, now_ms: int, field: str) -> None:
    today = _today(reference, now_ms)
    if today is not None:
        check_agreements(today, agreements, "account", field)


def _today(reference: DomainReference, now_ms: int) -> Plan | None:
    """Give the plan of today; before the first catalogue is published there is none, and anything may be sold."""
    return reference.timeline.plan_at(now_ms) if reference.sells else None
