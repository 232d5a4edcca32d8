"""The platform alone: a data center with everything behind it, in memory.

`OwnerInMemory` answers packed asks with the real ledger; `catalogue` is a small country's.
"""

import time
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import asked_for
from charging.base.contract import Contract
from charging.base.identity import mask
from charging.catalogue.document import Catalogue, from_plain
from charging.catalogue.document import pack as pack_catalogue
from charging.errors import Denied, Fault, Invalid, NotFound, Refused, Unavailable
from charging.ledger import history
from charging.ledger.admitting import not_kept
from charging.ledger.approvals import outcome_now
from charging.ledger.command import Command
from charging.ledger.commands.change_identity import ChangeIdentity
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.join import Join
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.release_number import ReleaseNumber
from charging.ledger.commands.reopen_account import Reopen
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.details import RatedUsage, records
from charging.ledger.effect import VersionMoved
from charging.ledger.entry import Entry
from charging.ledger.events import ContractSet
from charging.ledger.kinds import Action, Revision
from charging.ledger.outcome import HistoryLine, unpack_outcome
from charging.ledger.permission import Grant
from charging.ledger.revising import check_basis
from charging.wire import (
    Answer,
    Ask,
    Bills,
    BusinessData,
    CatalogueRef,
    ChannelRef,
    CloseAccounts,
    Commit,
    Detail,
    FetchBills,
    FetchCustomer,
    FetchDetail,
    FetchDue,
    FetchHistory,
    FetchReference,
    FetchResting,
    History,
    Inspect,
    Instruct,
    Lookup,
    PartnerRef,
    Pull,
    Reference,
    Stale,
    Unchanged,
    Unknown,
    failed,
    pack,
    unpack_ask,
)
from domainservers.desk.checking import needs_rest
from testkit.asks_of_runs import closed, due
from testkit.ledger import FAR_MS, Desk
from testkit.lists import customer, owing, resting
from testkit.subjects import SubjectsInMemory

DOMAINS = ("GD", "BJ")
CHANNELS = (
    ChannelRef("front", "front end", True, False),
    ChannelRef("fax", "fax", False, False),
    ChannelRef("partner", "partners", True, True),
)
PARTNERS = (PartnerRef("acme", "Acme", True), PartnerRef("gone", "Gone", False))
SLOTS = 3
"""Of each domain, as its reference data says."""


def catalogue(version: int = 1, voice_price: str = "0.2") -> Catalogue:
    """Give a catalogue: calls by the minute, messages, data with an allowance in an offering."""
    services = ["voice", "sms", "data"]
    rates = [{"price": voice_price, "per": "60", "increment": "60"}]
    return from_plain(
        {
            "catalogue": "test",
            "version": str(version),
            "currency": "CNY",
            "services": [
                {"id": "voice", "unit": "second"},
                {"id": "sms", "unit": "event"},
                {"id": "data", "unit": "byte"},
            ],
            "rating_groups": [
                {"id": "texts", "group": "5", "service": "sms"},
                {"id": "internet", "group": "10", "service": "data"},
                {"id": "video", "group": "20", "service": "data", "attributes": {"app": "video"}},
                {"id": "page", "group": "99", "service": "data", "controlled": "false"},
            ],
            "tariffs": [
                {"id": "calls", "service": "voice", "standard": "true", "prices": [{"id": "all", "rates": rates}]},
                {
                    "id": "texts",
                    "service": "sms",
                    "standard": "true",
                    "prices": [{"id": "all", "rates": [{"price": "0.1"}]}],
                },
                {
                    "id": "volume",
                    "service": "data",
                    "standard": "true",
                    "prices": [{"id": "all", "rates": [{"price": "0.29", "per": "1 MB", "increment": "1 KB"}]}],
                },
            ],
            "allowances": [
                {"id": "minutes-100", "unit": "second", "quota": "100 min", "when": {"services": ["voice"]}}
            ],
            "offerings": [
                {"id": "plan", "name": "pay as you go", "services": services},
                {"id": "bundle", "name": "minutes included", "services": services, "allowances": ["minutes-100"]},
            ],
        }
    )


