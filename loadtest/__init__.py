"""Load over gRPC with locust. Imports the contracts only: locust's gevent stays away from asyncio and the tiers."""
