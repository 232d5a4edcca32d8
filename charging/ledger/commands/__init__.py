"""The commands, one file each: the action and what is true of it, its decision, the events that it alone makes."""
