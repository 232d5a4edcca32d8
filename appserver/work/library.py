"""The reference data held, by domain, and how it is renewed. Success of requests has no part in it.

What is held is good for a lease. While a domain is used it is asked again and again, well within the lease, whether
there is something newer; one that wasn't used for longer is asked before it is used. Each part of answers, refusals
too, carries the revisions of its domains: a newer one ends the lease at once. And a refusal that rests on what is held
is told only when that was the newest a moment ago (`confirm`).
"""

from collections import deque
from collections.abc import Callable, Sequence

from appserver.batches.item import WorkItem
from appserver.batches.pending import Pending
from appserver.reference import DomainReference, newer
from appserver.uplink.outgoing import Outbox, Taker
from charging.errors import Broken, Fault, Invalid, NotFound
from charging.wire import Answer, Failed, FetchReference, Reference, Unchanged, pack
from charging.wire import fault as fault_of
from runtime.telemetry import logger

log = logger("appserver.library")

FETCH_S = 5.0
NEWS_S = 1.0
"""How long a fetch may take that requests wait for, and one that nobody waits for."""
LEASE_CHECKS = 5
"""A lease is so many times the pause between two questions."""
CONFIRM_S = 0.05
"""A refusal rests on what was the newest so long ago at most; so refusals ask twenty times a second at most."""


PATIENCE_S = 0.3
"""How long requests wait for news of reference data that is held already; then they go on with it."""


class Fetch:
    """Reference data asked for a domain, and who waits for it."""

    __slots__ = ("domain", "items", "patience", "revision", "sent")

    def __init__(self, domain: str, revision: int, sent: float) -> None:
        self.domain = domain
        """"" = whatever domain serves the identity of the item that waits."""
        self.revision = revision
        """What made it: at least this one is wanted."""
        self.sent = sent
        """Loop time, seconds: what comes is as things were then, or later."""
        self.patience = sent + PATIENCE_S
        """Loop time at which who waits goes on with what is held."""
        self.items: list[WorkItem] = []


