"""From entries of a journal to events of the feed: made once, for all watchers."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct
from onetier.v1 import watch_pb2 as pb

from business.kinds import KINDS as SUBJECT_KINDS
from business.subjects import tell
from charging.base.unit_key import NONE, numbers_of
from charging.catalogue.published import CatalogueRef
from charging.ledger.commands.approve import Decided
from charging.ledger.commands.expire_session import ExpireSession
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.move_out import MovedOut
from charging.ledger.commands.open_account import Opened
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.propose import Proposed
from charging.ledger.commands.receive_transfer import TransferReceived
from charging.ledger.commands.refund import Refunded
from charging.ledger.commands.set_credit_limit import CreditSet
from charging.ledger.commands.set_payment_mode import ModeSet
from charging.ledger.commands.set_profile import ProfileSet
from charging.ledger.commands.set_spending_limit import LimitSet
from charging.ledger.commands.set_threshold import ThresholdSet
from charging.ledger.commands.settle_transfer import TransferSettled
from charging.ledger.dues import FeePosted
from charging.ledger.entry import Entry
from charging.ledger.event import BaseEvent
from charging.ledger.events import (
    BookDropped,
    Booked,
    BookSet,
    ContractSet,
    Noticed,
    ReauthAsked,
    SessionStepped,
    StatusSet,
)
from charging.ledger.kinds import TAGS
from charging.ledger.outcome import HistoryLine
from charging.ledger.rewards import BonusGiven, BonusTakenBack
from charging.ledger.sending import TransferSent
from charging.ledger.staging import MoneyReplayed, MoneyStaged
from charging.ledger.usescharged import UsesCharged
from domainservers.journal.groups import DEFECTS, unpack_group
from storage.unit import Group

EXPIRE = TAGS[ExpireSession]
CHANGED, REFUSED, SUBJECT, UNREADABLE = "changed", "refused", "subject_changed", "unreadable"
REAUTHORISE, TARIFFS_CHANGED = "reauthorise", "tariffs_changed"
TARIFFS = "~tariffs"
"""Stands in positions and cursors for the publications of the directory, as a slot does for its journal."""
_PLAIN: dict[type[BaseEvent], str] = {
    Charged: "charged",
    UsesCharged: "charged",
    FeePosted: "charged",
    Refunded: "refunded",
    Opened: "opened",
    ModeSet: "terms_changed",
    CreditSet: "terms_changed",
    ThresholdSet: "terms_changed",
    ProfileSet: "terms_changed",
    LimitSet: "terms_changed",
    BonusGiven: "bonus",
    BonusTakenBack: "bonus_taken_back",
    TransferSent: "transferred",
    TransferReceived: "transferred",
    TransferSettled: "transferred",
    MovedOut: "ported",
    MovedIn: "ported",
    MoneyStaged: "staged",
    Proposed: "approval",
    Decided: "approval",
}
"""Events that are one kind, whatever they say; one that is nowhere here is "changed"."""
_BOOKED = {"adjust": "adjusted", "lapse": "lapsed", "move": "books_moved"}
"""By `Booked.kind`; all others are money that came in."""
_STATUS = {"active": "resumed", "suspended": "suspended", "closed": "closed"}
_NOTICES = {
    "low-balance": "low_balance",
    "usage": "threshold",
    "spending": "spending",
    "spending-reached": "spending_reached",
    "bonus": "bonus",
    "bonus-lost": "bonus_lost",
}
_NOTICED = frozenset({"suspended", "resumed", "shortfall", "staged"})
FACT_KINDS = frozenset(
    {
        *_PLAIN.values(), *_BOOKED.values(), *_STATUS.values(), *_NOTICES.values(), *_NOTICED, "paid", "book_changed",
        "contract_changed", "session_stepped", "session_ended", "session_expired",
        CHANGED, REFUSED, SUBJECT, UNREADABLE, REAUTHORISE, TARIFFS_CHANGED,
    }
)  # fmt: skip
"""All that a watcher may ask for."""

Fact = tuple[str, str]
"""Kind and name, see `AccountFact`."""


class FeedEvent(Struct, frozen=True):
    """One event, ready to be sent."""

    index: int
    """Place in its group."""
    account_id: str
    kinds: frozenset[str]
    message: pb.AccountEvent
    octets: int


class FeedGroup(Struct, frozen=True):
    """The events of one group of a journal, in order."""

    seq: int
    events: tuple[FeedEvent, ...]
    octets: int


def feed_group(slot: str, group: Group) -> FeedGroup:
    """Make the events of a group. What can't be read is an event too."""
    region = slot.rpartition("/")[0]
    try:
        entries, aside = unpack_group(group.payload)
    except DEFECTS as error:
        lost = [unreadable(slot, group.seq, 0, "", f"the group can't be read: {error}")]
        return FeedGroup(group.seq, tuple(lost), lost[0].octets)
    events = [_event(slot, region, group.seq, index, entry) for index, entry in entries]
    events += [unreadable(slot, group.seq, bad.index, bad.account_id, bad.why) for bad in aside]
    events.sort(key=lambda event: event.index)
    return FeedGroup(group.seq, tuple(events), sum(event.octets for event in events))


