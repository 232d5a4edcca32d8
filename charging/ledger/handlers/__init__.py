"""What each family of commands checks and which events follow, called by `charging.ledger.ledger` alone."""
