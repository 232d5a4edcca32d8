"""Details: rated usage kept beside the journals for as long as the operator says, by region, slot and day of use."""
