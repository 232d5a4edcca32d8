"""Bills as documents: what a customer, a portal or an archive gets of a bill, as JSON and as a PDF."""
