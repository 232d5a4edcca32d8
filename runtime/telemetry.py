"""What a process tells about itself: JSON logs on stderr with identities masked, and figures for Prometheus.

No line is logged and no object made for a single request on the hot path; `Metrics` is plain integers that a scrape
turns into Prometheus families.
"""

import bisect
import logging
import re
import sys
from collections.abc import Callable, Iterator
from itertools import islice

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from charging.base.identity import mask
from runtime.log_gate import LogGate

LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_BUCKETS_ITEMS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
LABEL_VALUES_MAX = 64
"""Of one metric; further values count as "other", so that no caller can make the figures explode."""

TEXT_CHARS_MAX = 1_000
TRACE_CHARS_MAX = 10_000
LIST_SHOWN_MAX = 50
"""Of one value of a log line; what is longer is cut."""

_IDENTITY_KEYS = frozenset({"identity", "identities", "route", "routes", "other_party", "to_identity", "account_id"})
_IN_TEXT = re.compile(r"(?:msisdn|fixed|broadband|tv|card):[\w.@+-]+|(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)")


def mask_identities(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask identities in every value of a log event, by key and by shape."""
    for key, value in event.items():
        if key == "exception" and isinstance(value, str):
            event[key] = mask_text(_cut(value, TRACE_CHARS_MAX))
        else:
            event[key] = _masked(value, key in _IDENTITY_KEYS)
    return event


def mask_text(text: str) -> str:
    """Mask every identity that appears in a text."""
    return _IN_TEXT.sub(lambda match: mask(match[0]), text)


def _masked(value: object, is_identity: bool) -> object:
    if isinstance(value, str):
        value = _cut(value, TEXT_CHARS_MAX)
        hidden = mask_text(value)
        return mask(value) if is_identity and hidden == value else hidden
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(part, is_identity) for part in islice(value, LIST_SHOWN_MAX)]
    if isinstance(value, dict):
        shown = islice(value.items(), LIST_SHOWN_MAX)
        return {mask_text(str(key)): _masked(part, is_identity or key in _IDENTITY_KEYS) for key, part in shown}
    if isinstance(value, int | float | bool) or value is None:
        return value
    return mask_text(_cut(str(value), TEXT_CHARS_MAX))


def _cut(text: str, chars_max: int) -> str:
    """Keep both ends of a text that is too long: a trace says where it began and what was raised."""
    half = chars_max // 2
    return text if len(text) <= chars_max else f"{text[:half]} … {len(text) - 2 * half} characters … {text[-half:]}"


def start_logs(tier: str, level: str = "info") -> None:
    """Send all logs of the process, those of libraries too, to stderr as one JSON object a line.

    Of lines that come again and again some are held back; the next of their kind says how many (`held_back`).
    """
    gate = LogGate()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _stamp(tier),
        mask_identities,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: _admit_foreign(gate, record))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[_gated(gate), *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,
    )


def log_defects_only() -> None:
    """For commands, which tell what goes wrong in a sentence of their own: only our defects are logged, to stderr."""
    logging.getLogger().addHandler(logging.NullHandler())  # Else Python prints what libraries log, with traces.
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
    )


def logger(name: str) -> FilteringBoundLogger:
    """The logger of a module: `log.warning("unit away", unit=name, retry_ms=200)`."""
    found: FilteringBoundLogger = structlog.get_logger(name)
    return found


def _gated(gate: LogGate) -> Processor:
    """Stands first: a line that is held back costs no formatting of its trace."""

    def admit(own: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        held_back = gate.admit((str(getattr(own, "name", "")), str(event.get("event", ""))[:TEXT_CHARS_MAX]))
        if held_back is None:
            raise structlog.DropEvent
        if held_back:
            event["held_back"] = held_back
        return event

    return admit


def _admit_foreign(gate: LogGate, record: logging.LogRecord) -> bool:
    """Let a library's line through; ours have passed the gate before."""
    if isinstance(record.msg, dict):
        return True
    held_back = gate.admit((record.name, str(record.msg)[:TEXT_CHARS_MAX]))
    if held_back:
        record.msg = f"{record.msg} (held back before: {held_back})"
    return held_back is not None


def _stamp(tier: str) -> Processor:
    def stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["tier"] = tier
        return event

    return stamp


class _Spread:
    """A histogram as plain integers."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float, times: int) -> None:
        self.counts[bisect.bisect_left(self.bounds, value)] += times
        self.total += value * times

    def buckets(self) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = []
        running = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            running += count
            found.append((bound, float(running)))
        return found


class Metrics(Collector):
    """The figures of one process. Methods cost a fraction of a microsecond and take weights, so count a batch at once.

    Labels come from code (request types, outcomes, hops), never from identities or keys.
    """

    def __init__(self, tier: str) -> None:
        self.tier = tier
        self.registry = CollectorRegistry()
        self._counters: dict[str, dict[tuple[str, ...], int]] = {"requests": {}, "cache": {}, "events": {}}
        self._latency: dict[str, _Spread] = {}
        self._batch: dict[str, _Spread] = {}
        self._gauges: dict[str, Callable[[], float]] = {}
        self.registry.register(self)

    def requests(self, request_type: str, outcome: str, items: int = 1) -> None:
        """Count requests answered: outcome "ok" or the reason of the fault."""
        self._add("requests", (request_type, outcome), items)

    def latency(self, request_type: str, seconds: float, items: int = 1) -> None:
        """Record how many seconds `items` requests took, from arrival to answer."""
        _spread(self._latency, request_type, LATENCY_BUCKETS_S).add(seconds, items)

    def cache(self, name: str, *, hits: int = 0, misses: int = 0) -> None:
        """Count look-ups of a cache."""
        if hits:
            self._add("cache", (name, "hit"), hits)
        if misses:
            self._add("cache", (name, "miss"), misses)

    def batch(self, hop: str, items: int) -> None:
        """Record the size of a batch sent or committed: "exchange", "route", "serve", "journal"."""
        _spread(self._batch, hop, BATCH_BUCKETS_ITEMS).add(items, 1)

    def event(self, name: str, times: int = 1) -> None:
        """Count something rare: "reconnect", "takeover", "misrouted"."""
        self._add("events", (name,), times)

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """Show a current value, read at each scrape: "items_in_flight", "directory_revision"."""
        self._gauges[name] = read

    def counted(self, name: str, *labels: str) -> int:
        """What a counter ("requests", "cache", "events") stands at; for tests and the console."""
        return self._counters[name].get(labels, 0)

    def _add(self, name: str, labels: tuple[str, ...], times: int) -> None:
        counts = self._counters[name]
        if labels not in counts and len(counts) >= LABEL_VALUES_MAX:
            labels = (*labels[:-1], "other") if (*labels[:-1], "other") in counts else ("other",) * len(labels)
        counts[labels] = counts.get(labels, 0) + times

    def collect(self) -> Iterator[Metric]:
        """Make the Prometheus families of this moment."""
        for name, family in (
            (
                "requests",
                CounterMetricFamily("onetier_requests", "Requests answered.", labels=("tier", "type", "outcome")),
            ),
            ("cache", CounterMetricFamily("onetier_cache", "Look-ups of caches.", labels=("tier", "cache", "result"))),
            ("events", CounterMetricFamily("onetier_events", "Rare events.", labels=("tier", "event"))),
        ):
            for labels, count in list(self._counters[name].items()):
                family.add_metric((self.tier, *labels), count)
            yield family
        yield self._histogram("onetier_latency_seconds", "From arrival to answer.", "type", self._latency)
        yield self._histogram("onetier_batch_items", "Items of a batch.", "hop", self._batch)
        gauges = GaugeMetricFamily("onetier_now", "Current values.", labels=("tier", "what"))
        for name, read in list(self._gauges.items()):
            gauges.add_metric((self.tier, name), read())
        yield gauges

    def _histogram(self, name: str, text: str, label: str, spreads: dict[str, _Spread]) -> Metric:
        family = HistogramMetricFamily(name, text, labels=("tier", label))
        for value, spread in list(spreads.items()):
            family.add_metric((self.tier, value), spread.buckets(), spread.total)
        return family


def _spread(spreads: dict[str, _Spread], label: str, bounds: tuple[float, ...]) -> _Spread:
    found = spreads.get(label)
    if found is None:
        if len(spreads) >= LABEL_VALUES_MAX:
            label = "other"
        found = spreads.setdefault(label, _Spread(bounds))
    return found


class Exporter:
    """Serves the metrics over HTTP on a port of its own, in a thread."""

    def __init__(self, metrics: Metrics, listen: str) -> None:
        host, _, port = listen.rpartition(":")
        self._server, self._thread = start_http_server(int(port), host, metrics.registry)
        self.address = f"{host}:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving; returns within a second."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1.0)