class OwnerInMemory:
    """All accounts of some domains, answered for at once. Keeps what a domain server keeps, without a store.

    `tests/contract/test_owner.py` asks it and a domain server the same. They differ in the ids of accounts opened
    without one, which here are their identities, and in what needs a directory or certificates: who else serves an
    identity, who may do what alone, accounts that move.
    """

    def __init__(self, domains: tuple[str, ...] = DOMAINS) -> None:
        self.desk = Desk()
        self.desk.now_ms = time.time_ns() // 1_000_000
        self.contracts: dict[str, Contract] = {}
        self.revision = 1
        self.grants: tuple[Grant, ...] = ()
        """All that are written; tests' callers are `local`."""
        self.catalogues: list[CatalogueRef] = []
        self.publish(catalogue())
        self.asked: dict[str, int] = {}
        """How many asks came, by type."""
        self.subjects = SubjectsInMemory()
        self.intercept: Callable[[object], Answer | None] | None = None
        """Answers instead of the owner, where it gives something."""
        self._domains = domains

    def serves(self, slot: str) -> bool:
        """Say whether a slot, such as GD/0, is owned here."""
        return slot.partition("/")[0] in self._domains

    def publish(self, document: Catalogue) -> None:
        """Publish a catalogue for the whole country."""
        self.catalogues.append(CatalogueRef("", document.version, 0, pack_catalogue(document)))
        self.revision += 1

    def answer(self, body: bytes) -> bytes:
        """Answer a packed ask."""
        ask = unpack_ask(body)
        self.asked[type(ask).__name__] = self.asked.get(type(ask).__name__, 0) + 1
        given = self.intercept(ask) if self.intercept is not None else None
        if given is not None:
            return pack(given)
        try:
            return pack(self._answer(ask))
        except Fault as fault:
            return pack(failed(fault))

    def _answer(self, ask: Ask) -> Answer:
        match ask:
            case Pull(identity, False):
                return self.data(identity)
            case Commit(identity, command):
                return self._commit(identity, command)
            case CloseAccounts():
                return closed(ask, self._commit)
            case FetchReference(domain, known):
                return Unchanged(known) if known == self.revision else self.reference(domain or self._domains[0])
            case Lookup(identity, key, digest):
                entry = self.desk.known(self._account_of(identity), key, digest)
                return Unknown(key) if entry is None else self._retold(entry)
            case FetchHistory(identity):
                return _page(self.desk, self._account_of(identity), ask)
            case FetchCustomer(identity, most, after):
                return customer(self.desk, self._account_of(identity), most, after)
            case FetchResting(slot, most, _, after):
                return resting(self.contracts, slot, most, after)
            case FetchDetail(identity):
                return _detail(self.desk, self._account_of(identity), ask)
            case FetchDue(slot, owing=True):
                return owing(self.desk, slot)
            case FetchDue():
                return due(self.desk, ask, self.contracts, self.intercept)
            case FetchBills(identity, months):
                return _bills(self.desk, self._account_of(identity), months)
            case Inspect(subject_id):
                return self.subjects.inspect(subject_id)
            case Instruct(instruction):
                self.subjects.now_ms = self.desk.now_ms
                return self.subjects.instruct(instruction, self.revision)
        raise Denied("ORIGIN_NOT_ALLOWED", f"{type(ask).__name__} is for the tiers behind the platform")

    def data(self, identity: str) -> BusinessData:
        """Give the business data of an identity. Raises `NotFound`."""
        account_id = asked_for(identity)
        if account_id in self.desk.accounts:
            account = self.desk.accounts[account_id]
            return BusinessData(Contract(identity, account_id, account.terms.domain), account, self.revision)
        contract = self.contracts.get(identity)
        if contract is None or contract.status == "ended":
            raise _unknown(identity)
        return BusinessData(contract, self.desk.accounts[contract.account_id], self.revision)

    def reference(self, domain: str) -> Reference:
        """Give the reference data of a domain. Raises `NotFound`."""
        if domain not in self._domains:
            raise NotFound("DOMAIN_UNKNOWN", f"there is no domain {domain!r}", facts={"domain": domain})
        return Reference(
            domain,
            self.revision,
            "Asia/Shanghai",
            CHANNELS,
            PARTNERS,
            tuple(self.catalogues),
            self._domains,
            grants=self.grants,
            slots=SLOTS,
        )

    def _account_of(self, identity: str) -> str:
        """Give the account whose past an identity may ask for, also when its contract has ended. Raises `NotFound`."""
        contract = self.contracts.get(identity)
        account_id = contract.account_id if contract is not None else asked_for(identity)
        if account_id not in self.desk.accounts:
            raise _unknown(identity)
        return account_id

    def _commit(self, identity: str, command: Command) -> Answer:
        if isinstance(command.action, OpenAccount) and not command.account_id:
            command = _named(command, command.action, identity)
        elif not command.account_id:
            command = replace(command, account_id=self._account_of(identity))
        entry = self.desk.known(command.account_id, command.key, command.digest)
        if entry is not None:
            return self._retold(entry)
        action, account = command.action, self.desk.accounts.get(command.account_id)
        if not isinstance(action, OpenAccount) and (account is None or not _may_ask(identity, account, action)):
            raise _unknown(identity)
        if isinstance(action, OpenAccount) and action.contract.domain not in self._domains:
            fields = {"open_account.contract.domain": f"{self._domains[0]}, where the identity is served, or nothing"}
            raise Invalid("REGION_MISMATCH", "the account is opened where it is not served", fields=fields)
        self.desk.revision = self.revision
        try:
            done = self.desk.commit(command, _refusal(command, self.contracts, account), identity)
        except VersionMoved:
            return Stale(self.data(identity))
        except Unavailable:
            self.subjects.redeem(self.desk, command.account_id, self.revision)
            raise
        for event in self.desk.journals[command.account_id][-1].events:
            if isinstance(event, ContractSet):
                self.contracts[event.contract.identity] = event.contract
        return done

    def _retold(self, entry: Entry) -> Answer:
        account = self.desk.accounts.get(entry.account_id)
        decided = outcome_now(account, entry.key)
        if decided is not None:
            return replace(unpack_outcome(decided), repeated=True)
        return history.retold(entry, *((account.terms.domain, account.terms.currency) if account else ("", "")))


