"""Formats: how a switch writes its records, said in a file of a page."""
