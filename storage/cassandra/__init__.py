"""Units in Cassandra keyspaces; the only folder that knows the driver."""
