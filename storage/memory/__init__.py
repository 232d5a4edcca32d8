"""Units in the memory of one process."""