class Library(Taker[Fetch]):
    """Reference data by domain. Items that waited for some go on by `ready`. `clock` is the loop's, seconds."""

    def __init__(
        self,
        outbox: Outbox,
        ready: deque[WorkItem],
        pending: Pending,
        clock: Callable[[], float],
        check_s: float,
    ) -> None:
        """`check_s` is the pause between two questions whether a domain that is used has something newer."""
        self._held: dict[str, DomainReference] = {}
        self._outbox = outbox
        self._ready = ready
        self._pending = pending
        self._clock = clock
        self._check_s = check_s
        self._lease_s = check_s * LEASE_CHECKS
        self._fetches: dict[str, Fetch] = {}

    def get(self, domain: str, item: WorkItem, now: float) -> DomainReference | None:
        """Give what is held and good at a loop time, seconds; it counts as used. None = the item waits until it is."""
        held = self._held.get(domain)
        if held is None or now >= held.good_until:
            self.want(domain, 0, [item])
            return None
        held.used = True
        return held

    def is_current(self, domain: str, revision: int) -> bool:
        """Say whether what is held is good for a revision."""
        held = self._held.get(domain)
        return held is not None and held.revision >= revision

    def want(self, domain: str, revision: int, items: Sequence[WorkItem]) -> None:
        """Fetch, and let the items go on when it is there. One fetch of a domain is under way at a time.

        `revision` is what made it, 0 = nothing is held. Items go on too when the fetch fails while something is held.
        """
        fetch = self._fetches.get(domain)
        if fetch is None:
            now = self._clock()
            fetch = self._fetches[domain] = Fetch(domain, revision, now)
            held = self._held.get(domain)
            known = held.told.revision if held is not None else -1
            deadline = now + (FETCH_S if items else NEWS_S)
            self._outbox.add(f"domain:{domain}", pack(FetchReference(domain, known)), self, fetch, deadline)
        fetch.items.extend(items)

    def hear(self, domain: str, revision: int) -> None:
        """Take note of the revision at which a domain is: what is older is not used any more."""
        held = self._held.get(domain)
        if held is not None and revision > held.revision:
            held.good_until = 0.0
            self.want(domain, revision, [])

    def confirm(self, item: WorkItem, held: DomainReference) -> bool:
        """Let an item that is to be refused wait until what is held was known to be the newest after it came.

        False when that is so already, or has been seen to once: then the refusal stands.
        """
        if item.confirmed or self._clock() < held.as_of + CONFIRM_S:
            return False
        item.confirmed = True
        self.want(held.domain, held.revision, [item])
        return True

    def find_domain(self, item: WorkItem) -> None:
        """Fetch that of whatever domain serves the identity of an item; it goes on with it as `item.reference`."""
        fetch = Fetch("", 0, self._clock())
        fetch.items.append(item)
        self._outbox.add(item.request.identity, pack(FetchReference("")), self, fetch, item.batch.deadline)

    def take(self, asked: Fetch, answer: Answer, size: int) -> None:
        """Take the answer to a fetch; the items that waited go on by `ready`, or are refused."""
        if isinstance(answer, Reference):
            try:
                held = self._put(answer, asked)
            except Fault as fault:
                log.error("reference data refused", domain=answer.domain, reason=fault.reason, why=fault.message)
                self.lose(asked, Broken.told(fault.reason, fault.message))
                return
            self._end(asked)
            if not asked.domain:
                for item in asked.items:
                    item.reference = held
            self._ready.extend(asked.items)
        elif isinstance(answer, Unchanged) and asked.domain in self._held:
            self._renew(self._held[asked.domain], asked)
            self._end(asked)
            self._ready.extend(asked.items)
        elif isinstance(answer, Failed):
            self.lose(asked, fault_of(answer))
        else:
            self.lose(asked, Broken("ANSWER_UNEXPECTED", f"{type(answer).__name__} is no answer to a fetch"))

    def lose(self, asked: Fetch, fault: Fault) -> None:
        """The fetch failed: the items that waited for it go on with what is held, or fail when there is nothing."""
        self._end(asked)
        held = self._held.get(asked.domain)
        if held is not None:
            held.good_until = self._clock() + self._check_s
            self._ready.extend(asked.items)
            return
        if isinstance(fault, NotFound) and asked.domain:
            # Only the opening of an account names a domain that nobody has checked yet.
            text = "the code of a region, or nothing to open the account where its identity is served"
            fields = {"open_account.contract.domain": text}
            fault = Invalid("REGION_UNKNOWN", f"there is no region {asked.domain[:40]!r}: give {text}", fields=fields)
        for item in asked.items:
            self._pending.refuse_item(item, fault)

    def recheck(self) -> None:
        """Ask for news of what is used, once its time has come; let go on who has waited long enough for some."""
        now = self._clock()
        for domain, held in self._held.items():
            if held.used and now >= held.as_of + self._check_s and domain not in self._fetches:
                held.used = False
                self.want(domain, held.revision, [])
        # The fetch goes on without those who waited; what it brings serves the next.
        for domain, fetch in self._fetches.items():
            waited = self._held.get(domain)
            if waited is not None and fetch.items and now >= fetch.patience:
                # Whoever should know is slow or away: that is no reason to serve nobody.
                waited.good_until = max(waited.good_until, now + self._check_s)
                items, fetch.items = fetch.items, []
                self._ready.extend(items)

    def _end(self, fetch: Fetch) -> None:
        if self._fetches.get(fetch.domain) is fetch:
            del self._fetches[fetch.domain]

    def _renew(self, held: DomainReference, fetch: Fetch) -> None:
        held.as_of = fetch.sent
        held.revision = max(held.revision, fetch.revision)
        held.good_until = fetch.sent + self._lease_s
        # A domain server that lags gives an older one; what it gave is then good enough, so that requests don't wait
        # for its poll, and is asked for again soon.
        held.used = held.used or held.told.revision < held.revision

    def _put(self, reference: Reference, fetch: Fetch) -> DomainReference:
        """Keep what was fetched, unless what is held is newer. Raises what compiling a catalogue raises."""
        held = self._held[reference.domain] = newer(self._held.get(reference.domain), reference)
        self._renew(held, fetch)
        return held
