"""Units in SQLite files."""
