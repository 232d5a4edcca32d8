"""What a command would do: decided on a fresh copy of the account as its owner would, and kept by nobody.

So what would be refused is refused here with the same reason. What only the owner knows is not told: whether another
account holds an identity, and whether a request key was used.
"""

from functools import partial

from appserver.batches.pending import Pending
from appserver.reference import DomainReference
from appserver.replies import previews as replies
from appserver.replies.fill import fill_allowances
from appserver.work.commands import order_command
from appserver.work.items import PreviewItem
from business.vouchers.codes import VoucherKeys
from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.localtime import next_cycle_ms
from charging.base.usage import AllowanceLeft
from charging.errors import Unavailable
from charging.ledger.decision import Decision
from charging.ledger.effect import NothingDue, VersionMoved
from charging.ledger.events import ContractSet
from charging.ledger.kinds import Revision
from charging.ledger.ledger import decide
from charging.ledger.outcome import unchanged
from charging.ledger.revising import check_basis
from charging.rating.due_fees import free_until_ms
from charging.rating.remains import allowances
from charging.wire import BusinessData
from runtime.languages import tongue_for

CONTENDED_RETRY_MS = 20
NO_KEYS = VoucherKeys(())
"""What a voucher would do, its sheet alone can say: nobody may try codes beforehand."""


def answer_preview(
    pending: Pending, item: PreviewItem, data: BusinessData, reference: DomainReference, now_ms: int
) -> None:
    """Answer the dry run of a command. Raises what the command would be refused with; nothing is answered then."""
    account, contract = data.account, data.contract
    command = order_command(item, account, item.contracts, reference, now_ms, 0, NO_KEYS)
    try:
        if isinstance(command.action, Revision):
            check_basis(command.action, contract)
        decision = decide(account, command, now_ms)
    except VersionMoved as moved:
        text = "the state that the command rests on moved while it was looked at"
        raise Unavailable("ACCOUNT_CONTENDED", text, retry_ms=CONTENDED_RETRY_MS) from moved
    except NothingDue:
        decision = Decision((), account, unchanged(account.account_id, account, reference.revision))
    lost = _lost(contract, decision, account, reference, now_ms)
    reply = pending.reply(item)
    if reply is not None:
        free_ms = partial(free_until_ms, reference.timeline.plan_at)
        replies.fill_preview(reply.preview, account, contract, decision, reference.domain, free_ms)
        if lost:
            merged = reference.timeline.plan_at(now_ms).merged
            fill_allowances(reply.preview.lost, lost, merged, tongue_for(item.language))


def _lost(
    contract: Contract, decision: Decision, account: Account, reference: DomainReference, now_ms: int
) -> list[AllowanceLeft]:
    """Give what is left of allowances of the running cycle that the changed contract has no more in it."""
    after = [
        event.contract
        for event in decision.events
        if isinstance(event, ContractSet) and event.contract.identity == contract.identity
    ]
    if not after:
        return []
    plan = reference.timeline.plan_at(now_ms)
    left = allowances(plan, contract, account, now_ms)
    last_ms = next_cycle_ms(reference.timeline.local, now_ms, account.terms.cycle_day) - 1
    kept = {each.allowance for each in allowances(plan, after[-1], account, last_ms)}
    still = {each.allowance for each in allowances(plan, contract, account, last_ms)}
    return [each for each in left if each.remaining and each.allowance in still - kept]
