"""What is done for a request between its arrival and its reply. `engine` is the door; nobody outside calls the rest."""
