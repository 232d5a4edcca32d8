"""The kinds of stores there are. This list is closed: what is not in it is no store of ours."""

from storage.cassandra.backend import CASSANDRA
from storage.memory.backend import MEMORY
from storage.sqlite.backend import SQLITE

BACKENDS = {backend.scheme: backend for backend in (MEMORY, SQLITE, CASSANDRA)}
"""By scheme."""
