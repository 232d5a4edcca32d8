"""The onetier command."""
