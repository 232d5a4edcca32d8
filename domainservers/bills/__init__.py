"""Bills of a slot: their numbers, and the records in which they are kept for ever."""
