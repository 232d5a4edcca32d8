"""Accounts that move to another domain, by steps that anyone may repeat. `port` is the door."""
