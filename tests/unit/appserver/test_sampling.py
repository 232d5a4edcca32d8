"""Who is traced: one in so many, those whose callers ask for it, and no more a second than is allowed."""

from onetier.v1 import service_desk_pb2 as desk

from appserver.batches.batch import RequestBatch
from appserver.door.sampling import Sampler
from runtime.tracing import UNTRACED, OpenSpan

SAMPLED = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


class Spans:
    """Remembers the traces that were begun."""

    on = True

    def __init__(self) -> None:
        self.begun: list[str] = []

    def begin(self, name: str, traceparent: str = "") -> OpenSpan:
        self.begun.append(traceparent)
        return UNTRACED.begin(name, traceparent)

    def close(self) -> None:
        pass


class Nowhere:
    def __init__(self) -> None:
        self.parts = 0

    def deliver(self, batch: RequestBatch, response: desk.ExchangeResponse, /) -> None:
        self.parts += 1


def positions(sampler: Sampler, sizes: list[int], traceparent: str = "", traced: int = 0) -> list[int]:
    """Give the position that is followed in each batch, -1 for none."""
    found = [sampler.follow([desk.ServiceRequest()] * size, traceparent, traced, Nowhere())[1] for size in sizes]
    return [-1 if followed is None else followed.position for followed in found]


def test_one_in_so_many_requests_is_traced_whatever_the_batches() -> None:
    spans = Spans()
    assert positions(Sampler(spans, 5, 100, lambda: 0.0), [2, 2, 2, 1, 4, 1]) == [-1, -1, 1, -1, 3, -1]
    assert spans.begun == ["", ""]


def test_what_its_caller_traces_is_traced_in_the_callers_trace() -> None:
    spans = Spans()
    assert positions(Sampler(spans, 0, 100, lambda: 0.0), [3, 200], SAMPLED, 2) == [2, 2]
    assert spans.begun == [SAMPLED, SAMPLED]


def test_what_is_no_context_or_not_sampled_or_of_no_request_is_not_traced() -> None:
    spans = Spans()
    sampler = Sampler(spans, 0, 100, lambda: 0.0)
    for given in ("x", SAMPLED[:-1] + "0", SAMPLED + "-x", "00-" + "0" * 32 + SAMPLED[35:], "ff" + SAMPLED[2:]):
        assert positions(sampler, [3], given) == [-1]
    assert positions(sampler, [3], SAMPLED, 3) == [-1]
    assert spans.begun == []


def test_however_many_want_to_be_traced_only_so_many_a_second_are() -> None:
    now = [0.0]
    sampler = Sampler(Spans(), 0, 3, lambda: now[0])
    assert positions(sampler, [1] * 5, SAMPLED) == [0, 0, 0, -1, -1]
    now[0] += 1.0
    assert positions(sampler, [1] * 5, SAMPLED) == [0, 0, 0, -1, -1]


def test_a_process_without_a_collector_traces_nothing() -> None:
    sampler = Sampler(UNTRACED, 1, 100, lambda: 0.0)
    assert not sampler.on
    assert positions(sampler, [10], SAMPLED) == [-1]


def test_a_part_without_the_followed_item_goes_out_all_the_same() -> None:
    sink = Nowhere()
    back, followed = Sampler(Spans(), 0, 9, lambda: 0.0).follow([desk.ServiceRequest()] * 3, SAMPLED, 1, sink)
    assert followed is not None
    batch = RequestBatch(back, 1, (), 0.0, 0.0)
    back.deliver(batch, desk.ExchangeResponse(positions=[0], replies=[desk.ServiceReply()]))
    back.deliver(batch, desk.ExchangeResponse(positions=[1], replies=[desk.ServiceReply()]))
    assert sink.parts == 2
