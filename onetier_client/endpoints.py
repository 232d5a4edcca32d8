"""Which instance serves which identity first: rendezvous hashing, so that caches stay warm and a loss moves little."""

import hashlib
from collections.abc import Sequence
from zlib import crc32

BUCKETS = 1_024
SUFFIX_CHARS = 8
"""Only the end of an identity is hashed: it is the same in every spelling of a number."""


class Ranking:
    """For each identity all endpoints in order of preference.

    Without an endpoint the others keep the identities they had; only those of the lost one move, evenly.
    """

    def __init__(self, endpoints: Sequence[str]) -> None:
        if not endpoints:
            raise ValueError("at least one endpoint is needed, as host:port")
        weights = [[_weight(endpoint, bucket) for endpoint in endpoints] for bucket in range(BUCKETS)]
        self._orders = [tuple(sorted(range(len(endpoints)), key=row.__getitem__, reverse=True)) for row in weights]

    def of(self, identity: str) -> tuple[int, ...]:
        """Indexes of the endpoints, best first."""
        return self._orders[crc32(identity[-SUFFIX_CHARS:].encode()) % BUCKETS]


def _weight(endpoint: str, bucket: int) -> bytes:
    return hashlib.blake2b(f"{endpoint}/{bucket}".encode(), digest_size=8).digest()
