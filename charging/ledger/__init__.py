"""The one path for every change of an account: commands in, events out, state by replay. No rule of price is here.

`ledger.decide` is the door; `commands/` has a file for each command, `kinds.py` is the list of them.
"""
