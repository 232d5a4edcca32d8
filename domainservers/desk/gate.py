"""Who may send what into a slot: checked again here, whatever platform and data center let pass.

The data center stamps a batch with the authenticated role of whoever asked it. The tiers' own commands come from the
tier that makes them and from nobody else; what an owner gives itself never comes over the wire. A caller's command
comes from a platform, and its principal must have a grant for it in the directory as this owner knows it.
"""

from collections.abc import Sequence

from business.kinds import KINDS
from business.vouchers.kind import OWNERS
from charging.base.house_keys import PREFIX
from charging.base.subject import Instruction, kind_of
from charging.errors import Denied, Invalid, NotFound
from charging.ledger.action import DATA_CENTER, DOMAIN_SERVER, PLATFORM
from charging.ledger.command import Command
from charging.ledger.commands.close_period import ClosePeriod
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.refund import Refund
from charging.ledger.permission import NO_LIMIT, Permission, Policy, amount_denied, names_another
from charging.wire import Ask, CloseAccounts, Commit, FetchOutcomes, Instruct, Locate, Pull
from domainservers.base.surroundings import Surroundings
from domainservers.desk.answers import pack_fault
from domainservers.desk.closings import items_of
from domainservers.desk.item import Item, item_of
from domainservers.journal.groups import ReplySink
from runtime.telemetry import Metrics

LOCAL = "local"
"""Of everybody, where there is no TLS."""


def let_in(
    sink: ReplySink, asks: Sequence[tuple[int, Ask]], origin: str, around: Surroundings, metrics: Metrics
) -> tuple[list[Item | tuple[int, Ask]], list[Item], list[Item]]:
    """Make items of commits that name their account, and answer what its sender may not ask.

    Gives all that was let in, in order, and the items of it once more, but for those that can wait, which come last.
    Without an origin the asks are this process's own, and nothing is checked.
    """
    work: list[Item | tuple[int, Ask]] = []
    items: list[Item] = []
    patient: list[Item] = []
    charging: set[tuple[str, str, str]] = set()
    """Who was found to be allowed to charge whatever amount in this batch: most of it is alike."""
    for place, ask in asks:
        permission = None
        if origin:
            try:
                if type(ask) is Instruct:
                    check_instruction(ask.instruction, origin, around.policy, around.domain)
                elif type(ask) is CloseAccounts:
                    permission = check_closings(ask, origin, around.policy, around.domain)
                elif type(ask) is not Commit:
                    check_read(ask, origin)
                elif not _charges(ask.command, charging):
                    permission = check_commit(ask, origin, around.policy, around.domain)
                    _remember(ask.command, permission, charging)
            except (Denied, Invalid, NotFound) as fault:
                metrics.event("denied")
                sink.answer(place, pack_fault(fault))
                continue
        if type(ask) is Commit and (ask.command.account_id or type(ask.command.action) is OpenAccount):
            # Most are charges, which are plain items.
            if type(ask.command.action) is PostCharge:
                item = Item(sink, place, ask.identity, ask.command, permission=permission)
            else:
                item = item_of(sink, place, ask.identity, ask.command, permission=permission)
                if ask.command.action.patient:
                    patient.append(item)
                    continue
            items.append(item)
            work.append(item)
        elif type(ask) is CloseAccounts:
            patient += items_of(sink, place, ask, permission)
        else:
            work.append((place, ask))
    return work, items, patient


def _charges(command: Command, charging: set[tuple[str, str, str]]) -> bool:
    return (
        type(command.action) is PostCharge
        and not command.actor
        and command.key[:1] != PREFIX
        and (command.principal, command.channel, command.partner) in charging
    )


def _remember(command: Command, permission: Permission | None, charging: set[tuple[str, str, str]]) -> None:
    boundless = permission is not None and permission.amount_max == NO_LIMIT
    if boundless and type(command.action) is PostCharge and not command.actor:
        charging.add((command.principal, command.channel, command.partner))


