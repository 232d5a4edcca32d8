"""What a command would do, as the front end's contract tells it."""

from collections.abc import Callable

from onetier.v1 import service_desk_pb2 as desk

from appserver.replies.fill import fill_contract, fill_movements, fill_steps
from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.due import Due
from charging.base.outgoing import Present
from charging.base.usage import unpack_steps
from charging.ledger.decision import Decision
from charging.ledger.dues import FeePosted
from charging.ledger.events import ContractSet
from charging.ledger.giving import read_given
from charging.ledger.sending import TransferSent


def fill_preview(
    result: desk.PreviewResult,
    account: Account,
    contract: Contract,
    decision: Decision,
    domain: str,
    free_ms: Callable[[Contract, Due], int],
) -> None:
    """Answer with what a decision on an account would change; `free_ms` says until when a fee is free."""
    done = decision.done
    fill_movements(result.movements, done.movements)
    result.notices.extend(done.notices)
    result.account_version = account.version
    result.contract_version = contract.version
    result.currency = account.terms.currency
    result.domain = domain
    result.amount = done.amount
    after = contract
    for event in decision.events:
        if isinstance(event, FeePosted):
            _fill_fee(result.fees.add(), event.due, free_ms(after, event.due))
        elif isinstance(event, ContractSet):
            fill_contract(result.contracts.add(), event.contract)
            after = event.contract if event.contract.identity == contract.identity else after
        elif isinstance(event, TransferSent) and event.present is not None and event.present.offering:
            _fill_gift(result.gift, event, event.present)


def _fill_gift(into: desk.PreviewGift, event: TransferSent, present: Present) -> None:
    """Tell what the other side would get; of its contract nothing else."""
    added = read_given(present.offering).added
    into.to_identity = event.to_identity
    into.offering = added.offering
    into.quantity = added.quantity
    into.price = event.amount
    into.fee = sum(amount for _, amount in event.fee)
    into.valid_from_ms = added.valid_from_ms
    into.valid_to_ms = added.valid_to_ms


def _fill_fee(into: desk.PreviewFee, due: Due, free_ms: int) -> None:
    into.identity = due.identity
    into.offering = due.offering
    into.fee = due.fee
    into.item = due.item
    into.amount = -due.charge.amount if due.credit else due.charge.amount
    into.from_ms = due.from_ms
    into.to_ms = due.to_ms
    into.free_until_ms = free_ms
    fill_steps(into.steps, unpack_steps(due.charge.steps))
