"""Spans by OpenTelemetry's SDK, exported over OTLP by gRPC in batches, in a thread; see `runtime.tracing`.

A collector that is away or slow costs the process its spans, never a request: at most `QUEUE_SPANS_MAX` wait.
"""

from importlib.metadata import version
from pathlib import Path

import grpc
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.tracing import Fact, OpenSpan, now_ns

QUEUE_SPANS_MAX = 4_096
EXPORT_TIMEOUT_S = 5
EXPORT_EVERY_MS = 1_000
_propagator = TraceContextTextMapPropagator()


class OtelSpan:
    """An `OpenSpan`."""

    __slots__ = ("_span", "_tracer", "traceparent")

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span
        found = span.get_span_context()
        self.traceparent = f"00-{found.trace_id:032x}-{found.span_id:016x}-01"

    def begin(self, name: str) -> OpenSpan:
        """Begin a step below this one."""
        return OtelSpan(self._tracer, self._below(name, now_ns()))

    def part(self, name: str, began_ns: int, ended_ns: int, **facts: Fact) -> None:
        """Note a step below this one that is over."""
        span = self._below(name, began_ns)
        span.set_attributes(facts)
        span.end(ended_ns)

    def end(self, **facts: Fact) -> None:
        """End it."""
        self._span.set_attributes(facts)
        self._span.end(now_ns())

    def _below(self, name: str, began_ns: int) -> trace.Span:
        return self._tracer.start_span(name, trace.set_span_in_context(self._span), start_time=began_ns)


class OtelTracing:
    """Exports to a collector at `endpoint`, http://host:port or https://host:port."""

    on = True

    def __init__(self, endpoint: str, ca: Path | None, tier: str, address: str) -> None:
        """`ca` is the authority of an https collector, None = those that the system trusts."""
        secure = endpoint.startswith("https://")
        credentials = grpc.ssl_channel_credentials(ca.read_bytes() if ca is not None else None) if secure else None
        exporter = OTLPSpanExporter(endpoint, insecure=not secure, credentials=credentials, timeout=EXPORT_TIMEOUT_S)
        told = {
            "service.namespace": "onetier",
            "service.name": tier,
            "service.instance.id": address,
            "service.version": version("onetier"),
        }
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=Resource(told), shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS_MAX, schedule_delay_millis=EXPORT_EVERY_MS)
        )
        self._tracer = self._provider.get_tracer("onetier")

    def begin(self, name: str, traceparent: str = "") -> OpenSpan:
        """Begin a step; a context that can't be read begins a trace of its own."""
        context = _propagator.extract({"traceparent": traceparent})
        return OtelSpan(self._tracer, self._tracer.start_span(name, context, start_time=now_ns()))

    def close(self) -> None:
        """Export what is left."""
        self._provider.shutdown()
