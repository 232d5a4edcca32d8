"""Rating by columns: the same prices as `charging.rating.rating` gives record by record, for whole cycles at once."""
