"""The life of a slot: taking it over, serving, committing, what it does without being asked, and its move elsewhere."""
