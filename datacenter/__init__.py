"""The data center: routes each identity to the owner of its slot and never parses what it forwards."""
