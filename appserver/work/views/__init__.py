"""Views that are more than business data put into a message: told by pages, priced, or read from elsewhere."""
