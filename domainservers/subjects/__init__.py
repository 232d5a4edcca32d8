"""What a slot holds besides accounts: subjects of any kind, decided, journaled and replayed beside them."""
