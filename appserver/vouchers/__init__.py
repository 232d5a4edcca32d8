"""Vouchers for operators: batches made, changed, listed, told once; and the keys that codes are read by."""
