"""How operators write numbers on the command line: as the country of ONETIER_COUNTRY does, else the sample country."""

import os

from charging.base.identity import normalise
from country.domains import COUNTRY


def read_identity(raw: str) -> str:
    """Give the one spelling of an identity. Raises `Invalid`."""
    return normalise(raw, os.environ.get("ONETIER_COUNTRY", COUNTRY))
