"""The feed of everything that happened to accounts, read from the journals; see docs/watch.md."""
