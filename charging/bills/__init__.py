"""Bills as values: what is on one, its taxes, its arithmetic, and its checks; no catalogue, no clock."""
