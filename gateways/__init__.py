"""Processes that speak other protocols to others and go through the front door themselves, as any front end does."""
