"""Commands of operators: the directory, permissions, keys, units, journals, the audit."""
