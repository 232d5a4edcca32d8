"""Traces of a whole system: one charge is followed from its front end to the journal, its neighbours are not."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc

from cluster.system import Shape
from onetier_client import requests
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse
from tests.cluster.collector import Collector, Seen, collecting

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]
WAY = {"door", "rate", "commit", "route", "serve", "decide", "journal"}
TIERS = {
    "door": "appserver", "pull": "appserver", "rate": "appserver", "commit": "appserver",
    "turn": "appserver", "ask": "appserver", "tell": "appserver",
    "route": "datacenter", "serve": "domainserver", "decide": "domainserver", "journal": "domainserver",
}  # fmt: skip
CLOCKS_APART_NS = 1_000_000_000
"""What the machine's clock may be set by between the starts of two processes."""
BELOW = {
    "pull": "door", "rate": "door", "commit": "door", "turn": "door", "ask": "door", "tell": "door",
    "route": "commit pull ask", "serve": "route",
    "decide": "serve", "journal": "serve",
}  # fmt: skip


def context() -> tuple[str, str, str]:
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return f"00-{trace}-{span}-01", trace, span


def charges(small: Rehearsal, count: int) -> Iterator[desk.ServiceRequest]:
    people = [account.account_id for account in small.mobiles()]
    for number in range(count):
        key, of = secrets.token_hex(8), people[number % len(people)]
        yield requests.charge(
            of, "sms", 1, request_key=key, event_time_ms=DAY_MS, channel="front", other_party="8613800000000"
        )


def check_shape(spans: list[Seen], caller: str) -> None:
    """Each step stands where it belongs, in its tier, and inside the time of the one above it."""
    by_id = {span.span: span for span in spans}
    for span in spans:
        assert span.tier == TIERS[span.name]
        if span.name == "door":
            assert span.parent == caller
            continue
        above = by_id[span.parent]
        assert above.name in BELOW[span.name].split()
        assert span.began_ns <= span.ended_ns
        # Of other processes: another clock, and an end when the answer is on its way.
        if span.name in ("route", "serve"):
            assert above.began_ns <= span.began_ns + CLOCKS_APART_NS
        else:
            assert above.began_ns <= span.began_ns <= span.ended_ns <= above.ended_ns
        assert "86" not in str(span.facts), "no number of a subscriber goes into a span"


async def test_one_charge_is_followed_from_its_front_end_to_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with collecting() as collector:
        monkeypatch.setenv("ONETIER_TRACES", collector.address)
        monkeypatch.setenv("ONETIER_TRACE_EVERY", "0")
        async with rehearse(tmp_path, Shape(datacenters=1, domain_servers=1, app_servers=1)) as small:
            await _alone(small, collector)
            await _among_others(small, collector)
            assert all(span.trace in collector.asked for span in collector.spans), "only what callers trace is"


async def _alone(small: Rehearsal, collector: Collector) -> None:
    """A lone call has its context in the metadata; nobody has pulled its account since the platform began."""
    traceparent, trace, span = context()
    collector.asked.add(trace)
    channel = open_channel(small.system.endpoints[0], None, role="appserver")
    stub = desk_grpc.ServiceDeskServiceStub(channel)
    [request] = charges(small, 1)
    await stub.Charge(desk.ChargeRequest(request=request), timeout=10, metadata=(("traceparent", traceparent),))
    spans = await collector.trace(trace, WAY, span)
    check_shape(spans, span)
    journal = next(each for each in spans if each.name == "journal")
    assert journal.facts["entries"] >= 1
    assert next(each for each in spans if each.name == "door").facts["outcome"] == "charge"
    await channel.close()


async def _among_others(small: Rehearsal, collector: Collector) -> None:
    """One of a batch of two hundred keeps its trace through the batches of all tiers; the others have none."""
    traceparent, trace, span = context()
    collector.asked.add(trace)
    channel = open_channel(small.system.endpoints[0], None, role="appserver")
    stream = desk_grpc.ServiceDeskServiceStub(channel).Exchange()
    batch = desk.ExchangeRequest(batch_id=1, requests=charges(small, 200), traceparent=traceparent, traced=117)
    await stream.write(batch)
    answered = 0
    while answered < 200:
        answered += len((await stream.read()).positions)
    spans = await collector.trace(trace, WAY, span)
    check_shape(spans, span)
    assert [each.name for each in spans if each.name in ("door", "rate", "decide", "journal")].count("door") == 1
    await stream.done_writing()
    await channel.close()
