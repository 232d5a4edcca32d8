"""Billing: the runs in which the accounts of a slot get their bills."""
