"""A catalogue made ready: compiled once a version, found by time; what a contract holds, and which price answers."""
