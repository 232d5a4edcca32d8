"""The real Cassandra on this machine, without Docker: fetched from Maven Central, started and stopped by process id."""
