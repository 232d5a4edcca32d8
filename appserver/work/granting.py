"""What the sender of a request may do besides the command itself: looked at while the command is made."""

from appserver.batches.item import WorkItem
from appserver.reference import DomainReference
from charging.errors import Denied
from charging.ledger.permission import names_another


def may(item: WorkItem, name: str, reference: DomainReference) -> bool:
    """Say whether the sender of a request is granted something in a region; its owner asks again."""
    request, principal = item.request, item.batch.principal
    another = names_another(principal, request.actor)
    try:
        reference.policy.permit(principal, name, request.channel, request.partner, reference.domain, another)
    except Denied:
        return False
    return True
