"""The capacity model: what a country's traffic takes, from what this machine was measured to need for it."""
