"""Who owes, for operators: accounts slot by slot. What is done about it are commands like any others."""
