"""The directory: the control log of the whole system, and what every process knows from tailing it."""