def _bills(desk: Desk, account_id: str, months: tuple[int, ...]) -> Bills:
    found = [
        event.bill
        for entry in desk.journals[account_id]
        for event in entry.events
        if isinstance(event, PeriodClosed) and event.bill is not None and event.month in months
    ]
    return Bills(account_id, tuple(found))


def _refusal(command: Command, contracts: Mapping[str, Contract], account: Account | None) -> Refused | None:
    """Say why the contract that a command writes can't be had."""
    action = command.action
    if isinstance(action, Revision):
        try:
            check_basis(action, contracts.get(action.before.identity) if action.before is not None else None)
        except Refused as fault:
            return fault
    match action:
        case OpenAccount() | SetContract():
            wanted = action.contract.identity
        case ChangeIdentity():
            wanted = action.to_identity
        case Join():
            wanted = action.member
        case Reopen(member=wanted) | ReleaseNumber(number=wanted) if wanted:
            if account is not None and needs_rest(action, account):
                return not_kept(contracts.get(wanted), account.account_id, time.time_ns() // 1_000_000)
        case _:
            return None
    known = contracts.get(wanted)
    if isinstance(action, SetContract | Join) and action.expected_version:
        version = known.version if known is not None else 0
        if version != action.expected_version:
            return Refused("CONTRACT_CHANGED", "the contract is another by now", facts={"version": str(version)})
    if known is not None and known.status != "ended" and known.account_id != command.account_id:
        return Refused("IDENTITY_TAKEN", "another account has it", facts={"account": known.account_id})
    rests = known is not None and time.time() * 1000 < known.rests_until_ms
    if known is not None and rests and command.account_id not in (known.account_id, known.kept_for):
        return Refused("NUMBER_IN_QUARANTINE", "it rests", facts={"until_ms": str(known.rests_until_ms)})
    return None


def _may_ask(identity: str, account: Account, action: Action) -> bool:
    """Say whether an account does something for an identity: one of its own, or its id where nobody uses anything."""
    by_id = asked_for(identity) == account.account_id and not action.traits.of_subscribers
    return by_id or identity in account.members


def _unknown(identity: str) -> NotFound:
    return NotFound("IDENTITY_UNKNOWN", f"no contract is known for {mask(identity)}")


def _named(command: Command, action: OpenAccount, identity: str) -> Command:
    """Give an opening its id, as the owner does; here, with one owner, the caller's own or the identity."""
    account_id = action.account_id or identity
    contract = replace(action.contract, account_id=account_id)
    return replace(command, account_id=account_id, action=replace(action, account_id=account_id, contract=contract))


def _detail(desk: Desk, account_id: str, ask: FetchDetail) -> Detail:
    """Give a page of rated usage; a position is how many entries are older than the page before.

    An entry is a group of its own here, its slot any that a floor names.
    """
    entries = desk.journals[account_id]
    found: list[RatedUsage] = []
    older = min(ask.position or len(entries), len(entries))
    least = max((seq + 1 for _, seq in ask.floors), default=0)
    while older > least and len(found) < ask.records_max:
        older -= 1
        for record in records(entries[older]):
            usage = record.usage
            if (
                (not ask.kinds or record.kind in ask.kinds)
                and (not ask.services or usage.service in ask.services)
                and (not ask.holder or usage.identity == ask.holder)
                and ask.from_ms <= usage.start_ms < (ask.to_ms or FAR_MS)
            ):
                found.append(record)
    return Detail(tuple(found), older if older > least else 0)


def _page(desk: Desk, account_id: str, ask: FetchHistory) -> History:
    """Give a page of a history; a position is how many entries are older than the page before."""
    if ask.key:
        entry = desk.known(account_id, ask.key)
        return History(() if entry is None else (history.line(entry),))
    entries = desk.journals[account_id]
    lines: list[HistoryLine] = []
    older = min(ask.before_position or len(entries), len(entries))
    while older and len(lines) < ask.lines_max:
        older -= 1
        if ask.kinds and entries[older].kind not in ask.kinds:
            continue
        if not ask.before_version or entries[older].version < ask.before_version:
            lines.append(history.line(entries[older]))
    return History(tuple(lines), older)
