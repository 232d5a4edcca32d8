"""Units on every store. A contract test asks for `unit`, or for `urls` when it needs several or reopens."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from house.stores import STORES
from storage.memory import unit as memory
from storage.unit import Unit

Urls = Callable[[], str]
_numbers = count(1)


@pytest.fixture(params=["memory", "sqlite", pytest.param("cassandra", marks=pytest.mark.cassandra)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Urls]:
    """A maker of addresses of new units on one kind of store."""
    made: list[str] = []

    def new() -> str:
        name = f"contract_{next(_numbers)}"
        if request.param == "memory":
            made.append(name)
            return f"memory:{name}"
        if request.param == "sqlite":
            return f"sqlite://{tmp_path / name}.db"
        url: str = request.getfixturevalue("cassandra_one").url(name)
        return url

    yield new
    for name in made:
        memory.forget(name)


@pytest.fixture
def url(urls: Urls) -> str:
    """The address of one new unit."""
    return urls()


@pytest.fixture
async def unit(url: str) -> AsyncIterator[Unit]:
    """One new unit, open."""
    opened = await STORES.open(url)
    yield opened
    await opened.close()
