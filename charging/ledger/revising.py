"""Changes of what a contract subscribes to: what each makes of the contract that it was decided on, and how it is told.

The platform decides such a change on the contract as it knows it, since the catalogue is there; it sends that contract
along. The owner holds it against its own before it decides (`domainservers.desk.checking`): another one is rated again.
"""

from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.bounds import MOMENT_MS_MAX
from charging.base.contract import Contract, Subscription
from charging.base.fields import NEXT_CYCLE
from charging.base.fieldtypes import check_validity, refusal
from charging.errors import Broken, Refused
from charging.ledger import dues
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.events import ARROW, ContractSet, Noticed
from charging.ledger.standing import require_open
from charging.ledger.within import check_contract

PAST_MS_MAX = 60_000
"""How long ago a change may begin: clocks differ, and requests are under way."""
TOLD_CHARS_MAX = 1_000
"""Of a history line; what is beyond is in the contract itself."""


class Late(Struct, frozen=True, array_like=True, gc=False):
    """Marks a change that holds from a moment in the past, as whoever is granted `CHANGE_PAST` may ask for."""

    closed: int
    """Newest billing period that was closed when the platform decided it, months since the year 0; 0 = none."""


CHANGE_PAST = "change_past"
"""Name by which a change that holds from the past is granted."""
USAGE_NOT_RERATED = "usage_not_rerated"
"""Begins the notice of such a change, with its moment: what was used since stays as it was charged."""


class Revision(Protocol):
    """A change of one member's contract."""

    @property
    def expected_version(self) -> int:
        """Version that its caller decided on; 0 = whatever it is."""

    @property
    def before(self) -> Contract | None:
        """The contract that the platform decided on."""


def check_basis(revision: Revision, known: Contract | None) -> None:
    """Hold a change against the contract that its owner has.

    Raises `Refused` CONTRACT_CHANGED when its caller decided on another one, `VersionMoved` when only the platform did.
    """
    version = known.version if known is not None else 0
    if revision.expected_version not in (0, version):
        text = f"the contract is not the one of version {revision.expected_version} any more; read it and decide anew"
        raise Refused("CONTRACT_CHANGED", text, facts={"version": str(version)})
    if revision.before != known:
        raise VersionMoved


def check_moment(when: str, at_ms: int, path: str) -> None:
    """Refuse a moment beside the next cycle. Raises `Invalid` FIELD_WITHOUT_EFFECT."""
    if at_ms and when == NEXT_CYCLE:
        raise refusal("FIELD_WITHOUT_EFFECT", path, "0 beside next_cycle")


def required(account: Account, before: Contract | None) -> Contract:
    """Give the contract that a change rests on. Raises `Refused` for an account or a membership that is over."""
    require_open(account)
    if before is None:
        raise Broken("COMMAND_FAILED", "a change of a contract came without the contract")
    if before.account_id != account.account_id or before.identity not in account.members:
        raise Refused("MEMBER_UNKNOWN", "the account has no such member any more")
    return before


def granted_by(usual: str, late: Late | None) -> str:
    """Give the name by which a change is granted: one that holds from the past has a name of its own."""
    return usual if late is None else CHANGE_PAST


def as_of(late: Late | None, at_ms: int, now_ms: int) -> int:
    """Give the moment by which a change is judged: its own, where it holds from the past."""
    return now_ms if late is None else min(at_ms, now_ms)


def required_late(
    account: Account, before: Contract, late: Late | None, offerings: tuple[str, ...], at_ms: int, now_ms: int
) -> int:
    """Give the moment in the past from which a change holds; 0 = it does not hold from the past.

    `offerings` are those that it is about, none = all that the contract holds. Of pauses of the whole contract only
    the newest one is known. Raises `Refused` CHANGE_OVERTAKEN if what it changes was changed since, or may have been;
    `VersionMoved` if a period was closed since the platform decided it.
    """
    if late is None:
        return 0
    if late.closed != account.terms.closed:
        raise VersionMoved
    about = [each for each in before.subscriptions if not offerings or each.offering in offerings]
    pauses = (before.paused_from_ms, before.paused_to_ms if before.paused_to_ms <= now_ms else 0)
    since = [each.valid_from_ms for each in about if at_ms < each.valid_from_ms <= now_ms]
    since += [border for border in pauses if border > at_ms]
    if since:
        text = f"what is to change from {moment(at_ms)} on was changed at {moment(min(since))}: take that back first"
        raise Refused("CHANGE_OVERTAKEN", text, facts={"changed_ms": str(min(since))})
    return min(at_ms, now_ms)


