"""What is done for a request: pull, rate, commit, reply. One object, driven by `appserver.work.engine`.

A charge needs the account, the contract and the catalogue. What is cached is used as it is, because the owner checks
every commit against the state it was rated on; queries and dry runs are answered from a pull made for them.
"""

from collections import deque
from collections.abc import Callable, Sequence

from appserver.access_log import AccessLog
from appserver.asks import OUTCOME, Kind, Stage
from appserver.batches.pending import Counter
from appserver.door.clients import check_lines
from appserver.known.accounts import AccountCache, Entry
from appserver.settings import AppServerSettings
from appserver.uplink.links import Carrier, Fetch, Outgoing, Pull
from appserver.work.answers import answer_done, answer_outcome, answer_query, answer_quote, unexpected
from appserver.work.commands import charge_command, open_command, order_command
from appserver.work.items import Item
from appserver.work.library import Library
from charging.errors import (
    Broken,
    Conflict,
    Denied,
    Expired,
    Fault,
    Invalid,
    NotFound,
    Overloaded,
    Refused,
    Unavailable,
)
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from charging.wire import (
    Answer,
    BusinessData,
    Commit,
    Done,
    Failed,
    FetchHistory,
    History,
    HistoryLine,
    Lookup,
    Stale,
    Unknown,
    pack,
)
from charging.wire import Pull as PullAsk
from charging.wire import fault as fault_of
from runtime.telemetry import logger

log = logger("appserver.work")

CONTENDED_RETRY_MS = 20
MOVING_RETRY_MS = 100
_UNCERTAIN = (Unavailable, Expired, Broken)


