"""Whether a subscriber may take an offering: what `subscribe` would answer, decided and thrown away."""

from appserver.reference import DomainReference
from appserver.work.items import QueryItem
from appserver.work.revisions import decided_on
from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.contract import Contract
from charging.errors import Fault
from charging.ledger.command import Command
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.ledger import decide

_NO_DIGEST = bytes(16)


def refusal_of(
    offering: str, item: QueryItem, account: Account, contract: Contract, reference: DomainReference, now_ms: int
) -> Fault | None:
    """Say why the subscriber may not take an offering now; None = it may.

    Nothing is decided twice: the platform's part of the command is asked, then the ledger's. What a lack of money
    would say it says too, since a fee is posted with the change.
    """
    order = Subscribe(offering, "", 0, 0, {}, 0, 1)
    try:
        require_subscriber(item.request.identity, "identity")
        ready = decided_on(order, contract, account, reference, now_ms)
        request = item.request
        command = Command(
            account.account_id, "look", _NO_DIGEST, request.actor, request.channel, now_ms, ready, item.batch.principal
        )
        decide(account, command, now_ms)
    except Fault as fault:
        return fault.bare()
    return None
