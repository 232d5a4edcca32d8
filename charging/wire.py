"""What the platform and the domain server say to each other, packed with msgpack; the data center never looks inside.

A body is one `Ask`, its reply one `Answer`, both tagged unions, packed with `pack`, read with `unpack_ask` and
`unpack_answer`. Errors travel as `Failed`. What an owner decided (`charging.ledger.outcome`) travels as it is, so those
structs have their names here, too.
"""

import msgspec
from msgspec import Struct

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.contract import RestingRow as RestingRow
from charging.base.subject import Instruction as Instruction
from charging.base.subject import PackedSubject as PackedSubject
from charging.bill_asks import CLOSES_MAX as CLOSES_MAX
from charging.bill_asks import AccountClose as AccountClose
from charging.bill_asks import Bills as Bills
from charging.bill_asks import CloseAccounts as CloseAccounts
from charging.bill_asks import DueAccounts as DueAccounts
from charging.bill_asks import FetchBills as FetchBills
from charging.bill_asks import FetchDue as FetchDue
from charging.bill_asks import PackedClosings as PackedClosings
from charging.catalogue.published import CatalogueRef as CatalogueRef
from charging.errors import Invalid
from charging.ledger.command import Command
from charging.ledger.details import RatedUsage as RatedUsage
from charging.ledger.outcome import ChargedFact
from charging.ledger.outcome import ChargeTold as ChargeTold
from charging.ledger.outcome import Done as Done
from charging.ledger.outcome import Failed as Failed
from charging.ledger.outcome import HistoryLine as HistoryLine
from charging.ledger.outcome import Movement as Movement
from charging.ledger.outcome import SessionGrant as SessionGrant
from charging.ledger.outcome import SessionOutcome as SessionOutcome
from charging.ledger.outcome import failed as failed
from charging.ledger.outcome import fault as fault
from charging.ledger.permission import Grant

DIGEST_BYTES = 16
COMMAND_KEY_CHARS_MAX = 1_000
"""Of a command's key: a caller's, or what the tiers make of two of them and an account id."""


class Pull(Struct, frozen=True, array_like=True, tag="p", gc=False):
    """Business data of an identity, please."""

    identity: str
    moved: bool = False
    """Answer for an account that has moved out, too: who ports it needs the contracts of its members."""


class Locate(Struct, frozen=True, array_like=True, tag="a", gc=False):
    """Which account does this identity belong to? Of one owner to another: no more is told of it."""

    identity: str


class Commit(Struct, frozen=True, array_like=True, tag="c", gc=False):
    """Do this command for this identity, once."""

    identity: str
    command: Command


class FetchHistory(Struct, frozen=True, array_like=True, tag="h"):
    """The newest `lines_max` journal lines of the identity's account, older than `before_version` (0 = newest)."""

    identity: str
    lines_max: int
    before_version: int = 0
    before_position: int = 0
    """`History.next_position` of the page before; 0 = the newest page."""
    key: str = ""
    """Only the line of this request key, which costs no walk; empty = all."""
    kinds: tuple[str, ...] = ()
    """Only lines of these kinds; none = all. A page may then be short, or empty, and yet name a next one."""


class FetchReference(Struct, frozen=True, array_like=True, tag="r"):
    """The reference data of a domain: channels, partners, catalogues. Routed to "domain:GD", or by an identity."""

    domain: str
    """Empty = the domain of the slot that was asked."""
    known: int = -1
    """The revision that is held: while it is the newest, the answer is `Unchanged`."""


class Lookup(Struct, frozen=True, array_like=True, tag="k"):
    """The stored outcome of a request key at the identity's account, if there is one."""

    identity: str
    key: str
    digest: bytes = b""
    """Of the content now sent under the key; when given and not the stored one, the answer is a conflict."""


class FetchOutcomes(Struct, frozen=True, array_like=True, tag="o"):
    """What the newest request keys of the identity's account did: who ports the account takes them along, by pages."""

    identity: str
    outcomes_max: int
    """Of one page; it may have some more, for it ends with a journal group."""
    from_seq: int = -1
    """`Outcomes.next_seq` of the page before; -1 = the newest page."""


