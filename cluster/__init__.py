"""A whole system on this machine: its units and processes, its data folder, the country in it, a Cassandra."""
