"""The platform alone: a data center with everything behind it, in memory.

`Owner` answers packed asks with the real ledger; `catalogue` is a small country's.
"""

import time
from collections.abc import Callable

from msgspec.structs import replace

from charging.base.contract import Contract
from charging.catalogue.document import Catalogue, from_plain
from charging.catalogue.document import pack as pack_catalogue
from charging.errors import Conflict, Fault, NotFound, Refused
from charging.ledger import history
from charging.ledger.commands import Command, OpenAccount, SetContract
from charging.ledger.decision import VersionMoved
from charging.ledger.entry import Entry
from charging.ledger.permission import Grant
from charging.wire import (
    Answer,
    BusinessData,
    CatalogueRef,
    ChannelRef,
    Commit,
    Done,
    FetchHistory,
    FetchReference,
    History,
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
from testkit.ledger import Desk

DOMAINS = ("GD", "BJ")


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


class Owner:
    """All accounts of the country, answered for at once. Keeps what a domain server keeps, without a store."""

    def __init__(self) -> None:
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
        self._keys: dict[tuple[str, str], Entry] = {}
        self._indexed: dict[str, int] = {}
        self.intercept: Callable[[object], Answer | None] | None = None
        """Answers instead of the owner, where it gives something."""

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

    def _answer(self, ask: object) -> Answer:
        match ask:
            case Pull(identity):
                return self.data(identity)
            case Commit(identity, command):
                return self._commit(identity, command)
            case FetchReference(domain, known):
                if known == self.revision:
                    return Unchanged(known)
                return self.reference(domain or DOMAINS[0])
            case Lookup(identity, key, digest):
                entry = self._entry(identity, key)
                if entry is None:
                    return Unknown(key)
                if digest not in (b"", entry.digest):
                    raise Conflict("KEY_REUSED", f"key {key} was used for another request")
                return self._retold(entry)
            case FetchHistory(identity, key=key) if key:
                entry = self._entry(identity, key)
                return History(() if entry is None else (history.line(entry),))
            case FetchHistory(identity, lines_max, before_version):
                entries = reversed(self.desk.journals[self.data(identity).account.account_id])
                lines = [history.line(entry) for entry in entries]
                return History(
                    tuple(line for line in lines if not before_version or line.version < before_version)[:lines_max]
                )
        raise TypeError(type(ask).__name__)

    def data(self, identity: str) -> BusinessData:
        """Give the business data of an identity. Raises `NotFound`."""
        contract = self.contracts.get(identity)
        if contract is None:
            raise NotFound("IDENTITY_UNKNOWN", "no contract of this identity", facts={"domain": DOMAINS[0]})
        return BusinessData(contract, self.desk.accounts[contract.account_id], self.revision)

    def reference(self, domain: str) -> Reference:
        """Give the reference data of a domain. Raises `NotFound`."""
        if domain not in DOMAINS:
            raise NotFound("DOMAIN_UNKNOWN", f"there is no domain {domain!r}")
        channels = (
            ChannelRef("front", "front end", True, False),
            ChannelRef("fax", "fax", False, False),
            ChannelRef("partner", "partners", True, True),
        )
        partners = (PartnerRef("acme", "Acme", True), PartnerRef("gone", "Gone", False))
        return Reference(
            domain,
            self.revision,
            "Asia/Shanghai",
            channels,
            partners,
            tuple(self.catalogues),
            DOMAINS,
            grants=self.grants,
        )

    def _commit(self, identity: str, command: Command) -> Answer:
        if isinstance(command.action, OpenAccount) and not command.account_id:
            command = _named(command, command.action, identity)
        known = self._entry(identity, command.key, command.account_id)
        try:
            done = self.desk.commit(command)
        except VersionMoved:
            return Stale(self.data(identity))
        except Refused as refusal:
            return failed(refusal, repeated=known is not None)
        action = command.action
        if known is not None:
            return self._retold(known)
        if isinstance(action, (OpenAccount, SetContract)):
            contract = action.contract
            self.contracts[contract.identity] = contract
        return _with(done, revision=self.revision)

    def _retold(self, entry: Entry) -> Answer:
        return history.retold(entry, DOMAINS[0], "CNY")

    def _entry(self, identity: str, key: str, account_id: str = "") -> Entry | None:
        contract = self.contracts.get(identity)
        if contract is not None:
            account_id = contract.account_id
        entries = self.desk.journals.get(account_id, [])
        # Only the entries since the last look are new.
        for entry in entries[self._indexed.get(account_id, 0) :]:
            self._keys[account_id, entry.key] = entry
        self._indexed[account_id] = len(entries)
        return self._keys.get((account_id, key))


def _named(command: Command, action: OpenAccount, identity: str) -> Command:
    """Give an opening its id, as the owner does; here, with one owner, the caller's own or the identity."""
    account_id = action.account_id or identity
    contract = replace(action.contract, account_id=account_id)
    return replace(command, account_id=account_id, action=replace(action, account_id=account_id, contract=contract))


def _with(done: Done, *, revision: int = 0, repeated: bool = False) -> Done:
    return Done(
        done.account_id,
        done.version,
        done.amount,
        done.movements,
        done.notices,
        done.detail,
        revision or done.revision,
        repeated or done.repeated,
    )
