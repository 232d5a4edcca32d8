"""Commands that run whole systems on this machine: demo, up, load test, Cassandra."""
