"""Numbers that nobody has just now, told to operators."""