class FetchDetail(Struct, frozen=True, array_like=True, tag="detail"):
    """One page of the rated usage of the identity's account, newest first as it was charged."""

    identity: str
    records_max: int
    holder: str = ""
    """Only usage of this member; empty = of all, and what was given back."""
    kinds: tuple[str, ...] = ()
    """Of `charging.ledger.details.KINDS`; none = all. Likewise the services."""
    services: tuple[str, ...] = ()
    from_ms: int = 0
    """Only what began from then on, and before `to_ms`, UTC; 0 = no end."""
    to_ms: int = 0
    position: int = 0
    """`Detail.next_position` of the page before; 0 = the first page."""
    told: int = 0
    """`Detail.next_told` of the page before."""
    floors: tuple[tuple[str, int], ...] = ()
    """(slot, group) each: of the slot's journal, groups up to that one are not looked at; they are told elsewhere."""


class FetchCustomer(Struct, frozen=True, array_like=True, tag="customer"):
    """One page of the accounts of the customer whose account the identity is of, by account id."""

    identity: str
    rows_max: int
    after: str = ""
    """The last id of the page before; "" = the first page."""


class FetchResting(Struct, frozen=True, array_like=True, tag="resting"):
    """A page of the numbers that rest in the region of a slot, whichever slot is asked. Routed to "domain:GD/3"."""

    slot: str
    rows_max: int
    bucket: int = 0
    """`RestingRows.next_bucket` of the page before; 0 = the first page."""
    after: str = ""
    """`RestingRows.next_after` of the page before."""


class Instruct(Struct, frozen=True, array_like=True, tag="i", gc=False):
    """Do this to a subject that is no account, once. Answered as a commit is; `Done.detail` is the packed subject."""

    instruction: Instruction


class Inspect(Struct, frozen=True, array_like=True, tag="n", gc=False):
    """A subject as it is now, please."""

    subject_id: str


Ask = (
    FetchDue
    | FetchBills
    | Pull
    | Locate
    | Commit
    | CloseAccounts
    | FetchHistory
    | FetchDetail
    | FetchCustomer
    | FetchResting
    | FetchReference
    | Lookup
    | FetchOutcomes
    | Instruct
    | Inspect
)


class BusinessData(Struct, frozen=True, array_like=True, tag="b"):
    """What a request needs from both units."""

    contract: Contract
    account: Account
    revision: int
    """Of the domain's reference data; a newer one than the platform holds makes it fetch again."""


class AccountNamed(Struct, frozen=True, array_like=True, tag="A", gc=False):
    """The account that an identity belongs to."""

    account_id: str


class Stale(Struct, frozen=True, array_like=True, tag="s"):
    """The account moved on since `base_version`: rate again on this."""

    data: BusinessData


class History(Struct, frozen=True, array_like=True, tag="l"):
    """One page, newest first."""

    lines: tuple[HistoryLine, ...]
    next_position: int = 0
    """Where the next page begins; 0 = there is none."""


class Detail(Struct, frozen=True, array_like=True, tag="DETAIL"):
    """One page of rated usage, newest first; it may be empty and yet name a next one."""

    records: tuple[RatedUsage, ...]
    next_position: int = 0
    """Of the entry with which the next page begins; 0 = there is none."""
    next_told: int = 0
    """How many records of that entry were told already."""
    kept_no_further: bool = False
    """The account's journal is not kept behind the last of these."""


class CustomerRow(Struct, frozen=True, array_like=True, gc=False):
    """An account of a customer."""

    account_id: str
    domain: str
    """Region that has it."""
    since_ms: int
    """When it was opened, or came to its region, by the owner's clock, UTC."""


class CustomerRows(Struct, frozen=True, array_like=True, tag="CUSTOMER"):
    """One page of a customer's accounts."""

    customer_id: str
    rows: tuple[CustomerRow, ...]
    more: bool
    """There are accounts behind the last of these."""


class RestingRows(Struct, frozen=True, array_like=True, tag="RESTING"):
    """One page of a region's resting numbers; it may be empty and yet name a next one."""

    rows: tuple[RestingRow, ...]
    next_bucket: int = 0
    """Where the next page begins; 0 with an empty `next_after` = there is none."""
    next_after: str = ""


