"""What a desk sees around it when it decides: the time, the domain's reference revision, and who may do what."""

from collections.abc import Callable

from charging.ledger.permission import Policy
from domainservers.base.clock import Clock


class Surroundings:
    """Of one slot. They stand still while one batch or one round of turns is decided."""

    def __init__(
        self,
        domain: str,
        clock: Clock,
        revision: Callable[[], int],
        policy: Callable[[], Policy],
        domain_of: Callable[[str], str],
    ) -> None:
        """`domain_of` says to which domain the directory routes an identity, "" = to none that it knows."""
        self.domain = domain
        self.domain_of = domain_of
        self.newest_ms = 0
        """Time of the newest entry; time never runs backwards in a journal, whatever the owners' clocks say."""
        self.revision = 0
        """Reference revision of the domain."""
        self.policy = policy()
        """Grants of the directory, as this owner knows it."""
        self._clock = clock
        self._ask_revision = revision
        self._ask_policy = policy

    def look(self) -> None:
        """Look once before all that is decided in one go."""
        now_ms = self._clock.now_ms()
        if now_ms > self.newest_ms:
            self.newest_ms = now_ms
        self.revision = self._ask_revision()
        self.policy = self._ask_policy()
