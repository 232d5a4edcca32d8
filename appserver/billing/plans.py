"""What the catalogues of a region say, compiled once for each revision: billing asks rarely, and much at once."""

from appserver.reference import newer
from charging.plans.timeline import Timeline
from charging.wire import Reference

HELD_MAX = 64


class Plans:
    """The newest timeline of each region that was asked for."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, Timeline]] = {}

    def of(self, reference: Reference) -> Timeline:
        """Give the timeline of reference data."""
        held = self._held.get(reference.domain)
        if held is not None and held[0] == reference.revision:
            return held[1]
        timeline = newer(None, reference).timeline
        if len(self._held) >= HELD_MAX:
            self._held.clear()
        self._held[reference.domain] = reference.revision, timeline
        return timeline
