"""Requests of the front end read and checked, before anything is asked of anybody. `reader` is the door."""
