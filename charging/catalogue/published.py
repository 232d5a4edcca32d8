"""A catalogue as it was published and as it travels: packed, with its domain, version and day."""

from msgspec import Struct


class CatalogueRef(Struct, frozen=True, array_like=True):
    """One published catalogue: national (domain "") or the overrides of a region."""

    domain: str
    version: int
    effective_from_ms: int
    content: bytes
    """`charging.catalogue.document` packed."""
