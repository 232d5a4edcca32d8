"""Logs mask identities; metrics count in bulk and can't explode."""

import json
import logging
import urllib.request
from collections.abc import Iterator

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from runtime.telemetry import LABEL_VALUES_MAX, Exporter, Metrics, logger, start_logs


@pytest.fixture
def logs() -> Iterator[None]:
    """Put the process's logging back as it was."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


@pytest.mark.usefixtures("logs")
def test_no_identity_leaves_in_a_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    start_logs("appserver")
    log = logger("test")
    try:
        raise ValueError("no route for msisdn:8613012345678")
    except ValueError:
        log.exception("failed for 13012345678", identity="broadband:bj0012@adsl", routes=["13012345678", "domain:GD"])
    logging.getLogger("grpc").warning("peer %s", "+8613012345678")
    told = capsys.readouterr().err
    first, second = (json.loads(line) for line in told.splitlines())
    assert "13012345678" not in told
    assert "bj0012" not in told
    assert first["tier"] == "appserver"
    assert first["level"] == "error"
    assert first["routes"][1] == "domain:GD" or "*" in first["routes"][1]
    assert "ValueError" in first["exception"]
    assert second["level"] == "warning"


@pytest.mark.usefixtures("logs")
def test_the_level_holds(capsys: pytest.CaptureFixture[str]) -> None:
    start_logs("appserver", "warning")
    logger("test").info("quiet")
    logger("test").warning("loud", count=3)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["count"] == 3


def test_figures_are_scraped_as_prometheus_reads_them() -> None:
    metrics = Metrics("appserver")
    metrics.requests("charge", "ok", 500)
    metrics.latency("charge", 0.003, 500)
    metrics.latency("charge", 99.0)
    metrics.cache("contract", hits=9, misses=1)
    metrics.batch("route", 500)
    metrics.event("reconnect")
    metrics.gauge("items_in_flight", lambda: 42.0)
    exporter = Exporter(metrics, "127.0.0.1:0")
    try:
        with urllib.request.urlopen(f"http://{exporter.address}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    finally:
        exporter.close()
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    def value(name: str, **labels: str) -> float:
        return found[(name, tuple(sorted({"tier": "appserver", **labels}.items())))]

    assert value("onetier_requests_total", type="charge", outcome="ok") == 500
    assert value("onetier_latency_seconds_bucket", type="charge", le="0.0025") == 0
    assert value("onetier_latency_seconds_bucket", type="charge", le="0.005") == 500
    assert value("onetier_latency_seconds_count", type="charge") == 501
    assert value("onetier_cache_total", cache="contract", result="hit") == 9
    assert value("onetier_batch_items_sum", hop="route") == 500
    assert value("onetier_events_total", event="reconnect") == 1
    assert value("onetier_now", what="items_in_flight") == 42


def test_labels_do_not_explode() -> None:
    metrics = Metrics("appserver")
    for number in range(1_000):
        metrics.requests("charge", f"REASON_{number}")
    outcomes = [
        sample for family in metrics.collect() if family.name == "onetier_requests" for sample in family.samples
    ]
    assert len(outcomes) <= LABEL_VALUES_MAX + 1
    assert sum(sample.value for sample in outcomes) == 1_000
