"""What a process asks the directory: the state of the control log at the revision that it knows, and routes."""

from collections.abc import Mapping
from types import MappingProxyType

from charging import wire
from charging.errors import NotFound
from charging.ledger.permission import Policy
from directory.ports import Port
from directory.routes import Route, RouteCache
from directory.state import DirectoryState, DomainInfo


class DirectoryView:
    """The directory, to read."""

    def __init__(self, routes_cached_max: int) -> None:
        self._state = DirectoryState()
        self.routes = RouteCache(self._state, routes_cached_max)

    @property
    def revision(self) -> int:
        """Sequence of the last group of the log that is known here; 0 = an empty log."""
        return self._state.revision

    @property
    def domains(self) -> Mapping[str, DomainInfo]:
        """All regions by code, with the addresses of their units."""
        return MappingProxyType(self._state.domains)

    @property
    def units(self) -> Mapping[str, str]:
        """Addresses of storage units by name."""
        return MappingProxyType(self._state.units)

    @property
    def channels(self) -> Mapping[str, wire.ChannelRef]:
        """Access channels by code."""
        return MappingProxyType(self._state.channels)

    @property
    def partners(self) -> Mapping[str, wire.PartnerRef]:
        """Partners by code."""
        return MappingProxyType(self._state.partners)

    @property
    def state(self) -> DirectoryState:
        """The whole picture, to read only and not to keep: it moves on with the log, in place."""
        return self._state

    @property
    def policy(self) -> Policy:
        """Who may do what, by the grants of this revision; another object whenever they change."""
        return self._state.policy

    def port(self, key: str) -> Port | None:
        """Give a port by its request key; None when it never began, or ended before the newest that are kept."""
        state = self._state
        return state.ports.get(key)

    def ports_open(self) -> list[Port]:
        """Give the ports that have begun and not ended."""
        state = self._state
        return state.ports.under_way()

    def catalogues(self, domain: str) -> tuple[wire.CatalogueRef, ...]:
        """Give the national catalogues and those of a domain, oldest first."""
        return self._state.catalogues_of(domain)

    def publications(self) -> tuple[wire.CatalogueRef, ...]:
        """Give all catalogues in the order in which they were published, the same in every process."""
        return tuple(self._state.catalogues.values())

    def reference_revision(self, domain: str) -> int:
        """Give the revision that last changed `reference(domain)`; entries and ports don't move it."""
        return self._state.reference_revision(domain)

    def reference(self, domain: str) -> wire.Reference:
        """Give what the platform needs to know of a domain.

        Raises `NotFound` with reason DOMAIN_UNKNOWN.
        """
        state = self._state
        info = state.domains.get(domain)
        if info is None:
            raise NotFound("DOMAIN_UNKNOWN", f"there is no domain {domain[:40]!r}", facts={"domain": domain[:40]})
        return wire.Reference(
            domain=domain,
            revision=state.reference_revision(domain),
            time_zone=info.time_zone,
            slots=info.slots,
            channels=tuple(state.channels.values()),
            partners=tuple(state.partners.values()),
            catalogues=state.catalogues_of(domain),
            domains=tuple(state.domains),
            grants=tuple(state.grants.values()),
        )

    def resolve(self, identity: str) -> Route:
        """Say where a normalised identity is served: by its explicit entry, else by the longest prefix.

        Raises `NotFound` with reason IDENTITY_UNROUTED.
        """
        return self.routes[identity]
