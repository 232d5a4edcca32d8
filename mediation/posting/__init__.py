"""Posting: the records of batches go through the front door, each under a key of its own, and what was said is kept."""