def revised(
    account: Account,
    after: Contract,
    words: str,
    brings: Dues = NOTHING_DUE,
    now_ms: int = 0,
    late_ms: int = 0,
    begun: tuple[tuple[str, str, int], ...] = (),
) -> Effect:
    """Make the effect of a change and of the fees that it brings, by books that are valid at `now_ms`: all or nothing.

    `late_ms` is the moment in the past from which it holds; 0 = it does not. `begun` is what is remembered of a
    contract that is over.

    Raises `Invalid` CONTRACT_TOO_LARGE, and as `charging.ledger.dues.posted`.
    """
    check_contract(after)
    events = dues.posted(account, brings, now_ms)
    changed = ContractSet(replace(after, version=account.version + 1), words[:TOLD_CHARS_MAX], begun=begun)
    told = (Noticed((f"{USAGE_NOT_RERATED}:{moment(late_ms)}",)),) if late_ms else ()
    return Effect((changed, *events, *told), dues.net(events))


def require_no_session(account: Account, identity: str) -> None:
    """Refuse SESSIONS_OPEN what a member can't have done to it while it uses something."""
    running = [session for session in account.open.sessions if session.identity == identity]
    if running:
        raise Refused("SESSIONS_OPEN", "release the open sessions first", facts={"open": str(len(running))})


def over(before: Contract, now_ms: int, rests_until_ms: int, kept_for: str = "") -> Contract:
    """Give the contract of an identity that is let go: with nothing in it, and resting for a while.

    Nobody but the account that it was of, or the one that it is kept for, has it before `rests_until_ms`; 0 = anybody.
    """
    ended = Contract(before.identity, before.account_id, before.domain, before.valid_from_ms, now_ms, "ended")
    return replace(ended, rests_until_ms=rests_until_ms, kept_for=kept_for)


def started(contract: Contract, added: Subscription, now_ms: int, path: str) -> Contract:
    """Give a contract with one subscription more.

    Raises `Refused` CHANGE_IN_PAST, SUBSCRIBED_ALREADY; `Invalid` VALIDITY_OVER when it would end before it begins.
    """
    require_ahead(added.valid_from_ms, now_ms)
    check_validity(added.valid_from_ms, added.valid_to_ms, path)
    for held in contract.subscriptions:
        if held.offering == added.offering and (held.paused or _overlap(held, added)):
            raise Refused(
                "SUBSCRIBED_ALREADY",
                f"the contract holds {added.offering!r} already, {_span(held)}",
                facts={"valid_from_ms": str(held.valid_from_ms), "valid_to_ms": str(held.valid_to_ms)},
            )
    return replace(contract, subscriptions=(*contract.subscriptions, added))


def ended(contract: Contract, offering: str, at_ms: int, now_ms: int) -> Contract:
    """Give a contract in which an offering holds no more from a moment on; what would begin later goes wholly.

    Raises `Refused` CHANGE_IN_PAST, NOT_SUBSCRIBED.
    """
    require_ahead(at_ms, now_ms)
    kept: list[Subscription] = []
    found = False
    for held in contract.subscriptions:
        if held.offering == offering and held.paused:
            found = True
            if held.valid_from_ms < at_ms:
                kept.append(replace(held, valid_to_ms=min(held.valid_to_ms, at_ms), paused=False, paused_end_ms=0))
            continue
        if held.offering != offering or 0 < held.valid_to_ms <= at_ms:
            kept.append(held)
            continue
        found = True
        if held.valid_from_ms < at_ms:
            kept.append(replace(held, valid_to_ms=at_ms))
    if not found:
        raise _not_subscribed(offering, at_ms)
    return replace(contract, subscriptions=tuple(kept))


def paused(contract: Contract, offering: str, from_ms: int, to_ms: int, now_ms: int) -> Contract:
    """Give a contract that serves no more from a moment on, or one offering of it; `to_ms` 0 = until it is resumed.

    Raises `Refused` CHANGE_IN_PAST, PAUSED_ALREADY, NOT_SUBSCRIBED; `Invalid` VALIDITY_OVER.
    """
    require_ahead(from_ms, now_ms)
    check_validity(from_ms, to_ms, "pause", "from_ms", "to_ms")
    if not offering:
        if contract.paused_from_ms and (contract.paused_to_ms == 0 or from_ms < contract.paused_to_ms):
            raise _paused_already(contract.identity)
        return replace(contract, paused_from_ms=from_ms, paused_to_ms=to_ms)
    rows: list[Subscription] = []
    found = False
    for held in contract.subscriptions:
        if held.offering == offering and held.paused:
            raise _paused_already(offering)
        if held.offering != offering or not held.valid_at(from_ms):
            rows.append(held)
            continue
        found = True
        if held.valid_from_ms < from_ms:
            rows.append(replace(held, valid_to_ms=from_ms, paused=to_ms == 0, paused_end_ms=held.valid_to_ms))
        else:
            rows.append(replace(held, valid_to_ms=from_ms + 1, paused=to_ms == 0, paused_end_ms=held.valid_to_ms))
        if to_ms > 0 and not 0 < held.valid_to_ms <= to_ms:
            rows.append(replace(held, valid_from_ms=to_ms, since_ms=held.began_ms))
    if not found:
        raise _not_subscribed(offering, from_ms)
    return replace(contract, subscriptions=tuple(rows))


