"""Decoding: the bytes of a file → usage records, each with its place, and what could not be read."""
