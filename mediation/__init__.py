"""Mediation: from the switch's file to a rated record, none lost, none twice (seed 002: collect, decode, free of
duplicates, rate, store)."""
