"""What `make bench` measures: each figure beside its own limit, in one run. Nothing of the house imports it."""
