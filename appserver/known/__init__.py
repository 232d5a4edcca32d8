"""What the platform remembers of accounts and of reference data. Nothing of it is the truth: the owner checks it."""