class ChannelRef(Struct, frozen=True, array_like=True):
    """An access channel of the shared unit."""

    code: str
    name: str
    is_open: bool
    partners_only: bool


class PartnerRef(Struct, frozen=True, array_like=True):
    """A partner of the shared unit."""

    code: str
    name: str
    active: bool


class Reference(Struct, frozen=True, array_like=True, tag="R"):
    """Reference data of one domain, at a revision."""

    domain: str
    revision: int
    time_zone: str
    channels: tuple[ChannelRef, ...]
    partners: tuple[PartnerRef, ...]
    catalogues: tuple[CatalogueRef, ...]
    """The national versions and those of this domain, oldest first."""
    domains: tuple[str, ...] = ()
    """Codes of all domains there are, so that the platform knows a region from an unknown place."""
    grants: tuple[Grant, ...] = ()
    """All that are written; see `charging.ledger.permission`."""
    slots: int = 0
    """How many the domain has."""


class Unchanged(Struct, frozen=True, array_like=True, tag="="):
    """The reference data that is held is the newest."""

    revision: int


class Unknown(Struct, frozen=True, array_like=True, tag="u"):
    """No outcome is stored under the key."""

    key: str


class KeptOutcome(Struct, frozen=True, array_like=True, gc=False):
    """What is kept under a request key: its content's digest, `Done` or `Failed`, packed, and what it charged."""

    key: str
    digest: bytes
    outcome: bytes
    charged: ChargedFact | None = None


class Outcomes(Struct, frozen=True, array_like=True, tag="O"):
    """One page, newest first: what was promised to be kept when the account last changed."""

    outcomes: tuple[KeptOutcome, ...]
    next_seq: int = -1
    """Where the next page begins; -1 = there is none."""


class AccountsClosed(Struct, frozen=True, array_like=True, tag="C"):
    """What became of each account of a `CloseAccounts`, in its order."""

    answers: tuple[Done | Stale | Failed, ...]


Answer = (
    DueAccounts
    | AccountsClosed
    | Bills
    | BusinessData
    | AccountNamed
    | Done
    | Stale
    | Failed
    | History
    | CustomerRows
    | RestingRows
    | Detail
    | Reference
    | Unchanged
    | Unknown
    | Outcomes
    | PackedSubject
)

_encoder = msgspec.msgpack.Encoder()
pack = _encoder.encode
unpack_ask = msgspec.msgpack.Decoder(Ask).decode
unpack_answer = msgspec.msgpack.Decoder(Answer).decode


def read_ask(body: bytes) -> Ask:
    """Read what a caller sent. Raises `Invalid` BODY_MALFORMED, whatever is wrong with it.

    What is read so is of the types it says, so text is text and numbers fit; only a packed explanation stays unread.
    """
    try:
        ask: Ask = unpack_ask(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Invalid("BODY_MALFORMED", f"the body can't be read: {str(error)[:200]}") from error
    if type(ask) is Commit:
        command = ask.command
        if len(command.digest) != DIGEST_BYTES or not command.key or len(command.key) > COMMAND_KEY_CHARS_MAX:
            raise _unkeyed()
    elif type(ask) is CloseAccounts:
        if not 0 < len(ask.closes) <= CLOSES_MAX:
            raise Invalid("BODY_MALFORMED", f"1 to {CLOSES_MAX} accounts are closed at once")
        for close in ask.closes:
            if len(close.digest) != DIGEST_BYTES or not close.account_id:
                raise _unkeyed()
    elif type(ask) is Instruct:
        asked = ask.instruction
        if len(asked.digest) != DIGEST_BYTES or not asked.key or len(asked.key) > COMMAND_KEY_CHARS_MAX:
            raise _unkeyed()
    return ask


def _unkeyed() -> Invalid:
    text = f"a command has a digest of {DIGEST_BYTES} bytes and a key of 1 to {COMMAND_KEY_CHARS_MAX} characters"
    return Invalid("BODY_MALFORMED", text)
