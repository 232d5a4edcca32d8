"""What can go wrong with a local cluster, said so that the reader knows what to do."""


class LocalCassandraError(Exception):
    """Starting or stopping did not work; the message says why and what would help."""