def check_read(ask: Ask, origin: str) -> None:
    """Let a read in. Raises `Denied` ORIGIN_NOT_ALLOWED."""
    inner = isinstance(ask, FetchOutcomes) or (isinstance(ask, Pull) and ask.moved)
    allowed = (DATA_CENTER, LOCAL) if inner else (PLATFORM, DATA_CENTER, LOCAL)
    if isinstance(ask, Locate):
        allowed = (DOMAIN_SERVER, LOCAL)
    if origin not in allowed:
        raise _denied(type(ask).__name__, origin)


def check_instruction(asked: Instruction, origin: str, policy: Policy, domain: str) -> None:
    """Let an instruction to a subject in, whose principal must have a grant for what it asks.

    Raises `Denied` ORIGIN_NOT_ALLOWED, AMOUNT_NOT_GRANTED, `NotFound` SUBJECT_UNKNOWN, what `SubjectKind.doing` and
    `Policy.permit` raise.
    """
    kind = KINDS.get(kind_of(asked.subject_id))
    if kind is None:
        raise NotFound("SUBJECT_UNKNOWN", f"{asked.subject_id[:64]!r} names no subject of a kind that is known here")
    if asked.key.startswith(PREFIX):
        if origin not in (DOMAIN_SERVER, LOCAL) or kind.doing(asked.action) not in OWNERS:
            raise _denied(f"an instruction to {asked.subject_id[:64]} under a key of the tiers", origin)
        return
    if origin not in (PLATFORM, LOCAL) or kind.doing(asked.action) in OWNERS:
        raise _denied(f"an instruction to {asked.subject_id[:64]}", origin)
    another, doing = names_another(asked.principal, asked.actor), kind.doing(asked.action)
    permission = policy.permit(asked.principal, doing, asked.channel, "", domain, another)
    amount, alone = kind.stake(asked.action)
    if not permission.allows(amount) or (alone and not permission.alone(amount)):
        raise amount_denied(asked.principal, doing, permission.alone_max if alone else permission.amount_max)


def check_commit(ask: Commit, origin: str, policy: Policy, domain: str) -> Permission | None:
    """Let a commit in, and give what its principal may do by it; None for the tiers' own commands.

    Raises `Denied` ORIGIN_NOT_ALLOWED, AMOUNT_NOT_GRANTED, and what `Policy.permit` raises.
    """
    command = ask.command
    action = command.action
    kind = type(action)
    sender = kind.traits.sender
    if not sender or origin not in (sender, LOCAL):
        raise _denied(kind.__name__, origin)
    if sender != PLATFORM:
        return None
    if command.key.startswith(PREFIX):
        raise _denied(f"{kind.__name__} under a key of the tiers", origin)
    if isinstance(action, Refund) and action.original is not None:
        raise _denied("what a charge took, which the journal says,", origin)
    if isinstance(action, ClosePeriod):
        _check_close(action, origin)
    permission = permission_of(command, policy, domain)
    if kind is PostCharge and not permission.allows(action.at_stake()):
        raise amount_denied(command.principal, action.permission(), permission.amount_max)
    return permission


def check_closings(ask: CloseAccounts, origin: str, policy: Policy, domain: str) -> Permission:
    """Let a page of closings in: all of them are one principal's. Raises as `check_commit`."""
    if origin not in (ClosePeriod.traits.sender, LOCAL):
        raise _denied("closing accounts", origin)
    for close in ask.closes:
        _check_close(close.action, origin)
    return permission_of(ask.command(ask.closes[0]), policy, domain)


def _check_close(action: ClosePeriod, origin: str) -> None:
    if action.number:
        raise _denied("the number of a bill, which its owner gives,", origin)


def permission_of(command: Command, policy: Policy, domain: str) -> Permission:
    """Give what the principal of a command may do by it. Raises what `Policy.permit` raises."""
    principal = command.principal
    return policy.permit(
        principal,
        command.action.permission(),
        command.channel,
        command.partner,
        domain,
        names_another(principal, command.actor),
    )


def _denied(what: str, origin: str) -> Denied:
    return Denied("ORIGIN_NOT_ALLOWED", f"{what} does not come from {origin or 'a caller that is not named'}")
