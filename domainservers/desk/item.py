"""A commit on its way through a slot, and what must be read before it can be decided.

A kind of commit that carries more than a charge does is a class of its own, and so is each kind of need.
"""

from charging.errors import Fault
from charging.ledger.action import BaseAction
from charging.ledger.command import Command
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.entry import Entry
from charging.ledger.kinds import TAGS
from charging.ledger.permission import Permission
from domainservers.journal.groups import ReplySink
from domainservers.journal.keys import fingerprint


class Item:
    """One commit. What stands between its key and the journal changes on the way; the rest stays."""

    __slots__ = (
        "cleared",
        "command",
        "found",
        "generation",
        "identity",
        "internal",
        "mark",
        "old_position",
        "permission",
        "place",
        "sink",
    )

    def __init__(
        self,
        sink: ReplySink,
        place: int,
        identity: str,
        command: Command,
        *,
        internal: bool = False,
        permission: Permission | None = None,
    ) -> None:
        self.sink = sink
        self.place = place
        """Position in the caller's batch."""
        self.identity = identity
        self.command = command
        self.internal = internal
        """Our own command: no membership is asked."""
        self.permission = permission
        """What its principal may do by it; None for a command of our own or of another tier."""
        self.mark = fingerprint(command.account_id, command.key)
        self.old_position = -1
        """Position of its key among those that left `KeyIndex.recent`, looked up when the index was at `generation`."""
        self.generation = -1
        self.cleared = -1
        """A journal position that turned out to hold another key."""
        self.found: Entry | None = None
        """The entry that was read for an `OldEntry`."""

    def rename(self, command: Command) -> None:
        """Let it be for another account."""
        self.command = command
        self.mark = fingerprint(command.account_id, command.key)
        self.old_position = self.generation = self.cleared = -1
        self.found = None


class Joining(Item):
    """A commit that writes contracts: identities may join its account by it, which the registry must allow first."""

    __slots__ = ("fresh", "refusal", "taken")

    def __init__(
        self,
        sink: ReplySink,
        place: int,
        identity: str,
        command: Command,
        *,
        internal: bool = False,
        permission: Permission | None = None,
    ) -> None:
        super().__init__(sink, place, identity, command, internal=internal, permission=permission)
        self.fresh = False
        """Their contracts were read for it: others may have had them since the slot looked last."""
        self.taken = False
        """The registry was asked for them."""
        self.refusal: Fault | None = None
        """Why it did not give them."""


class AccountOpening(Joining):
    """A commit that opens an account."""

    __slots__ = ("number",)

    def __init__(
        self,
        sink: ReplySink,
        place: int,
        identity: str,
        command: Command,
        *,
        internal: bool = False,
        permission: Permission | None = None,
    ) -> None:
        super().__init__(sink, place, identity, command, internal=internal, permission=permission)
        self.number = 0
        """Which account of its identity it makes, when it names no id of its own: `charging.base.account_id`."""


_CLASSES: dict[type, type[Item]] = {
    kind: AccountOpening if kind is OpenAccount else Joining
    for kind in TAGS
    if kind is Approve or kind.identities_written is not BaseAction.identities_written
}
"""An approval writes what the command writes that it approves."""


def item_of(sink: ReplySink, place: int, identity: str, command: Command, permission: Permission | None = None) -> Item:
    """Make the item of a caller's command, whatever its kind."""
    return _CLASSES.get(type(command.action), Item)(sink, place, identity, command, permission=permission)


class Need:
    """What must be read from the store before an item can be decided. Its lane waits for it, other lanes do not."""

    __slots__ = ()


class OldEntry(Need):
    """The journal's entry at a position: it may be of the item's key."""

    __slots__ = ("position",)

    def __init__(self, position: int) -> None:
        self.position = position


class Original(Need):
    """The charge of a key, which is to be refunded."""

    __slots__ = ("charge_key",)

    def __init__(self, charge_key: str) -> None:
        self.charge_key = charge_key


class ContractOf(Need):
    """The contract record of an identity."""

    __slots__ = ("identity",)

    def __init__(self, identity: str) -> None:
        self.identity = identity


class Holders(Need):
    """Identities, which the registry must give to the item's account first."""

    __slots__ = ("identities", "version")

    def __init__(self, identities: tuple[str, ...], version: int) -> None:
        self.identities = identities
        self.version = version
        """Of the account, with the item's command done."""


class OtherLane(Need):
    """Nothing to read: the item is for another account now."""

    __slots__ = ()
