"""Core types written into replies of the front end's contract, and nothing decided any more."""
