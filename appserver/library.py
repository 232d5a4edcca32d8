"""The reference data held, by domain, and how it is renewed.

Business data and outcomes carry the revision of their domain's reference data; a newer one than held makes the
platform fetch. A published catalogue is so seen with the first answer of a domain server that knows it.
"""

from collections.abc import Callable, Sequence

from appserver.items import Item
from appserver.reference import Held
from appserver.uplink import Fetch, Outgoing
from charging.errors import Broken, Fault, Invalid, NotFound
from charging.timeline import Timeline
from charging.wire import Answer, Failed, FetchReference, Reference, pack
from charging.wire import fault as fault_of
from runtime.telemetry import logger

log = logger("appserver.library")

FETCH_S = 5.0
"""How long a fetch may take that nobody's deadline bounds."""


class Library:
    """Reference data by domain. `go_on` and `refuse` take items that waited for some."""

    def __init__(
        self,
        go_on: Callable[[Sequence[Item]], None],
        refuse: Callable[[Item, Fault], None],
        clock: Callable[[], float],
        recheck_s: float,
    ) -> None:
        self._held: dict[str, Held] = {}
        self.get = self._held.get
        """`get(domain)`: what is held, or None."""
        self._go_on = go_on
        self._refuse = refuse
        self._clock = clock
        self._recheck_s = recheck_s
        self._fetches: dict[str, Fetch] = {}
        self._lagging: dict[str, tuple[int, float]] = {}
        """Revision wanted and when to ask again, where the domain server that answered was behind."""

    def is_current(self, domain: str, revision: int) -> bool:
        """Say whether what is held is good for a revision."""
        held = self._held.get(domain)
        return held is not None and held.revision >= revision

    def want(self, domain: str, revision: int, items: Sequence[Item], out: Outgoing) -> None:
        """Fetch, and let the items go on when it is there. One fetch of a domain is under way at a time."""
        fetch = self._fetches.get(domain)
        if fetch is None:
            fetch = self._fetches[domain] = Fetch(domain, revision)
            out.add(f"domain:{domain}", pack(FetchReference(domain)), fetch)
            out.deadline = max(out.deadline, self._clock() + FETCH_S)
        fetch.items.extend(items)

    def find_domain(self, item: Item, out: Outgoing) -> None:
        """Fetch that of whatever domain serves the identity of an item; it goes on with it as `item.held`."""
        fetch = Fetch("", 0)
        fetch.items.append(item)
        out.add(item.identity, pack(FetchReference("")), fetch)
        out.deadline = max(out.deadline, item.batch.deadline)

    def take(self, fetch: Fetch, answer: Answer) -> None:
        """Take the answer to a fetch."""
        if isinstance(answer, Reference):
            try:
                held = self._put(answer, fetch.revision)
            except Fault as fault:
                log.error("reference data refused", domain=answer.domain, reason=fault.reason, why=fault.message)
                self.lose(fetch, Broken(fault.reason, fault.message))
                return
            self._fetches.pop(fetch.domain, None)
            if not fetch.domain:
                for item in fetch.items:
                    item.held = held
            self._go_on(fetch.items)
        elif isinstance(answer, Failed):
            self.lose(fetch, fault_of(answer))
        else:
            self.lose(fetch, Broken("ANSWER_UNEXPECTED", f"{type(answer).__name__} is no answer to a fetch"))

    def lose(self, fetch: Fetch, fault: Fault) -> None:
        """The fetch failed: so do the items that waited for it."""
        self._fetches.pop(fetch.domain, None)
        if isinstance(fault, NotFound) and fetch.domain:
            # Only the opening of an account names a domain that nobody has checked yet.
            text = "the code of a region, or nothing to open the account where its identity is served"
            fields = {"open_account.contract.domain": text}
            fault = Invalid("REGION_UNKNOWN", f"there is no region {fetch.domain[:40]!r}: give {text}", fields=fields)
        for item in fetch.items:
            self._refuse(item, fault)

    def recheck(self, out: Outgoing) -> None:
        """Ask again where an older revision than wanted was given, once its time has come."""
        if self._lagging:
            now = self._clock()
            for domain, (revision, due) in list(self._lagging.items()):
                if due <= now:
                    del self._lagging[domain]
                    self.want(domain, revision, [], out)

    def _put(self, reference: Reference, wanted_revision: int) -> Held:
        """Keep what was fetched because of a revision.

        A domain server that lags gives an older one; what it gave is then good enough, so that requests don't wait for
        its poll, and is fetched again soon.
        """
        domain = reference.domain
        before = self._held.get(domain)
        if before is not None and before.reference.revision > reference.revision:
            held = before
        elif before is not None and before.reference.catalogues == reference.catalogues:
            held = Held(reference, before.timeline)
        else:
            held = Held(reference, Timeline.build(reference.catalogues, domain, reference.time_zone))
        if held.reference.revision < wanted_revision:
            self._lagging[domain] = (wanted_revision, self._clock() + self._recheck_s)
        held.revision = max(held.revision, wanted_revision)
        self._held[domain] = held
        return held
