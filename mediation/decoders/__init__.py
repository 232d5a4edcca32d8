"""Decoders of code: bytes of switches that no table of columns can say → fields by name, each record with its place.

They know nothing of formats: a decoder is handed which fields are wanted, and gives their text.
"""
