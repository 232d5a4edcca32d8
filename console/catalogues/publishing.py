"""`onetier catalog publish`: what is new of a folder, what to know before it is published for good, how long to wait.

The data center checks all again beside what is published, so it takes about as long as the check here did, or some
times as long where more versions are published: the time it is given grows with that.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b

import grpc
from msgspec import Struct
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc

from charging.errors import Expired, Invalid
from console.catalogues.published import Label
from runtime.channel import MESSAGE_BYTES_MAX

READ_TIMEOUT_S = 30.0
TIMEOUT_S_MIN = 60.0
TIMEOUT_OF_CHECK = 8.0
"""How many times as long as our own check the data center may take for its own."""
REQUEST_BYTES_MAX = MESSAGE_BYTES_MAX - 100_000


class Published(Struct):
    """What became of a folder."""

    revision: int
    new: list[Label]
    before: list[Label]
    """Published before, with the same content."""


def timeout_s(check_s: float, asked_s: float) -> float:
    """Give how long the data center may take: as asked, else by what the check here took."""
    return asked_s or max(TIMEOUT_S_MIN, check_s * TIMEOUT_OF_CHECK)


def words(new: Sequence[Label], published: Iterable[Label], now_ms: int) -> list[str]:
    """Say what may surprise of versions that are to be published beside those that are, a sentence each."""
    told = []
    known = list(published)
    for label in new:
        others = [one for one in known if one.domain == label.domain]
        if others and (highest := max(others, key=lambda one: one.version)).version > label.version:
            told.append(
                f"{label}: numbers go back, {highest} is published: a correction is the next version, "
                f"{highest.version + 1}"
            )
        if others and label.effective_from_ms <= now_ms:
            later = sorted(one for one in others if one > label)
            until = f"until {later[0]} begins, {moment(later[0].effective_from_ms)}" if later else "from then on"
            told.append(
                f"{label}: it is retroactive: events since {moment(label.effective_from_ms)}, {until}, are rated by it "
                "when they arrive after now; what was charged before stays as it is"
            )
    return told


def moment(time_ms: int) -> str:
    """Write a moment for people, UTC."""
    if not time_ms:
        return "ever"
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def label_of(change: dc.DirectoryChange) -> Label:
    """Give the label of a version that is to be published."""
    version = change.catalogue
    return Label(version.effective_from_ms, version.version, version.domain)


async def publish(
    stub: dc_grpc.DirectoryServiceStub,
    changes: Sequence[dc.DirectoryChange],
    actor: str,
    seconds: float,
    tell: Callable[[str], None],
) -> Published:
    """Publish what is new of checked catalogues; `tell` is given a line for each thing to know meanwhile.

    `seconds` is how long an answer is waited for. The key is made of the content, so the same folder again is published
    once. Raises what `amend` raises.
    """
    published = await published_labels(stub)
    new = await new_of(stub, changes, published)
    labels = [label_of(change) for change in new]
    before = [label for label in map(label_of, changes) if label not in labels]
    if not new:
        return Published(0, [], before)
    for word in words(labels, published, int(time.time() * 1000)):
        tell(word)
    digest = blake2b(b"".join(change.SerializeToString(deterministic=True) for change in new), digest_size=16)
    request = dc.AmendRequest(changes=new, request_key=f"publish-{digest.hexdigest()}", actor=actor)
    size = request.ByteSize() / 1000
    tell(f"checked; publishing {len(new)} of {len(changes)} catalogues, {size:.0f} KB, at most {seconds:.0f} s")
    return Published(await amend(stub, request, seconds), labels, before)


async def published_labels(stub: dc_grpc.DirectoryServiceStub) -> list[Label]:
    """Ask what is published."""
    told = (await stub.Describe(dc.DescribeRequest(), timeout=READ_TIMEOUT_S)).catalogues
    return [Label(one.effective_from_ms, one.version, one.domain) for one in told]


async def new_of(
    stub: dc_grpc.DirectoryServiceStub, changes: Sequence[dc.DirectoryChange], published: Iterable[Label]
) -> list[dc.DirectoryChange]:
    """Give those that are not published with the same content, in order.

    One of a published version with another content is among them, and left for the directory to refuse.
    """
    known = set(published)
    new = []
    for change in changes:
        if label_of(change) in known:
            asked = dc.ReadCatalogueRequest(domain=change.catalogue.domain, version=change.catalogue.version)
            response = await stub.ReadCatalogue(asked, timeout=READ_TIMEOUT_S)
            if response.catalogue.content == change.catalogue.content:
                continue
        new.append(change)
    return new


async def amend(stub: dc_grpc.DirectoryServiceStub, request: dc.AmendRequest, seconds: float) -> int:
    """Publish all or none, and give the directory's revision; `seconds` is how long an answer is waited for.

    Raises `Invalid` CATALOGUES_TOO_LARGE for more than one message holds, `Expired` PUBLISH_UNANSWERED when there is no
    answer in time, `grpc.aio.AioRpcError`.
    """
    size = request.ByteSize()
    if size > REQUEST_BYTES_MAX:
        raise Invalid(
            "CATALOGUES_TOO_LARGE",
            f"the catalogues take {size / 1e6:.1f} MB, {REQUEST_BYTES_MAX / 1e6:.1f} MB are published at once: "
            "publish the nation and some regions first, and then the others beside it",
        )
    try:
        return int((await stub.Amend(request, timeout=seconds)).revision)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        raise Expired(
            "PUBLISH_UNANSWERED",
            f"no answer within {seconds:.0f} s: nothing may be published yet, or all; publish the same folder again "
            f"with --timeout {seconds * 4:.0f}, what is there already is not published twice",
        ) from error