def resumed(contract: Contract, offering: str, at_ms: int, now_ms: int) -> Contract:
    """Give a contract that serves again from a moment on, or one offering of it; a pause that is ahead is taken back.

    Raises `Refused` CHANGE_IN_PAST, NOT_PAUSED.
    """
    require_ahead(at_ms, now_ms)
    if not offering:
        if not contract.paused_from_ms or 0 < contract.paused_to_ms <= now_ms:
            raise _not_paused(contract.identity)
        if at_ms <= contract.paused_from_ms:
            return replace(contract, paused_from_ms=0, paused_to_ms=0)
        return replace(contract, paused_to_ms=at_ms)
    rows: list[Subscription] = []
    found = False
    for held in contract.subscriptions:
        if held.offering != offering or not held.paused:
            rows.append(held)
            continue
        found = True
        rows.append(replace(held, paused=False, paused_end_ms=0))
        if not 0 < held.paused_end_ms <= at_ms:
            begins_ms = max(at_ms, held.valid_to_ms)
            again = replace(held, valid_from_ms=begins_ms, valid_to_ms=held.paused_end_ms, since_ms=held.began_ms)
            rows.append(replace(again, paused=False, paused_end_ms=0))
    if not found:
        raise _not_paused(offering)
    return replace(contract, subscriptions=tuple(rows))


def told(before: Contract, after: Contract, now_ms: int) -> str:
    """Tell what a contract subscribed to, now and later, and what it does after a change."""
    return f"contract of {after.identity}: {_named(before, now_ms)}{ARROW}{_named(after, now_ms)}"


def moment(time_ms: int) -> str:
    """Write a moment for people, UTC: owners know no zones."""
    return datetime.fromtimestamp(min(time_ms, MOMENT_MS_MAX) // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def member_of(before: Contract | None) -> tuple[str, ...]:
    """Give the identity whose contract is changed, for `identities_written`."""
    return (before.identity,) if before is not None else ()


def require_ahead(at_ms: int, now_ms: int) -> None:
    """Refuse CHANGE_IN_PAST what would have held before it was asked for."""
    if at_ms < now_ms - PAST_MS_MAX:
        text = f"a change from {moment(at_ms)} on would have held before it was asked for"
        raise Refused("CHANGE_IN_PAST", text, facts={"now_ms": str(now_ms)})


def _not_subscribed(offering: str, at_ms: int) -> Refused:
    return Refused("NOT_SUBSCRIBED", f"the contract does not hold {offering!r} at {moment(at_ms)}, or after")


def _paused_already(what: str) -> Refused:
    return Refused("PAUSED_ALREADY", f"{what} is paused already: resume it first")


def _not_paused(what: str) -> Refused:
    return Refused("NOT_PAUSED", f"{what} is not paused")


def _overlap(one: Subscription, other: Subscription) -> bool:
    before = 0 < one.valid_to_ms <= other.valid_from_ms
    after = 0 < other.valid_to_ms <= one.valid_from_ms
    return not before and not after


def _named(contract: Contract, now_ms: int) -> str:
    left = [held for held in contract.subscriptions if held.paused or not 0 < held.valid_to_ms < now_ms]
    names = ", ".join(f"{held.offering} ({_span(held)})" for held in left) or "nothing"
    if not contract.paused_from_ms or 0 < contract.paused_to_ms < now_ms:
        return names
    until = f" until {moment(contract.paused_to_ms)}" if contract.paused_to_ms else ""
    return f"{names}, paused from {moment(contract.paused_from_ms)}{until}"


def _span(held: Subscription) -> str:
    begins = f"from {moment(held.valid_from_ms)}" if held.valid_from_ms else "from the beginning"
    ends = "paused" if held.paused else "until"
    return f"{begins} {ends} {moment(held.valid_to_ms)}" if held.valid_to_ms else begins
