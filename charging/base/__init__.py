"""What everything stands on: words of the field, money, time, keys, bounds, and what is not a rule of anybody's alone.

An account's state, a contract and a usage are here because plans, rating and ledger all read them and none owns them.
"""
