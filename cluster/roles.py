"""The certificates of a system's callers, by their roles."""

from pathlib import Path

from runtime.certificates import fits
from runtime.settings import BadSettings, TierSettings, load
from runtime.tls import Tls, read_tls, tls_of


def read_role(folder: Path | None, role: str) -> Tls | None:
    """Read the certificate of a role from a folder as `docs/tls.md` makes it.

    Without a folder that of the ONETIER_TLS_… settings, None when they name none. Raises `BadSettings`.
    """
    try:
        if folder is None:
            return tls_of(load(TierSettings))
        tls = read_tls(folder / f"{role}.pem", folder / f"{role}.key", folder / "ca.pem")
        if not fits(tls.cert, tls.key):
            raise BadSettings(f"in {folder}, {role}.pem and {role}.key are no certificate and its key.")
        return tls
    except OSError as error:
        raise BadSettings(f"the TLS file {error.filename} can't be read: {error.strerror}.") from error
