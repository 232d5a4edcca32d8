"""Keep, under a request key, the outcome that an earlier domain of the account gave it."""

from charging.base.account import Account
from charging.errors import Invalid
from charging.ledger.action import DATA_CENTER, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.outcome import ChargedFact

REMEMBERED = "remember"
"""Kind of the entries of `Remember`: their outcome tells of movements in another domain's journal."""


class Remember(BaseAction, frozen=True, tag=REMEMBERED):
    """Keep, under the command's key, the outcome that an earlier domain of the account gave it.

    A caller who never heard that outcome repeats the key at the new domain, and must not be charged again.
    """

    outcome: bytes
    """`wire.Done` or `wire.Failed`, packed."""
    charged: ChargedFact | None = None
    """What a refund of it needs to know, when it charged something."""

    traits = Traits(
        sender=DATA_CENTER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Refuse COMMAND_UNKNOWN: the owner keeps it as it is, there is nothing to decide."""
        raise Invalid("COMMAND_UNKNOWN", "the ledger does not decide on what is only remembered")
