"""What the owner of an account is asked to bill it: its fees and the bill of the bucket that they are in, one entry.

The platform knows the state that the fees leave as the owner will, so the bill is made of it. If anything came between,
the owner answers with the account as it is, and both are made anew. Only fees that are more than one command posts go
before, in commands of their own.
"""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.bounds import DUES_MAX
from charging.base.contract import Contract
from charging.base.house_keys import digest_of
from charging.base.openbills import NEVER_LATE
from charging.bills.bill import Bill
from charging.errors import Fault, Refused
from charging.ledger import dues
from charging.ledger.command import Command
from charging.ledger.commands.post_fees import PostFees
from charging.ledger.dues import NOTHING_DUE
from charging.ledger.ledger import decide
from charging.ledger.staging import reckoned
from charging.ledger.standing import require_open
from charging.plans.dunning import dunning_of
from charging.plans.timeline import Timeline
from charging.rating.closing import closing_of
from charging.rating.fee_schedule import schedule
from charging.rating.period_discounts import period_discounts
from charging.wire import DIGEST_BYTES, Commit, PackedClosings

FEE_ROUNDS_MAX = 16
"""Commands of fees before one bill, of `DUES_MAX` each."""

_pack = msgspec.msgpack.Encoder().encode


class BillingCaller(Struct, frozen=True):
    """In whose name accounts are billed."""

    actor: str
    channel: str
    principal: str


class Closing(Struct, frozen=True):
    """What is asked for one account, and what comes of it if nothing comes between."""

    account: Account
    month: int
    bill: Bill | None
    fees: int
    """Micro-units, credits taken off."""
    fees_error: Fault | None
    fee_commits: tuple[Commit, ...]
    """Of fees that the command that closes has no room for: they come before it, in order. Mostly there are none."""
    action: Raw
    """`ClosePeriod`, packed."""
    digest: bytes


def closing(
    timeline: Timeline, account: Account, contracts: Sequence[Contract], caller: BillingCaller, now_ms: int
) -> Closing:
    """Make what closes the oldest open period of an account. Raises what rating and `closing_of` raise."""
    commits: list[Commit] = []
    state, fees, due = reckoned(account), 0, NOTHING_DUE
    refused: Refused | None = None
    try:
        for _ in range(FEE_ROUNDS_MAX):
            due = schedule(timeline.plan_at, contracts, state, now_ms)
            if len(due.fees) < DUES_MAX:
                break
            commit = _fees(account.account_id, PostFees(due), caller, now_ms)
            decided = decide(state, commit.command, now_ms)
            commits.append(commit)
            fees += decided.done.amount
            state, due = decided.account, NOTHING_DUE
        if due.fees:
            require_open(state)
        posted, state = dues.taken(state, due, now_ms)
        fees += dues.net(posted)
    except Refused as why:
        refused, due = why, NOTHING_DUE
    month = account.terms.closed + 1
    plan = timeline.plan_at(now_ms)
    rule = dunning_of(plan.dunning, state)
    late = rule.late if rule is not None else NEVER_LATE
    off = period_discounts(timeline.plan_at, contracts, state, month)
    made = closing_of(state, plan.taxes, month, now_ms, late, off, plan.dunned_with)
    action = _pack(replace(made, dues=due))
    return Closing(account, month, made.bill, fees, refused, tuple(commits), Raw(action), _digest(action))


def asked(caller: BillingCaller, now_ms: int, made: Sequence[Closing]) -> PackedClosings:
    """Give what closes accounts together."""
    closes = [(each.account.account_id, each.digest, each.action) for each in made]
    return PackedClosings(caller.actor, caller.channel, now_ms, caller.principal, closes)


def _fees(account_id: str, action: PostFees, caller: BillingCaller, now_ms: int) -> Commit:
    """Make a commit of fees, whose key is what it says and when it was made, as that of a close."""
    digest = digest_of(account_id, action)
    key = f"fees-{digest.hex()}-{now_ms}"
    command = Command(account_id, key, digest, caller.actor, caller.channel, now_ms, action, principal=caller.principal)
    return Commit(identity_of(account_id), command)


def _digest(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=DIGEST_BYTES).digest()
