"""Assembling: parts of long calls become one call, in whatever order and from whatever files they come."""
