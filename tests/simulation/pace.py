"""Time as steps have it in the simulation: it passes whenever somebody looks, so each run of a seed steps alike."""

from itertools import count

from runtime.pace import STEP_S, RunPace


def a_pace() -> RunPace:
    """Make a pace whose steps have three pieces."""
    looks = count()
    return RunPace(0.5, lambda: next(looks) * STEP_S / 4)
