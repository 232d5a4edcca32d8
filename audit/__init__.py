"""The audit: whether journals, snapshots, shared units and anchors of a country agree, read by no server."""
