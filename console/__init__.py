"""The `onetier` command: words, arguments, tables and exit statuses; the work is done by other rooms."""
