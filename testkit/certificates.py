"""Certificates for tests: of an authority as docs/tls.md makes one, and of a server that signs its own."""

import datetime
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def signed_by_itself(folder: Path, host: str) -> tuple[Path, str]:
    """Make a key and a certificate for a host; gives the file that holds both, and the certificate, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _called(host)
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    both = folder / f"{host}.pem"
    both.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()) + pem)
    return both, pem.decode()


def authority(folder: Path, roles: Sequence[str], hosts: Sequence[str] = ()) -> Path:
    """Make an authority and the certificates of roles, and of hosts that know no roles, in a folder; gives the folder.

    Each is named by its host, or by the part of its role before a `/`.
    """
    folder.mkdir(exist_ok=True)
    key, issuer = ec.generate_private_key(ec.SECP256R1()), _called("authority of a test")
    own = x509.BasicConstraints(ca=True, path_length=None)
    _write(folder / "ca", _signed(issuer, issuer, key.public_key(), key, own), key)
    names: dict[str, list[x509.GeneralName]] = {host: [x509.DNSName(host)] for host in hosts}
    for role in roles:
        kind = role.partition("/")[0]
        served = [] if kind in ("frontend", "operator") else [x509.DNSName(f"{kind}.onetier.internal")]
        names[kind] = [x509.UniformResourceIdentifier(f"spiffe://onetier/{role}"), *served]
    for name, told in names.items():
        mine, extension = ec.generate_private_key(ec.SECP256R1()), x509.SubjectAlternativeName(told)
        _write(folder / name, _signed(issuer, _called(name), mine.public_key(), key, extension), mine)
    return folder


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _signed(
    issuer: x509.Name,
    subject: x509.Name,
    of: ec.EllipticCurvePublicKey,
    by: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(issuer, subject, of, x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=12))
        .add_extension(extension, critical=issuer == subject)
        .sign(by, hashes.SHA256())
    )


def _write(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.with_suffix(".pem").write_bytes(certificate.public_bytes(encoding))
    path.with_suffix(".key").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    path.with_suffix(".key").chmod(0o600)