def unreadable(slot: str, seq: int, index: int, account_id: str, why: str) -> FeedEvent:
    """Tell that something happened that can't be read."""
    message = pb.AccountEvent(
        position=f"{slot}/{seq}/{index}", region=slot.rpartition("/")[0], account_id=account_id, text=why[:300]
    )
    message.facts.add(kind=UNREADABLE)
    return FeedEvent(index, account_id, frozenset((UNREADABLE,)), message, message.ByteSize())


def _event(slot: str, region: str, seq: int, index: int, entry: Entry) -> FeedEvent:
    try:
        told = tell(entry, SUBJECT_KINDS)
    except (*DEFECTS, msgspec.MsgspecError) as error:
        return unreadable(slot, seq, index, entry.account_id, str(error))
    message = pb.AccountEvent(
        position=f"{slot}/{seq}/{index}",
        region=region,
        account_id=entry.account_id,
        version=entry.version,
        time_ms=entry.time_ms,
        request_key=entry.key,
        command=entry.kind,
        amount=told.amount,
        text=told.notices[0] if entry.facts and told.notices else told.reason,
        identity=entry.identity,
        actor=entry.actor,
        principal=entry.principal,
        channel=entry.channel,
    )
    facts = dict.fromkeys(_facts(entry, told))
    for kind, name in facts:
        message.facts.add(kind=kind, name=name)
    _fill_reauthorised(message, entry)
    for moved in told.movements:
        message.movements.add(book_id=moved.book_id, unit=moved.unit, before=moved.before, after=moved.after)
    return FeedEvent(index, entry.account_id, frozenset(kind for kind, _ in facts), message, message.ByteSize())


def _fill_reauthorised(message: pb.AccountEvent, entry: Entry) -> None:
    """Say of each session that the network is to ask for anew whose it is, and which of its units."""
    affected = {
        each.session_id: each for event in entry.events if isinstance(event, ReauthAsked) for each in event.sessions
    }
    for fact in message.facts if affected else ():
        if fact.kind == REAUTHORISE:
            fact.identity = affected[fact.name].identity
            for service, numbers in affected[fact.name].units:
                unit = fact.units.add(service_code=service)
                group, identifier = numbers_of(numbers)
                if group != NONE:
                    unit.rating_group = group
                if identifier != NONE:
                    unit.service_identifier = identifier


def tariffs_changed(place: int, ref: CatalogueRef) -> FeedEvent:
    """Tell that a catalogue was published: once for all accounts, since it touches none."""
    message = pb.AccountEvent(
        position=f"{TARIFFS}/{place}/0", region=ref.domain, effective_from_ms=ref.effective_from_ms
    )
    message.facts.add(kind=TARIFFS_CHANGED, name=str(ref.version))
    return FeedEvent(0, "", frozenset((TARIFFS_CHANGED,)), message, message.ByteSize())


def _facts(entry: Entry, told: HistoryLine) -> Iterator[Fact]:
    if entry.facts:
        yield SUBJECT, ""
    elif not entry.events:
        yield REFUSED, told.reason
    for event in entry.events:
        yield from _facts_of(event, expired=entry.kind == EXPIRE)


def _facts_of(event: BaseEvent, *, expired: bool) -> Iterator[Fact]:
    kind = _PLAIN.get(type(event))
    if kind is not None:
        yield kind, ""
    elif isinstance(event, Noticed):
        yield from map(_notice, event.notices)
    elif isinstance(event, Booked):
        yield _BOOKED.get(event.kind, "paid"), "" if event.kind in _BOOKED else event.kind
    elif isinstance(event, MoneyReplayed) and event.row.amount:
        yield "paid", event.row.kind
    elif isinstance(event, StatusSet):
        yield _STATUS.get(event.status, CHANGED), event.reason
    elif isinstance(event, SessionStepped):
        yield from _session(event, expired=expired)
    elif isinstance(event, ContractSet):
        yield "contract_changed", event.contract.identity
    elif isinstance(event, ReauthAsked):
        for affected in event.sessions:
            yield REAUTHORISE, affected.session_id
    elif isinstance(event, BookSet):
        yield "book_changed", event.book.book_id
    elif isinstance(event, BookDropped):
        yield "book_changed", event.book_id
    else:
        yield CHANGED, type(event).__name__


def _session(event: SessionStepped, *, expired: bool) -> Iterator[Fact]:
    if any(posting.amount or posting.units for posting in event.postings):
        yield "charged", ""
    kind = "session_stepped"
    if event.ended:
        kind = "session_expired" if expired else "session_ended"
    yield kind, event.session.session_id


def _notice(notice: str) -> Fact:
    word, _, name = notice.partition(":")
    if word in _NOTICES:
        return _NOTICES[word], name
    return (word, name) if word in _NOTICED else (CHANGED, notice)
