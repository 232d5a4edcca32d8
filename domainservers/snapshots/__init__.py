"""Writing a slot down: rounds, deltas, lists of segments, and the checkpoint from which recovery starts."""
