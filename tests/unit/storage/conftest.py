"""A Cassandra node that asks clients for TLS certificates and a password."""

import datetime
import ipaddress
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from cluster.cassandra.lifecycle import Settings
from testkit.cassandra import LocalCluster, free_network


class Authority:
    """A certificate authority of one test session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = rsa.generate_private_key(65537, 2048)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority of {folder.name}")])
        own = self._certificate(self._name, self._key, None)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, address: str) -> tuple[Path, Path]:
        """A certificate and its key for that address; the key's file holds both, as Cassandra wants it."""
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._certificate(subject, key, address).public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.folder / f"{name}.crt").write_bytes(certificate)
        (self.folder / f"{name}.pem").write_bytes(secret + certificate)
        return self.folder / f"{name}.crt", self.folder / f"{name}.pem"

    def _certificate(self, subject: x509.Name, key: rsa.RSAPrivateKey, address: str | None) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), critical=True)
        )
        if address is not None:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


class SecureCassandra:
    """A node behind TLS and passwords, with what a client needs to get in."""

    def __init__(self, folder: Path) -> None:
        network = free_network(1)
        self.authority = Authority(folder)
        _, keystore = self.authority.issue("node", f"{network}.1")
        self.client_cert, self.client_key = self.authority.issue("client", "127.0.0.1")
        settings = Settings(
            network=network,
            heap_mb=400,
            tls_keystore=str(keystore),
            tls_ca=str(self.authority.ca),
            passwords=True,
        )
        self.cluster = LocalCluster(folder / "cluster", settings)

    def url(self, keyspace: str, *, tls: bool = True, certificate: bool = True, options: str = "") -> str:
        """A unit's address, with as much of the way in as asked for."""
        if tls:
            options += f"&tls_ca={self.authority.ca}"
        if certificate:
            options += f"&tls_cert={self.client_cert}&tls_key={self.client_key}"
        return self.cluster.url(keyspace, options)


@pytest.fixture(scope="module")
def cassandra_secure() -> Iterator[SecureCassandra]:
    """One real node that takes nobody without a certificate and a password."""
    with tempfile.TemporaryDirectory(prefix="onetier-secure-") as folder:
        secure = SecureCassandra(Path(folder))
        yield secure
        secure.cluster.close()
