"""The history of an account from its journal entries: lines for people, and what a repeated key is answered."""

import re
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.subject import PackedSubject
from charging.base.usage import unpack_steps
from charging.ledger.answering import WAITING
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.post_charge import Charged
from charging.ledger.commands.post_usage import PostUsage, UseOutcomes, read_outcomes
from charging.ledger.commands.remember import REMEMBERED
from charging.ledger.entry import Entry
from charging.ledger.kinds import TAGS
from charging.ledger.outcome import ChargeTold, Done, Failed, HistoryLine, SessionOutcome, unpack_outcome

_read_session = msgspec.msgpack.Decoder(SessionOutcome).decode
_read_subject = msgspec.msgpack.Decoder(PackedSubject).decode
_READ_DETAIL: Mapping[str, Callable[[bytes], object]] = {
    TAGS[MoveOut]: msgspec.msgpack.Decoder(Account).decode,
    TAGS[PostUsage]: read_outcomes,
}
"""What an outcome says beside movements, by the kind of its entry; of all others, a session's step."""
_NUMBER = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.-]*-[0-9]+")
"""Of a bill, as the close of its period tells it: a series, and a count."""


def outcome(entry: Entry) -> Done | Failed:
    """Unpack what a repeat of the entry's key is answered."""
    return unpack_outcome(entry.outcome)


def retold(entry: Entry, domain: str, currency: str) -> Done | Failed:
    """Give the stored outcome of an entry, marked as told again; of a charge with all that its first reply said.

    `domain` is where the account is; `currency` the account's, for a charge whose entry stayed where it came from.
    """
    stored = outcome(entry)
    if isinstance(stored, Failed):
        return replace(stored, repeated=True)
    told: ChargeTold | None = None
    for event in entry.events:
        if isinstance(event, Charged) and stored.detail is None:
            charge = event.charge
            told = ChargeTold(charge.currency, domain, charge.catalogue, (charge.steps,))
    if told is None and entry.charged is not None and entry.charged.paid is None and stored.detail is None:
        told = ChargeTold(currency, domain)
    return replace(stored, repeated=True, told=told)


def read_told(entry: Entry) -> None:
    """Read all of an entry that stays packed in it: outcome, its detail, explanations.

    Raises `msgspec.MsgspecError` or `ValueError` for what can't be read.
    """
    answer = outcome(entry)
    if isinstance(answer, Done) and answer.detail is not None:
        if entry.facts:
            _read_subject(answer.detail)
            return
        if any(event.numbers() for event in entry.events):
            answer.detail.decode()  # The number of a bill.
            return
        if entry.kind == REMEMBERED:
            read_detail(answer.detail)
            return
        _READ_DETAIL.get(entry.kind, _read_session)(answer.detail)
    for event in entry.events:
        for _, charge in event.charges():
            unpack_steps(charge.steps)


def read_detail(detail: bytes) -> SessionOutcome | UseOutcomes | None:
    """Read what an outcome says beside movements where the kind of its entry is not known; of a bill's number nothing.

    Each looks different: a list that begins with a text, one that begins with a list, a text. Raises
    `msgspec.MsgspecError`.
    """
    if _NUMBER.fullmatch(detail):
        return None
    try:
        return read_outcomes(detail)
    except msgspec.MsgspecError:
        return _read_session(detail)


def line(entry: Entry) -> HistoryLine:
    """Tell one journal entry: what moved, before and after, by whom and why. A refusal tells its reason.

    An outcome that can't be read is told as such, not as an error: it must not hide the entries before it.
    """
    answer: Done | Failed
    try:
        answer = outcome(entry)
    except (msgspec.MsgspecError, ValueError):
        answer = Failed("broken", "OUTCOME_UNREADABLE", "")
    charged = [pair for event in entry.events for pair in event.charges()]
    reason = _reason(entry)
    if isinstance(answer, Failed):
        reason = f"{answer.reason}: {reason}" if entry.kind in WAITING else answer.reason
    done = answer if isinstance(answer, Done) else None
    return HistoryLine(
        entry.key,
        entry.kind,
        entry.time_ms,
        entry.identity,
        "+".join(usage.service for usage, _ in charged if usage.service),
        sum(usage.quantity for usage, _ in charged),
        done.amount if done is not None else 0,
        entry.actor,
        entry.channel,
        reason,
        done.movements if done is not None else (),
        tuple(charge.steps for _, charge in charged),
        entry.version,
        done.notices if done is not None else (),
        entry.principal,
        charged[0][0].start_ms if charged else 0,
        charged[0][0].other_party if charged else "",
        charged[0][0].visited if charged else "",
        tuple(change for event in entry.events for change in event.changes()),
        tuple(settled for event in entry.events for settled in event.settles()),
    )


def _reason(entry: Entry) -> str:
    """Give the words of the last event that leads, also when they are none, else the first words that any has."""
    leading = [event for event in entry.events if event.leads]
    if leading:
        return leading[-1].words()
    return next((words for event in entry.events if (words := event.words())), "")
