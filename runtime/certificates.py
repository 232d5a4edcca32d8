"""What a certificate says, read from the certificate itself: whose it is, its serial number, when it ends.

A caller is named by the one URI `spiffe://onetier/<role>` or `spiffe://onetier/<role>/<name>` of the SAN, and by
nothing else there: a DNS name, an address or a mail address with the same letters names nobody. A server is told by its
role's DNS name, `<role>.onetier.internal`, which TLS itself compares while it connects. A certificate whose two names
disagree, or that would pass for every role, names nobody: it was issued by mistake.
"""

from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

PRINCIPAL_PREFIX = "spiffe://onetier/"
SERVER_DOMAIN = "onetier.internal"
CERTIFICATES_KNOWN_MAX = 4_096


class Certificate(Struct, frozen=True, gc=False):
    """What we use of a certificate."""

    name: str
    """`<role>` or `<role>/<name>`; empty when it names none or several of us, or its names disagree."""
    serial: int
    ends_at_s: float
    """Not valid after; seconds of the epoch."""

    @property
    def role(self) -> str:
        """The part of the name before the first `/`."""
        return self.name.partition("/")[0]


def server_name(role: str) -> str:
    """Give the DNS name that the certificates of a tier's processes have, and no other's."""
    return f"{role}.{SERVER_DOMAIN}"


@lru_cache(CERTIFICATES_KNOWN_MAX)
def read_certificate(pem: bytes) -> Certificate:
    """Read the first certificate of a PEM text. Raises `ValueError` when there is none."""
    certificate = x509.load_pem_x509_certificate(pem)
    return Certificate(_name(certificate), certificate.serial_number, certificate.not_valid_after_utc.timestamp())


def fits(cert: bytes, key: bytes) -> bool:
    """Say whether a private key (PEM) is that of a certificate; files that are being replaced are not, for a moment.

    False also when one of both can't be read.
    """
    try:
        own = x509.load_pem_x509_certificate(cert).public_key()
        return own == load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError):
        return False


def _name(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    ours = {uri.removeprefix(PRINCIPAL_PREFIX) for uri in uris if uri.startswith(PRINCIPAL_PREFIX)}
    if len(ours) != 1:
        return ""
    name = ours.pop()
    # TLS falls back to the common name where the SAN has no DNS name.
    common = [str(one.value) for one in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    served = [*names.get_values_for_type(x509.DNSName), *common]
    own = server_name(name.partition("/")[0])
    strange = [one for one in served if one.lower().endswith(SERVER_DOMAIN) and one.lower() != own]
    return "" if strange else name
