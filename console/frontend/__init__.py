"""Commands that call as a front end does."""
