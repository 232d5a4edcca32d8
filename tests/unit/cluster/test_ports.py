"""The ports of a system that runs for clients: fixed, so that their own settings and Prometheus' can name them."""

import socket
from pathlib import Path

import pytest

from cluster.layout import lay_out
from cluster.supervisor import Running, Supervisor
from cluster.system import PortInUse, Shape, System


class Noted(System):
    """Starts nothing, and notes on which ports it would."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Supervisor(folder), lay_out(f"sqlite://{folder}"), {})
        self.ports: dict[str, tuple[int, int]] = {}

    async def start_process(self, role: str, number: int, port: int = 0, metrics_port: int = 0) -> Running:
        self.ports[f"{role}-{number}"] = (port, metrics_port)
        return Running.__new__(Running)


async def test_with_a_first_port_metrics_are_on_fixed_ports_too(tmp_path: Path) -> None:
    system = Noted(tmp_path)
    await system.start(Shape(2, 2, 2, 37_100, feeds=1))
    assert system.ports == {
        "appserver-0": (37_100, 37_400),
        "appserver-1": (37_101, 37_401),
        "datacenter-0": (37_200, 37_500),
        "datacenter-1": (37_201, 37_501),
        "domainserver-0": (0, 37_600),
        "domainserver-1": (0, 37_601),
        "watch-0": (37_300, 37_700),
    }


async def test_without_one_all_ports_are_free_ones(tmp_path: Path) -> None:
    system = Noted(tmp_path)
    await system.start(Shape(1, 1, 1))
    assert set(system.ports.values()) == {(0, 0)}


async def test_a_metrics_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        first = taken.getsockname()[1] - 400
        system = Noted(tmp_path)
        with pytest.raises(PortInUse):
            await system.start(Shape(1, 1, 1, first))
        assert system.ports == {}
