"""The fenced journal of a slot: chain, groups and their layout, which keys are known, what can't be used of it."""
