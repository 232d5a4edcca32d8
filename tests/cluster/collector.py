"""A collector of traces in the test's own process: takes OTLP over gRPC, and keeps what comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)


class Seen(Struct, frozen=True):
    """One span as it came."""

    tier: str
    name: str
    trace: str
    span: str
    parent: str
    began_ns: int
    ended_ns: int
    facts: dict[str, object]


class Collector(TraceServiceServicer):  # type: ignore[misc]
    """What came so far."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self.asked: set[str] = set()
        """Traces that the test began."""
        self.address = ""
        self._came = asyncio.Event()

    async def Export(
        self, request: ExportTraceServiceRequest, context: grpc.aio.ServicerContext
    ) -> ExportTraceServiceResponse:
        """Take spans."""
        for of_process in request.resource_spans:
            about = {each.key: each.value.string_value for each in of_process.resource.attributes}
            for span in (span for scope in of_process.scope_spans for span in scope.spans):
                facts = {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
                self.spans.append(
                    Seen(
                        about["service.name"],
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        span.start_time_unix_nano,
                        span.end_time_unix_nano,
                        facts,
                    )
                )
        self._came.set()
        return ExportTraceServiceResponse()

    async def trace(self, trace_id: str, names: set[str], caller: str) -> list[Seen]:
        """Wait until a trace has steps of all these names, and each the step above it; `caller` is the first's."""
        async with asyncio.timeout(30):
            while True:
                spans = [span for span in self.spans if span.trace == trace_id]
                came = {span.span for span in spans} | {caller}
                if names <= {span.name for span in spans} and all(span.parent in came for span in spans):
                    return spans
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Serve on a free port of this machine."""
    collector, server = Collector(), grpc.aio.server()
    add_TraceServiceServicer_to_server(collector, server)
    collector.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield collector
    await server.stop(0)
