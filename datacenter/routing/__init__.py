"""Batches of the platform on their way to the owners of their slots, never parsed. `service` is the door."""
