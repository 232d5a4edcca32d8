"""A client for front ends: one call a request, batches and retries inside."""
