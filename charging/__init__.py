"""The pure core: catalogue, rating, balances, account state. No I/O, no clock, no tier, no protobuf."""
