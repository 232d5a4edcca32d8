"""The house put together: which rooms there are."""
