"""Calls of each command, made by `make proto` from the contract and the structs of the ledger."""
