"""Which units a process may open: an address in the directory is somebody's word, and where it leads the process goes.

It opens files with this process's rights, connects where only this machine may reach, and sends a password that it
takes from this process's own environment. So each process has lists of its own: hosts, folders, and names of variables.
An empty list means where the directory's own unit is, which whoever started the process has named.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from pathlib import Path

from msgspec import Struct

from storage.address import masked
from storage.backend import Reach
from storage.backends import BACKENDS
from storage.unit import StoreRejected
from storage.url import backend_of, parse, reach_of

_ADDRESSES = re.compile(r"[0-9.]+\*")
"""A pattern such as `127.*` is of addresses alone: `127.evil.example` is a name, and its owner says where it leads."""

VARIABLES = ("ONETIER_*_PASSWORD",)
"""Names that `password_env` may have, unless the settings say others."""


class Allowed(Struct, frozen=True):
    """Where units may be. All that opening a unit reaches must be allowed: its file, or each host and variable."""

    schemes: tuple[str, ...] = tuple(BACKENDS)
    hosts: tuple[str, ...] = ("*",)
    """Addresses, networks such as 10.0.9.0/24, names; `*` stands for any part of a name."""
    folders: tuple[Path, ...] = (Path("/"),)
    """Files are in one of them, or below."""
    variables: tuple[str, ...] = ("*",)

    def problem(self, url: str) -> str:
        """Say in one sentence why a unit may not be there; "" when it may. Raises `StoreRejected` for no address."""
        address = parse(url)
        if address.scheme not in self.schemes:
            return f"{masked(url)}: {address.scheme}: is not allowed here."
        reach = reach_of(address)
        if reach.file is not None:
            return self._file_problem(reach.file)
        return self._cluster_problem(reach)

    def checked(self, url: str) -> str:
        """Give an address that is allowed. Raises `StoreRejected`."""
        problem = self.problem(url)
        if problem:
            raise StoreRejected(problem)
        return url

    def _file_problem(self, file: Path) -> str:
        real = file.resolve()  # A link out of a folder is not in it.
        if any(real.is_relative_to(folder.resolve()) for folder in self.folders):
            return ""
        return f"{real} is in none of the folders that unit_folders allows ({_listed(self.folders)})."

    def _cluster_problem(self, reach: Reach) -> str:
        for point in reach.hosts:
            host = host_of(point)
            if not any(_matches(host, allowed) for allowed in self.hosts):
                return f"{host} is none of the hosts that unit_hosts allows ({_listed(self.hosts)})."
        for variable in reach.variables:
            if not any(fnmatchcase(variable, allowed) for allowed in self.variables):
                allowed = _listed(self.variables)
                return f"{variable} is none of the variables that unit_password_variables allows ({allowed})."
        return ""


EVERYWHERE = Allowed()


def allowed_beside(directory: str, hosts: Sequence[str], folders: Sequence[str], variables: Sequence[str]) -> Allowed:
    """Give what the settings of a process allow, with the place of its directory for a list that is empty.

    Raises `StoreRejected` when the directory's own address is none.
    """
    own = parse(directory)
    if backend_of(own).grounds is None:
        return EVERYWHERE  # Tests of one process: there is nothing but memory to protect.
    reach = reach_of(own)
    beside = (reach.file.parent,) if reach.file is not None else ()
    return Allowed(
        schemes=tuple(scheme for scheme, backend in BACKENDS.items() if backend.grounds is not None),
        hosts=tuple(hosts) or tuple(host_of(point) for point in reach.hosts),
        folders=tuple(Path(folder) for folder in folders) or beside,
        variables=tuple(variables) or (*VARIABLES, *reach.variables),
    )


def host_of(point: str) -> str:
    """Give the host of host:port, or of a host alone."""
    name, colon, port = point.rpartition(":")
    return name if colon and port.isdecimal() else point


def _matches(host: str, allowed: str) -> bool:
    try:
        return ip_address(host) in ip_network(allowed, strict=False)
    except ValueError:
        return fnmatchcase(host.lower(), allowed.lower()) and (_is_address(host) or not _ADDRESSES.fullmatch(allowed))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _listed(names: Sequence[str | Path]) -> str:
    return ", ".join(str(name) for name in names) or "none"
