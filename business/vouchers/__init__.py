"""Vouchers: batches of them in sheets, which a slot holds as subjects; each is used once."""
