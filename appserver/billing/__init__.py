"""The door for billing: what operators ask of the bill runs, carried to the slots that hold them."""
