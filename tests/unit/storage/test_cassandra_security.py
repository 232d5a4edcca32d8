"""Client TLS and credentials, against a real node that insists on both."""

from typing import Protocol

import pytest

from house.stores import STORES
from storage.unit import Record, StoreRejected, StoreUnavailable

pytestmark = pytest.mark.cassandra


class Secure(Protocol):
    """What the fixture of this room offers."""

    def url(self, keyspace: str, *, tls: bool = True, certificate: bool = True, options: str = "") -> str: ...


async def test_with_certificate_and_password_it_works(
    cassandra_secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CASSANDRA_PASSWORD", "cassandra")
    url = cassandra_secure.url("secure", options="&user=cassandra&password_env=TEST_CASSANDRA_PASSWORD")
    unit = await STORES.open(url)
    await unit.put([Record("account", "p", "a", b"encrypted", 1)])
    assert (await unit.get("account", "p", ["a"]))["a"].value == b"encrypted"
    await unit.close()


async def test_a_wrong_password_is_refused_for_good(cassandra_secure: Secure) -> None:
    with pytest.raises(StoreRejected, match="credentials"):
        await STORES.open(cassandra_secure.url("secure", options="&user=cassandra&password=wrong"))


async def test_without_tls_or_without_a_certificate_there_is_no_way_in(cassandra_secure: Secure) -> None:
    options = "&user=cassandra&password=cassandra"
    with pytest.raises((StoreUnavailable, StoreRejected)):
        await STORES.open(cassandra_secure.url("secure", tls=False, certificate=False, options=options))
    with pytest.raises((StoreUnavailable, StoreRejected)):
        await STORES.open(cassandra_secure.url("secure", certificate=False, options=options))


async def test_tls_files_that_are_missing_are_refused_with_a_sentence() -> None:
    with pytest.raises(StoreRejected, match="TLS files"):
        await STORES.open("cassandra://127.0.0.1/k?tls_ca=/nowhere/ca.pem")
