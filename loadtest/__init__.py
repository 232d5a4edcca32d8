"""Load over gRPC with locust."""