class Work:
    """Items between their arrival and their reply. `wake` is called when something can go on."""

    def __init__(
        self,
        counter: Counter,
        settings: AppServerSettings,
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
        wake: Callable[[], None],
        access: AccessLog,
    ) -> None:
        self.accounts = AccountCache(settings.accounts_cached_max, settings.accounts_cached_bytes_max)
        self.ready: deque[Item] = deque()
        """What can go on now, in order; before anything new."""
        self.turns: deque[Entry] = deque()
        """Accounts without a commit under way that somebody waits for. Whoever is in `Entry.waiting` either waits for
        answers, or the account is listed here."""
        self.out = Outgoing(0, self)
        """The batch being filled."""
        self.hits = 0
        self.misses = 0
        self.library = Library(self._go_on, self._refuse, clock, settings.reference_check_ms / 1000)
        self._counter = counter
        self._clock = clock
        self._rerate_max = settings.rerate_max
        self._session_validity_ms = settings.session_validity_ms
        self._wall_ms = wall_ms
        self.now_ms = wall_ms()
        """UTC, renewed with each batch: the requests of one batch see one time."""
        self.now_s = clock()
        """The same moment on the loop's clock."""
        self._wake = wake
        self._access = access
        self._pulls: dict[str, Pull] = {}
        """Under way, for charges and commands: these are checked by the owner, so any pull will do."""
        self._fresh_pulls: dict[str, Pull] = {}
        """In the batch being filled, for queries: nothing that was asked before they came would do."""

    def tick(self) -> int:
        """Renew the time; gives it."""
        self.now_ms = self._wall_ms()
        self.now_s = self._clock()
        return self.now_ms

    def open_batch(self) -> Outgoing:
        """Begin the next batch; gives the one that was filled, which the caller sends."""
        filled = self.out
        self.out = Outgoing(filled.number + 1, self)
        self._fresh_pulls = {}
        return filled

    def serve_turns(self) -> None:
        """Take up who waits for an account, in order, until its chain is closed or the batch is full."""
        while self.turns and not self.out.is_full:
            entry = self.turns[0]
            waiting = entry.waiting
            while waiting and not entry.is_closed(self.out.number) and not self.out.is_full:
                self.step(waiting.popleft(), turn=True)
            if not waiting or entry.flight:
                self.turns.popleft()

    def step(self, item: Item, *, turn: bool = False) -> None:
        """Do the next thing for an item. One that fails for whatever reason fails alone.

        `turn` says that it has waited for its account; whoever comes new stands behind those who wait.
        """
        if item.batch.answered(item.position):
            return
        try:
            self._step(item, turn)
        except Fault as fault:
            self._fail(item, fault)
        except Exception:
            log.exception("request failed", kind=item.kind.name)
            self._refuse(item, Broken("INTERNAL", "an internal error; it is in the server's log"))

    def _step(self, item: Item, turn: bool) -> None:
        if item.kind is Kind.QUERY or item.kind is Kind.QUOTE:
            self._ask_or_answer(item)
            return
        if isinstance(item.order, OpenAccount):
            self._open(item, item.order)
            return
        entry = self.accounts.get(item.identity)
        if entry is None:
            self._pull(item)
            return
        if entry.is_closed(self.out.number) or (entry.waiting and not turn):
            entry.waiting.append(item)
            return
        now_ms = self.now_ms
        account = entry.current(now_ms)
        contract = entry.contracts.get(item.identity)
        if account is None or contract is None:
            if entry.flight:
                entry.close()
                entry.waiting.appendleft(item)
            else:
                self._pull(item)
            return
        held = self.library.get(contract.domain, self.now_s)
        if held is None:
            self.library.want(contract.domain, 0, [item], self.out)
            return
        item.held = held
        refusal = held.admit(item)
        if refusal is not None:
            self._fail(item, refusal)  # Not raised: it is kept, and would keep a trace with this batch in it.
            return
        self.hits += 1
        if item.kind is Kind.CHARGE:
            command = charge_command(item, entry, account, contract, held, now_ms)
        else:
            command = order_command(item, entry, account, contract, held, now_ms, self._session_validity_ms)
        self._commit(item, entry, command)

    def _commit(self, item: Item, entry: Entry, command: Command) -> None:
        out = self.out
        entry.sent(item, command, out.number, predictable=command.action.traits.predictable)
        item.entry = entry  # Until it is settled, once.
        item.place = out.add(item.identity, pack(Commit(item.identity, command)), item)
        if item.batch.deadline > out.deadline:
            out.deadline = item.batch.deadline

    def _open(self, item: Item, order: OpenAccount) -> None:
        domain = order.contract.domain or (item.held.domain if item.held is not None else "")
        held = self.library.get(domain, self.now_s) if domain else None
        if held is None:
            if domain:
                self.library.want(domain, 0, [item], self.out)
            else:
                self.library.find_domain(item, self.out)
            return
        item.held = held
        refusal = held.admit(item)
        if refusal is not None:
            self._fail(item, refusal)  # Not raised: it is kept, and would keep a trace with this batch in it.
            return
        command = open_command(item, order, held, self.now_ms)
        self._ask(item, pack(Commit(item.identity, command)))

    def _ask_or_answer(self, item: Item) -> None:
        data = item.data
        if data is None:
            self._pull(item)
            return
        held = self.library.get(data.contract.domain, self.now_s)
        if held is None:
            self.library.want(data.contract.domain, 0, [item], self.out)
            return
        item.held = held
        refusal = held.admit(item)
        if item.kind is Kind.QUERY:
            reason = "" if refusal is None else refusal.reason
            refusal = self._access.note(item, data.account.account_id, self.now_ms, reason) or refusal
        if refusal is not None:
            self._fail(item, refusal)  # Not raised: it is kept, and would keep a trace with this batch in it.
            return
        if item.kind is Kind.QUOTE:
            answer_quote(self._counter, item, data, held, self.now_ms)
        elif item.view == OUTCOME:
            item.stage = Stage.LOOKUP
            self._ask(item, pack(Lookup(item.identity, item.key)))
        elif item.view == "history" or (item.view == "usage" and item.explain):
            check_lines(item, self.now_s)
            item.stage = Stage.LINES
            self._ask(item, pack(FetchHistory(item.identity, item.lines_max, 0, item.cursor)))
        else:
            answer_query(self._counter, item, data, held, (), self.now_ms)

    def _ask(self, item: Item, body: bytes) -> None:
        self.out.add(item.identity, body, item)
        self.out.deadline = max(self.out.deadline, item.batch.deadline)

    def _pull(self, item: Item) -> None:
        self.misses += 1
        identity = item.identity
        pulls = self._fresh_pulls if item.kind is Kind.QUERY or item.kind is Kind.QUOTE else self._pulls
        pull = pulls.get(identity)
        if pull is None:
            pull = pulls[identity] = Pull(identity)
            self.out.add(identity, pack(PullAsk(identity)), pull)
        pull.items.append(item)
        self.out.deadline = max(self.out.deadline, item.batch.deadline)

    # Answers.

    def take(self, carrier: Carrier, answer: Answer, size: int) -> None:
        """Take the answer to a pull, a fetch, or what an item asked. A defect harms its item alone."""
        try:
            if type(carrier) is Item:
                self._take_item(carrier, answer)
            elif type(carrier) is Pull:
                self._take_pull(carrier, answer, size)
            elif type(carrier) is Fetch:
                self.library.take(carrier, answer)
        except Exception:
            log.exception("answer failed", carrier=type(carrier).__name__, answer=type(answer).__name__)
            self.lose(carrier, Broken("INTERNAL", "an internal error; it is in the server's log"))

    def hear(self, domain: str, revision: int) -> None:
        """A part of answers says at which revision a domain's reference data is."""
        self.library.hear(domain, revision, self.out)

    def lose(self, carrier: Carrier, fault: Fault) -> None:
        """There will be no answer: whether it happened is unknown."""
        if isinstance(carrier, Item):
            self._take_failed(carrier, fault)
        elif isinstance(carrier, Pull):
            self._end_pull(carrier)
            for item in carrier.items:
                self._refuse(item, fault)
        else:
            self.library.lose(carrier, fault)

    def settled(self) -> None:
        """A part has been taken: the next turn sends replies and goes on with what waited, once for all parts."""
        self._wake()

    def _take_pull(self, pull: Pull, answer: Answer, size: int) -> None:
        self._end_pull(pull)
        if not isinstance(answer, BusinessData):
            fault = fault_of(answer) if isinstance(answer, Failed) else unexpected(answer)
            if isinstance(fault, NotFound):
                self.accounts.drop(pull.identity)
            for item in pull.items:
                # An identity that is known no more may have had an account, which still knows the key.
                (self._fail if isinstance(fault, NotFound) else self._refuse)(item, fault)
            return
        self.accounts.put(answer, size)
        for item in pull.items:
            item.data = answer
        if self.library.is_current(answer.contract.domain, answer.revision):
            self.ready.extend(pull.items)
        else:
            self.library.want(answer.contract.domain, answer.revision, pull.items, self.out)

    def _end_pull(self, pull: Pull) -> None:
        if self._pulls.get(pull.identity) is pull:
            del self._pulls[pull.identity]

    def _take_item(self, item: Item, answer: Answer) -> None:
        if item.stage is Stage.LOOKUP and item.kind is Kind.QUERY:
            answer_outcome(self._counter, item, answer)
        elif type(answer) is Done:
            self._take_done(item, answer)
        elif type(answer) is Failed:
            self._take_failed(item, fault_of(answer), repeated=answer.repeated)
        elif type(answer) is Stale:
            self._take_stale(item, answer)
        elif type(answer) is History:
            item.cursor = answer.next_position
            self._take_lines(item, answer.lines)
        elif type(answer) is Unknown and item.fault is not None:
            self._refuse(item, item.fault)
        else:
            self._take_failed(item, unexpected(answer))

    def _take_done(self, item: Item, done: Done) -> None:
        entry, item.entry = item.entry, None
        if entry is not None:
            entry.settle_done(item, done)
            if not entry.flight:
                self._release(entry)
        answer_done(self._counter, item, done)

    def _take_lines(self, item: Item, lines: tuple[HistoryLine, ...]) -> None:
        if item.data is not None and item.held is not None:
            answer_query(self._counter, item, item.data, item.held, lines, self.now_ms)

    def _take_stale(self, item: Item, stale: Stale) -> None:
        entry, item.entry = item.entry, None
        if entry is None:
            self._refuse(item, unexpected(stale))
            return
        item.attempts += 1
        again = item.attempts <= self._rerate_max
        entry.settle_stale(item if again else None, stale.data)
        if not again:
            text = f"the account moved on {item.attempts} times while the request was rated"
            self._refuse(item, Unavailable("ACCOUNT_CONTENDED", text, retry_ms=CONTENDED_RETRY_MS))
        if not entry.flight:
            self._release(entry)

    def _take_failed(self, item: Item, fault: Fault, *, repeated: bool = False) -> None:
        if item.stage is Stage.RATE:
            self._end_commit(item, fault)
            if fault.reason == "ACCOUNT_MOVED":
                # Its new domain serves it as soon as the route is known; nothing was done here.
                fault = Unavailable("ACCOUNT_MOVING", fault.message, retry_ms=MOVING_RETRY_MS)
            self._refuse(item, fault)
        elif item.fault is not None and not repeated and not isinstance(fault, (*_UNCERTAIN, Conflict, Overloaded)):
            self._refuse(item, item.fault)
        else:
            self._refuse(item, fault)

    def _end_commit(self, item: Item, fault: Fault) -> None:
        entry, item.entry = item.entry, None
        if isinstance(fault, NotFound):
            self.accounts.drop(item.identity)
        if entry is not None:
            entry.settle_refused(item, certain=not isinstance(fault, _UNCERTAIN))
            if fault.reason == "ACCOUNT_MOVED":
                entry.broken = True
            if not entry.flight:
                self._release(entry)

    def _release(self, entry: Entry) -> None:
        if entry.release():
            self.turns.append(entry)

    def _go_on(self, items: Sequence[Item]) -> None:
        self.ready.extend(items)

    def _fail(self, item: Item, fault: Fault) -> None:
        """The platform can't serve it. Under a key something may have been done before: that outcome wins.

        What rests on reference data is said only of the newest.
        """
        held = item.held
        judged = isinstance(fault, (Invalid, Denied, NotFound, Refused))
        if judged and held is not None and self.library.confirm(item, held, self.out):
            return
        if item.key and item.stage is Stage.RATE and item.kind is not Kind.QUERY:
            item.fault, item.stage = fault.bare(), Stage.LOOKUP
            self._ask(item, pack(Lookup(item.identity, item.key, item.digest)))
        else:
            self._refuse(item, fault)

    def _refuse(self, item: Item, fault: Fault) -> None:
        self._counter.refuse(item.batch, item.position, fault, item.kind.name)
