"""Contracts of a slot's members, the orders they came by, and who holds an identity in the country."""
