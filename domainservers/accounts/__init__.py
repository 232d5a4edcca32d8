"""What a slot knows of an account in memory. `accounts.Accounts` is the door; how it is kept is said here only."""
