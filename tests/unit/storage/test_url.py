"""Addresses of units."""

import pytest

from storage.address import masked
from storage.cassandra.connection import link_settings
from storage.cassandra.unit import _replication
from storage.unit import StoreRejected
from storage.url import parse


def test_each_kind_of_address_is_taken_apart() -> None:
    assert parse("memory:name").path == "name"
    assert str(parse("sqlite:///var/lib/one%20tier/gd.db").file()) == "/var/lib/one tier/gd.db"
    address = parse("cassandra://10.0.0.1:9042,10.0.0.2/gd?rf=3&tls_ca=/etc/ca.pem")
    assert (address.host, address.path) == ("10.0.0.1:9042,10.0.0.2", "gd")
    assert address.options == {"rf": "3", "tls_ca": "/etc/ca.pem"}


@pytest.mark.parametrize(
    "url",
    [
        "postgres://somewhere/x",
        "sqlite://relative/file.db",
        "sqlite:///folder/",
        "cassandra:///keyspace",
        "cassandra://host",
        "cassandra://host/Upper-Case",
        "cassandra://host/a;drop",
        "",
    ],
)
def test_what_is_no_address_is_refused_with_what_it_should_be(url: str) -> None:
    with pytest.raises(StoreRejected, match=r"write|starts with"):
        parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "cassandra://ops:secret1@host/k?user=u&password=secret2&rf=1",
        "cassandra://ops:secret/1@host/k?password=secret@2/secret&rf=1",
        "cassandra://host/k?pass%77ord=secret#secret&rf=1",
        "cassandra://host/Upper-Case?password=secret&rf=1",
    ],
)
def test_secrets_are_masked(url: str) -> None:
    masks = masked(url)
    assert "secret" not in masks
    assert masks.endswith("&rf=1")


def test_what_is_no_secret_is_shown() -> None:
    for url in ("sqlite:///var/a@b/gd.db", "cassandra://10.0.0.1:9042,10.0.0.2:9042/k?user=u&password_env=NAME"):
        assert masked(url) == url


def test_an_error_about_an_address_tells_no_secret() -> None:
    with pytest.raises(StoreRejected, match="password_env") as told:
        parse("cassandra://ops:secret@host/k")
    assert "secret" not in str(told.value)
    with pytest.raises(StoreRejected, match="pasword") as told:
        _replication({"pasword": "secret"})
    assert "secret" not in str(told.value)


def test_the_connection_is_taken_out_of_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "pw")
    options = {"user": "u", "password_env": "SOME_PASSWORD", "tls_ca": "/ca", "timeout_ms": "900", "rf": "3"}
    settings = link_settings("a:1,b", options)
    assert settings.contact_points == (("a", 1), ("b", 9042))
    assert (settings.user, settings.password, settings.tls_ca, settings.timeout_ms) == ("u", "pw", "/ca", 900)
    assert options == {"rf": "3"}


@pytest.mark.parametrize(
    ("hosts", "options", "said"),
    [
        ("host:port", {}, "no host:port"),
        ("host", {"password_env": "NOT_SET_ANYWHERE"}, "not set"),
        ("host", {"timeout_ms": "soon"}, "milliseconds"),
    ],
)
def test_bad_connection_options_are_refused(hosts: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(StoreRejected, match=said):
        link_settings(hosts, options)


def test_replication_is_by_factor_or_by_data_center() -> None:
    assert _replication({}) == {}
    assert _replication({"rf": "3"}) == {"": 3}
    assert _replication({"beijing": "3", "xian-2": "2"}) == {"beijing": 3, "xian-2": 2}
    for wrong in ({"rf": "3", "beijing": "3"}, {"rf": "0"}, {"tls_what": "x"}, {"a'b": "3"}):
        with pytest.raises(StoreRejected):
            _replication(wrong)
