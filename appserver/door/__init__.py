"""Where front ends come in: `service` serves their contract over gRPC, `clients` says who has had their share.

What depends on the transport, on principals and on quotas is here; a batch that is let in is `work`'s.
"""
