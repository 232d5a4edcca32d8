"""The domain servers: single writers of their slots; decide, journal in groups, reply."""
