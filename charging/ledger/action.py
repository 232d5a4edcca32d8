"""What every action on an account can say of itself; each has a file of its own under `charging.ledger.commands`.

An action is asked for by a `charging.ledger.command.Command`, which says who asked, when and under which key.
`charging.ledger.kinds` lists them all.
"""

from typing import ClassVar, Protocol, Self

from msgspec import Struct

from charging.base.account import Account, Proposal
from charging.base.asked import Asked
from charging.ledger.effect import Effect

PLATFORM, DATA_CENTER, DOMAIN_SERVER = "appserver", "datacenter", "domainserver"
OWNER = ""


class Traits(Struct, frozen=True, kw_only=True):
    """What is true of all actions of one kind. Nothing has a default, so nothing is forgotten."""

    sender: str
    """Role of the tier that it comes from: `PLATFORM` = a caller's; `OWNER` = none, an owner gives it itself."""
    permissions: tuple[str, ...]
    """Names by which it is granted (`charging.ledger.permission`), the usual one first; none for the tiers' own."""
    predictable: bool
    """The platform can tell the account's state afterwards as the owner will, and rates on it at once."""
    proposable: bool
    """It may wait for the approval of a second principal."""
    of_subscribers: bool
    """Only one of the account's identities does it, never the account by its id."""
    ports: bool
    """A step of a port: an account that has moved out takes it, and its entry stays where it was written."""


class Envelope(Protocol):
    """What a command says besides its action, and how it reads another one that was put aside."""

    @property
    def account_id(self) -> str:
        """The account it is for."""

    @property
    def key(self) -> str:
        """Request key: what it does, it does once."""

    @property
    def digest(self) -> bytes:
        """Of the caller's request."""

    @property
    def actor(self) -> str:
        """In whose name it is."""

    @property
    def channel(self) -> str:
        """Through which it came."""

    @property
    def time_ms(self) -> int:
        """Event time of the request, UTC; where the caller gave none, when the platform took it in."""

    @property
    def partner(self) -> str:
        """Through which partner it came; "" = through none."""

    @property
    def principal(self) -> str:
        """Who sent it, as authenticated."""

    @property
    def action(self) -> "BaseAction":
        """What it asks for."""

    def carrying(self, packed: bytes) -> "Envelope":
        """Give it with another action, packed. Raises `Invalid` PROPOSAL_MALFORMED."""

    def of_proposal(self, proposal: Proposal) -> "Envelope":
        """Give the command that a proposal keeps, in the words of whoever proposed it."""


class BaseAction(Struct, frozen=True, array_like=True, gc=False):
    """What a command asks for. `traits`, `decide` and `at_stake` are each action's own to say."""

    traits: ClassVar[Traits]
    sees_stages: ClassVar[bool] = False
    """It is decided on the account with what is staged beside the books; all others on the account as it will be after
    the replay (`charging.ledger.staging`)."""
    stages: ClassVar[bool] = False
    """It brings money that waits in a stage while a run in mode `staged` bills the account."""
    patient: ClassVar[bool] = False
    """Nobody waits for it, and it comes by the thousands: the owner lets all other commands go first."""

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Check against the state and say which events follow. `now_ms` is the owner's clock.

        Raises `Refused` (kept under the key), `Invalid`, `NotFound` and `Denied` (nothing is kept), `VersionMoved`.
        """
        raise NotImplementedError

    def checked(self, asked: Asked) -> Self:
        """Give it as a caller means it, once each of its fields is read; here stands what joins fields.

        Raises `Invalid`, fields named with their paths: "adjust.reason".
        """
        return self

    def at_stake(self) -> int:
        """Give what limits are held against: micro-units that it creates, takes, moves or lets be owed; 0 = none."""
        raise NotImplementedError

    def permission(self) -> str:
        """Give the name by which it is granted; "" for the tiers' own."""
        return self.traits.permissions[0] if self.traits.permissions else ""

    def grounds(self) -> str:
        """Give its sender's reason, which is shown while it waits for approval."""
        return ""

    def original_key(self) -> str:
        """Give the request key whose journal entry must be read before it is decided; "" = none."""
        return ""

    def series(self) -> str:
        """Give the kind of document that it makes, which the owner numbers in a series of its own; "" = none."""
        return ""

    def numbered(self, number: str) -> Self:
        """Give it with the number of its document."""
        return self

    def staged(self, month: int) -> Self:
        """Give it as one whose money waits in its stage for the run of this period to end."""
        return self

    def ages(self) -> bool:
        """Say whether what the platform filled in holds for its moment alone, so that an approval brings it anew."""
        return False

    def completed_by(self, other: "BaseAction") -> Self:
        """Give it with what the platform filled in later, in another of its kind, since it waited for an approval."""
        return self

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the identities whose contracts it writes: the owner has to hold them first."""
        return ()


class BaseCreation(BaseAction, frozen=True):
    """An action that makes the account it is for."""

    def decide(self, account: Account | None, command: Envelope, now_ms: int) -> Effect:
        """Check as others do; `account` None = there is none yet, and the first event brings it."""
        raise NotImplementedError
