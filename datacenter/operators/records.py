"""Records of the directory one by one: pages of channels, partners, ranges and entries, each as its own change."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from heapq import nsmallest

from msgspec import Struct
from onetier.v1 import data_center_pb2 as pb

from charging.errors import Invalid
from directory.state import DirectoryState

LIMIT_MAX = 1_000
LIMIT = 100


class RecordKind(Struct, frozen=True):
    """How records of a kind are read."""

    keys: Iterable[str]
    record: Callable[[str], pb.DirectoryChange]
    """Makes the change that would make it what it is, by its key."""
    domain_of: Callable[[str], str] | None = None
    """Where a key leads; None = records of this kind lead nowhere."""


async def page(state: DirectoryState, request: pb.ListRecordsRequest) -> pb.ListRecordsResponse:
    """Give a page, as of one revision.

    Raises `Invalid` RECORD_KIND_UNKNOWN, PAGE_TOO_LONG, FIELD_WITHOUT_EFFECT.
    """
    if request.kind not in _KINDS:
        raise _wrong("RECORD_KIND_UNKNOWN", "kind", f"one of {', '.join(_KINDS)}")
    if request.limit > LIMIT_MAX:
        raise _wrong("PAGE_TOO_LONG", "limit", f"at most {LIMIT_MAX}")
    kind = _KINDS[request.kind](state)
    if request.domain and kind.domain_of is None:
        raise _wrong("FIELD_WITHOUT_EFFECT", "domain", f"empty for a {request.kind}, which leads to no domain")
    limit, revision = request.limit or LIMIT, state.revision
    # Entries are by the million, and the directory goes on: a copy of their keys is put into order by a thread.
    keys = await asyncio.to_thread(_first, list(kind.keys), request, kind.domain_of, limit + 1)
    more = len(keys) > limit
    return pb.ListRecordsResponse(
        records=[kind.record(key) for key in keys[:limit]],
        next_after=keys[limit - 1] if more else "",
        revision=revision,
    )


def _first(
    keys: list[str], request: pb.ListRecordsRequest, domain_of: Callable[[str], str] | None, count: int
) -> list[str]:
    after, domain = request.after, request.domain
    later = (key for key in keys if key > after)
    if domain and domain_of is not None:
        return nsmallest(count, (key for key in later if domain_of(key) == domain))
    return nsmallest(count, later)


def _wrong(reason: str, field: str, wanted: str) -> Invalid:
    return Invalid(reason, f"{field}: expected {wanted}", fields={field: wanted})


def _channels(state: DirectoryState) -> RecordKind:
    found = dict(state.channels)

    def record(code: str) -> pb.DirectoryChange:
        one = found[code]
        channel = pb.Channel(code=one.code, name=one.name, open=one.is_open, partners_only=one.partners_only)
        return pb.DirectoryChange(channel=channel)

    return RecordKind(found, record)


def _partners(state: DirectoryState) -> RecordKind:
    found = dict(state.partners)

    def record(code: str) -> pb.DirectoryChange:
        one = found[code]
        return pb.DirectoryChange(partner=pb.Partner(code=one.code, name=one.name, active=one.active))

    return RecordKind(found, record)


def _ranges(state: DirectoryState) -> RecordKind:
    plan = state.plan

    def record(prefix: str) -> pb.DirectoryChange:
        return pb.DirectoryChange(range=pb.NumberRange(prefix=prefix, domain=plan.domain_of(prefix)))

    return RecordKind(plan.ranges(), record, plan.domain_of)


def _entries(state: DirectoryState) -> RecordKind:
    def place(identity: str) -> tuple[str, int]:
        return state.entries.place(identity) or ("", 0)  # One that was taken away while the thread looked.

    def record(identity: str) -> pb.DirectoryChange:
        domain, slot = place(identity)
        return pb.DirectoryChange(
            entry=pb.DirectoryEntry(identity=identity, domain=domain, slot=slot, remove=not domain)
        )

    return RecordKind(state.entries, record, lambda identity: place(identity)[0])


_KINDS: Mapping[str, Callable[[DirectoryState], RecordKind]] = {
    "channel": _channels,
    "partner": _partners,
    "range": _ranges,
    "entry": _entries,
}
