"""An owner in memory that keeps the promises of the ledger plainly, and a rating that is easy to check.

`Desk` does what a domain server does, without store or clock: one effect a key, refusals kept, state rebuilt from its
entries.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b

from msgspec import Raw
from msgspec.structs import force_setattr, replace

from charging.base.account import MAIN_BOOK, MONEY, NOTHING_OPEN, Account, Book, Open, Terms
from charging.base.buckets import EMPTY
from charging.base.contract import Contract, Subscription
from charging.base.unit_key import QuotaTerms
from charging.base.usage import Charge, Step, Usage
from charging.errors import Conflict, Fault, Refused
from charging.ledger import ledger
from charging.ledger.answering import answer_of
from charging.ledger.approvals import outcome_now
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.step_session import StepSession
from charging.ledger.effect import NothingDue
from charging.ledger.entry import Entry
from charging.ledger.kinds import TAGS, Action, Event
from charging.ledger.originals import Falls, charged_fact, with_original
from charging.ledger.outcome import unchanged
from charging.ledger.own import receive_command, settle_command
from charging.rating import session_asks, sessions
from charging.wire import Done, Failed, fault, pack, unpack_answer
from charging.wire import failed as failed_of

DAY_MS = 86_400_000
FAR_MS = 1 << 53
START_MS = 1_800_000_000_000
PERIOD = "2027-01"


def contract_of(identity: str, account_id: str = "", domain: str = "GD") -> Contract:
    """Give a plain contract."""
    return Contract(identity, account_id or identity, domain, subscriptions=(Subscription("plan"),))


def opening(
    account_id: str,
    money: int = 0,
    *,
    books: tuple[Book, ...] = (),
    credit_limit: int = 0,
    attributes: dict[str, str] | None = None,
) -> OpenAccount:
    """Give the command that opens an account with some money in its main book."""
    main = Book(MAIN_BOOK, MONEY, money)
    return OpenAccount(
        account_id,
        "customer",
        "prepaid",
        "CNY",
        credit_limit,
        1,
        contract_of(account_id),
        (main, *books),
        attributes or {},
        {},
        (),
        carried=True,
    )


def an_account(account_id: str, version: int, domain: str, **parts: object) -> Account:
    """Give a state: `parts` are fields of `Account`, `Terms` or `Open`, each what it is of a new account otherwise."""
    terms, opened = Terms(domain), NOTHING_OPEN
    bare = Account(account_id, version, 0, 0, "", (), (), {}, terms, opened, EMPTY)
    return changed(bare, **parts)


def changed(account: Account, **parts: object) -> Account:
    """Give a state with other parts, wherever in it they are."""
    of_terms = {name: value for name, value in parts.items() if name in Terms.__struct_fields__}
    of_open = {name: value for name, value in parts.items() if name in Open.__struct_fields__}
    own = {name: value for name, value in parts.items() if name not in of_terms and name not in of_open}
    return replace(account, **own).with_terms(**of_terms).with_open(**of_open)


def charge_of(
    amount: int,
    *,
    takes: tuple[tuple[str, int], ...] = (),
    accruals: tuple[tuple[str, int], ...] = (),
    depends: bool = False,
    currency: str = "CNY",
) -> Charge:
    """Give a charge as rating would."""
    steps = (Step("tariff", "flat", "", 1, "event", amount, 1),)
    return Charge(amount, currency, takes, accruals, 1, depends, steps)


def post(account: Account, charge: Charge, *, service: str = "voice") -> PostCharge:
    """Give the command that takes a charge rated on this state."""
    usage = Usage(account.account_id, service, START_MS, 60)
    return PostCharge(usage, ledger.seal(charge), account.version, account.mark)


def flat_pricing(price: int = 10, free: int = 0) -> session_asks.Pricing[int]:
    """Give a rating of `price` micro-units a unit after `free` units of an allowance kept in an accumulator."""

    def rate(_: int, usage: Usage, contract: Contract, account: Account) -> Charge:
        key = f"free-{usage.service}@{PERIOD}"
        used = account.accumulators.get(key, 0)
        gratis = min(usage.quantity, max(0, free - used))
        accruals = ((key, usage.quantity),) if usage.quantity else ()
        return charge_of((usage.quantity - gratis) * price, accruals=accruals, depends=True)

    return session_asks.Pricing(
        lambda _: 1,
        rate,
        rate,
        lambda _, __: 1 << 50,
        lambda _, __, ___, ____: 0,
        lambda _, __, ___, ____: FAR_MS,
        lambda _, service, group, __: QuotaTerms(service or f"service-{group}"),
    )


class Desk:
    """Accounts by id, each with its journal. Commands with a key happen once; `crash` forgets all but the journals."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.revision = 0
        """Of reference data, told with what is done."""
        self.accounts: dict[str, Account] = {}
        self.journals: dict[str, list[Entry]] = {}
        self._keys: dict[tuple[str, str], Entry] = {}
        self._made = 0

    def open(
        self,
        account_id: str = "msisdn:8613000000001",
        money: int = 0,
        *,
        books: tuple[Book, ...] = (),
        credit_limit: int = 0,
        attributes: dict[str, str] | None = None,
    ) -> Account:
        """Open an account and give its state."""
        action = opening(account_id, money, books=books, credit_limit=credit_limit, attributes=attributes)
        self.do(account_id, action)
        return self.accounts[account_id]

    def do(self, account_id: str, action: Action, key: str = "", actor: str = "", principal: str = "local") -> Done:
        """Do a command once and give its outcome; raise its fault, also the stored refusal of a repeat."""
        return self.commit(self.command(account_id, action, key, actor, principal))

    def command(
        self, account_id: str, action: Action, key: str = "", actor: str = "", principal: str = "local"
    ) -> Command:
        """Make a command; without a key it gets a new one."""
        self._made += 1
        digest = blake2b(pack(action), digest_size=16).digest()
        return Command(account_id, key or f"key-{self._made}", digest, actor, "front", self.now_ms, action, principal)

    def known(self, account_id: str, key: str, digest: bytes = b"") -> Entry | None:
        """Give the entry of a key. Raises `Conflict` when a digest is given and the entry's is another."""
        entry = self._keys.get((account_id, key))
        if entry is not None and digest not in (b"", entry.digest):
            fields = {"request_key": "a new key for another intent"}
            raise Conflict("REQUEST_KEY_REUSED", f"key {key} was used for another request", fields=fields)
        return entry

    def commit(self, command: Command, refusal: Refused | None = None, identity: str = "") -> Done:
        """Decide and journal a command, or tell the stored outcome of its key; a `refusal` is journaled instead.

        `identity` is who asked; "" = the account itself.
        """
        known = self.known(command.account_id, command.key, command.digest)
        if known is not None:
            decided = outcome_now(self.accounts.get(command.account_id), command.key)
            return _told(decided or known.outcome)
        account = self.accounts.get(command.account_id)
        entry = self._keys.get((command.account_id, command.action.original_key()))
        original = _original(command, entry, self.journals.get(command.account_id, ()))
        if command.action.series():
            number = sum(
                len(event.numbers()) for journal in self.journals.values() for e in journal for event in e.events
            )
            original = replace(original, action=command.action.numbered(f"{command.action.series()}-{number + 1}"))
        try:
            if refusal is not None:
                raise refusal
            decision = ledger.decide(account, original, self.now_ms)
        except NothingDue:
            return unchanged(command.account_id, account, self.revision)
        except Refused as refused:
            self._journal(command, account, (), failed_of(refused), identity)
            raise
        force_setattr(decision.done, "revision", self.revision)
        outcome = answer_of(command, decision.done)
        self._journal(command, decision.account, decision.events, outcome, identity)
        self.accounts[command.account_id] = decision.account
        if isinstance(outcome, Failed):
            raise fault(outcome)
        return decision.done

    def _journal(
        self,
        command: Command,
        account: Account | None,
        events: tuple[Event, ...],
        outcome: Done | Failed,
        identity: str,
    ) -> None:
        entry = Entry(
            command.account_id,
            command.key,
            command.digest,
            account.version if account is not None else 0,
            -1,
            self.now_ms,
            TAGS[type(command.action)],
            identity or command.account_id,
            command.actor,
            command.channel,
            events,
            Raw(pack(outcome)),
            principal=command.principal,
        )
        self.journals.setdefault(command.account_id, []).append(entry)
        self._keys[(command.account_id, command.key)] = entry

    def crash(self) -> None:
        """Forget the states and rebuild them from the journals, as a new owner does."""
        self.accounts = {}
        for account_id, entries in self.journals.items():
            state: Account | None = None
            for entry in entries:
                if state is not None or entry.events:
                    state = ledger.replay(state, entry)
            if state is not None:
                self.accounts[account_id] = state

    def plan(
        self,
        account_id: str,
        session_id: str,
        operation: str,
        invocation: int,
        *units: session_asks.UnitAsk,
        pricing: session_asks.Pricing[int] | None = None,
        validity_ms: int = 60_000,
    ) -> StepSession:
        """Plan a session step on the state as it is, as the platform does."""
        account = self.accounts[account_id]
        until_ms = self.now_ms + validity_ms
        ask = session_asks.SessionAsk(session_id, operation, invocation, account_id, units, until_ms)
        return sessions.plan(pricing or flat_pricing(), account, contract_of(account_id), ask)

    def drive_transfers(self, resolve: Callable[[str], str] = lambda identity: identity) -> None:
        """Do for every transfer under way what its owner does: receive at the other side, settle at home."""
        for account in list(self.accounts.values()):
            for row in account.open.outgoing:
                if row.voucher is not None:
                    continue
                refusal = ""
                try:
                    self.commit(receive_command(account, row, resolve(row.to_identity), self.now_ms))
                except Fault as answer:
                    refusal = answer.reason
                self.commit(settle_command(account, row, refusal, self.now_ms))


def _told(outcome: bytes | Raw) -> Done:
    answer = unpack_answer(outcome)
    if isinstance(answer, Failed):
        raise fault(answer)
    if not isinstance(answer, Done):
        raise TypeError(type(answer).__name__)
    return answer


def _original(command: Command, entry: Entry | None, journal: Sequence[Entry]) -> Command:
    """Give a command what the journal says of the charge it is about; any other as it is."""
    if not command.action.original_key():
        return command
    told = charged_fact(entry) if entry is not None else None
    if told is None or not told.session_id:
        return with_original(command, entry)
    falls = Falls(told.session_id)
    for newer in reversed(journal):
        if newer is entry:
            break
        falls.pass_over(newer)
    return with_original(command, entry, falls)
