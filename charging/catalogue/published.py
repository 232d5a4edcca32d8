"""A catalogue as it was published and as it travels: packed, with its domain, version and day."""

from msgspec import Struct


class CatalogueRef(Struct, frozen=True, array_like=True):
    """One published catalogue: national (domain "") or the overrides of a region."""

    domain: str
    version: int
    effective_from_ms: int
    """UTC, inclusive; in force until a later one of the same domain is."""
    content: bytes
    """`charging.catalogue.document` packed."""
