"""The way to the data center: `outgoing` has the batch that fills and those under way, `links` the streams."""
