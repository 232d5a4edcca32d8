"""Reference data of regions as billing uses it: it asks rarely, and much at once; catalogues are compiled once."""

from appserver.reference import DomainReference, newer
from charging.plans.timeline import Timeline
from charging.wire import Reference

HELD_MAX = 64
NOT_HELD = -1


class Plans:
    """The newest reference data of each region that was asked for, with its timeline."""

    def __init__(self) -> None:
        self._held: dict[str, DomainReference] = {}

    def held(self, domain: str) -> Reference | None:
        """Give what was told last of a region; None = nothing is held."""
        known = self._held.get(domain)
        return known.told if known is not None else None

    def revision(self, domain: str) -> int:
        """Give the revision that is held, `NOT_HELD` = none: while it is the newest, it need not be told again."""
        held = self.held(domain)
        return held.revision if held is not None else NOT_HELD

    def timeline(self, reference: Reference) -> Timeline:
        """Give what the catalogues say that were told."""
        held = self._held.get(reference.domain)
        return (held if held is not None else self.take(reference)).timeline

    def take(self, reference: Reference) -> DomainReference:
        """Hold reference data that was told; the newer of two."""
        known = self._held.get(reference.domain)
        if known is None and len(self._held) >= HELD_MAX:
            self._held.clear()
        held = self._held[reference.domain] = newer(known, reference)
        return held
