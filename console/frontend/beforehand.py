"""What a command would do, told to people."""

from collections.abc import Iterable

from onetier.v1 import service_desk_pb2 as desk

from console.report import major, moment, movement_lines, step_lines


def preview_lines(found: desk.PreviewResult) -> Iterable[str]:
    """Tell fees with their arithmetic, books before and after, what is lost, and contracts as they would be."""
    yield f"would take {major(found.amount)} {found.currency} in {found.domain}; nothing was done"
    for fee in found.fees:
        what = "gives back of" if fee.amount < 0 else "fee"
        yield f"  {what} {fee.fee} of {fee.offering}, from {moment(fee.from_ms)}: {major(abs(fee.amount))}"
        yield from step_lines(fee.steps)
    if found.HasField("gift"):
        gift = found.gift
        until = f" until {moment(gift.valid_to_ms)}" if gift.valid_to_ms else ""
        what = f"{gift.quantity} × {gift.offering}, from {moment(gift.valid_from_ms)}{until}"
        yield f"  {gift.to_identity} would get {what}"
        yield f"    price {major(gift.price)}, fee of the gift {major(gift.fee)}"
    yield from movement_lines(found.movements, found.currency)
    for left in found.lost:
        yield f"  lost: {left.remaining:,} {left.unit} of {left.allowance}"
    for contract in found.contracts:
        yield f"  contract of {contract.identity} ({contract.status}) would hold:"
        for held in contract.subscriptions:
            until = f" until {moment(held.valid_to_ms)}" if held.valid_to_ms else ""
            yield f"    {held.offering}{until}"
    if found.notices:
        yield f"  would raise: {', '.join(found.notices)}"
    if found.contract_version:
        yield f"decided on version {found.contract_version} of the contract: send it as --expected-version"
