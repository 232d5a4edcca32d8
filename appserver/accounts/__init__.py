"""Accounts as the platform remembers and predicts them, and their commits under way.

Nothing of it is the truth: the owner compares every commit with the account itself.
"""
