"""The stateless application service platform: receive, pull, rate, commit, reply."""
