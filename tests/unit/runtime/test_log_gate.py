"""A line that comes again and again is written a few times, and its number told."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.log_gate import KINDS_MAX, LINES_MAX, WINDOW_S, LogGate
from runtime.telemetry import TEXT_CHARS_MAX, logger, start_logs


@pytest.fixture
def logs() -> Iterator[None]:
    """Put the process's logging back as it was."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def test_lines_over_the_bound_are_held_back_and_counted_in_the_next() -> None:
    now = [0.0]
    gate = LogGate(lambda: now[0])
    kind = ("runtime.intercept", "caller refused by role")
    assert [gate.admit(kind) for _ in range(LINES_MAX + 30)] == [0] * LINES_MAX + [None] * 30
    assert gate.admit(("runtime.intercept", "handler failed")) == 0, "another line is not held back"
    now[0] += WINDOW_S
    assert [gate.admit(kind) for _ in range(3)] == [30, 0, 0]


def test_kinds_without_end_are_one_kind() -> None:
    gate = LogGate(lambda: 0.0)
    admitted = [gate.admit(("library", f"line {number}")) for number in range(10_000)]
    assert sum(told is not None for told in admitted) == KINDS_MAX + LINES_MAX


@pytest.mark.usefixtures("logs")
def test_neither_our_lines_nor_a_librarys_flood_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    start_logs("appserver")
    ours, theirs = logger("runtime.intercept"), logging.getLogger("grpc._common")
    for _ in range(1_000):
        ours.warning("caller refused by role", service="x", roles="frontend")
        try:
            raise ValueError("a message that can't be read")
        except ValueError:
            theirs.exception("Exception deserializing message!")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 2 * LINES_MAX


@pytest.mark.usefixtures("logs")
def test_a_value_of_megabytes_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    start_logs("appserver")
    logger("test").warning("odd", text="x" * 8_000_000, items=["y" * 8_000_000] * 1_000, other={"z" * 9: "z" * 10**6})
    logging.getLogger("library").warning("odd %s", "x" * 8_000_000)
    told = capsys.readouterr().err
    assert len(told) < 80 * TEXT_CHARS_MAX
