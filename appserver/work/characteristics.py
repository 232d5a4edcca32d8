"""Changes of characteristics → commands for the owner: held against what the catalogue lets a channel change."""

from msgspec.structs import replace

from appserver.reference import DomainReference
from charging.base.contract import Contract
from charging.ledger.commands.change_characteristics import ChangeCharacteristics
from charging.rating.configuring import check_characteristics


def characterised_on(
    order: ChangeCharacteristics, contract: Contract, reference: DomainReference, channel: str, now_ms: int
) -> ChangeCharacteristics:
    """Complete a change by the contract that it was decided on.

    Raises what `charging.rating.configuring.check_characteristics` raises. Before the first catalogue is published
    nothing may be changed so.
    """
    ready = replace(order, before=contract)
    if order.expected_version not in (0, contract.version):
        return ready  # Told as changed by the owner, under its key.
    listed = reference.timeline.plan_at(now_ms).characteristics if reference.sells else {}
    check_characteristics(listed, ready, channel)
    return ready
