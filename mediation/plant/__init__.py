"""The plant: the folder in which files are landed, decoded, freed of duplicates and charged, and the ledger of it."""
