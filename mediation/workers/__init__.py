"""Work on many machines: tasks as bytes, handed out by a scheduler that others wrote (Dask), among operators only."""
