"""Storage units: one small interface, and the stores behind it. Knows nothing of tiers."""
