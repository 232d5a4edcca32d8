"""Duplicates: which uses are known already, exactly, at hundreds of millions a month."""
