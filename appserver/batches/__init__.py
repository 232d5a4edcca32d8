"""Batches of requests as callers sent them, until every request is answered or past its deadline."""
