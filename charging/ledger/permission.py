"""Who may do what: grants as they are written, and the policy that platform, owner and directory ask.

A principal is the authenticated name of a caller, `<role>` or `<role>/<name>`. It has the grants written for its own
name, else those written for its role, else the built-in ones of its role, else none. So a written grant narrows as well
as it widens, and a new role can do nothing until somebody says what.
"""

from collections.abc import Iterable

from msgspec import Struct

from charging.base.money import MICRO, show
from charging.errors import Denied
from charging.ledger.kinds import ACTIONS
from charging.ledger.revising import CHANGE_PAST

NO_LIMIT = -1
ALL = "*"
VERDICTS_MAX = 10_000
"""Permissions that a policy remembers, so that a frequent question is one look-up."""
TEXT_CHARS_MAX = 64
"""Of channel and partner in a remembered question: they are the caller's."""

READS = frozenset(
    {
        *("quote", "balance", "usage", "contract", "history", "outcome"),
        *("account", "accounts", "offerings", "detail", "month", "compare", "arrears", "fees"),
    }
)
COMMANDS = frozenset(name for kind in ACTIONS for name in kind.traits.permissions)
AMENDMENTS = frozenset(
    {
        "resolve",
        "describe",
        "read_catalogue",
        "list_records",
        "port",
        "publish",
        "amend_channels",
        "amend_plan",
        "amend_units",
        "amend_grants",
        "approve_amendment",
    }
)
SUBJECTS = frozenset(
    {
        "bill_runs",
        "plan_bill_run",
        "open_bill_run",
        "complete_bill_run",
        "cancel_bill_run",
        "approve_documents",
        "refuse_documents",
        "bills",
        "held_bills",
        "vouchers",
        "make_vouchers",
        "activate_vouchers",
        "block_vouchers",
        "expire_vouchers",
        "export_vouchers",
    }
)
"""What is read of a slot's subjects besides accounts and done to them, see `business.kinds`; and bills, trials too."""
FEED = frozenset({"watch"})
"""To be told what happens to accounts, as it happens; by region."""
LISTS = frozenset({"resting_numbers"})
"""What is listed of a whole region; by region."""
JOBS = frozenset({"frozen"})
"""What jobs read that rate usage anew."""
NAMES = READS | JOBS | COMMANDS | AMENDMENTS | SUBJECTS | FEED | LISTS
"""All that a grant may name."""


class Grant(Struct, frozen=True, array_like=True):
    """What a role or a principal may do."""

    subject: str
    """`frontend`, or `frontend/web-hall`."""
    commands: tuple[str, ...]
    """Of `NAMES`, or `ALL`."""
    amount_max: int = 0
    """Largest amount of one command, micro-units (of free units: units); `NO_LIMIT` = any."""
    alone_max: int = 0
    """What is above needs a second principal's approval; `NO_LIMIT` = nothing does."""
    channels: tuple[str, ...] = ()
    """That requests may name; empty = any."""
    partners: tuple[str, ...] = ()
    """That requests may name, and then must; empty = any, or none."""
    domains: tuple[str, ...] = ()
    """Regions whose accounts it is for; empty = all."""
    actors: bool = False
    """Requests may name another actor than the principal itself: the caller answers for who its own users are."""


class Permission(Struct, frozen=True, gc=False):
    """What was permitted; amounts as in `Grant`."""

    amount_max: int
    alone_max: int

    def allows(self, amount: int) -> bool:
        """Say whether an amount may be asked for at all."""
        return self.amount_max == NO_LIMIT or amount <= self.amount_max

    def alone(self, amount: int) -> bool:
        """Say whether an amount needs nobody else."""
        return self.alone_max == NO_LIMIT or amount <= self.alone_max


_VOUCHERS = ("vouchers", "activate_vouchers", "block_vouchers")
_DATED = ("subscribe", "unsubscribe", "change_plan", "pause", "resume")
_CHANGES = (
    *_DATED,
    "join",
    "leave",
    "transfer_ownership",
    "reopen_account",
    "change_characteristics",
)
"""Their amounts are fees of the catalogue: whoever may sell, may sell what costs something."""
_SALES = (
    "open_account",
    "change_identity",
    "set_account_status",
    "set_payment_mode",
    "set_threshold",
    "set_account_profile",
    "set_spending_limit",
    "drop_book",
)
_SMALL = 1_000 * MICRO
"""A thousand yuan."""
_UNITS = 100_000_000_000
"""A hundred gigabytes."""
BUILT_IN = (
    Grant("frontend", ("charge", "session", *_CHANGES, *sorted(READS)), NO_LIMIT, NO_LIMIT, actors=True),
    Grant("frontend", _SALES, 0, NO_LIMIT, actors=True),
    Grant("frontend", ("top_up", "transfer", "pay", "settle"), _SMALL, NO_LIMIT, actors=True),
    Grant("frontend", ("gift", "give_offering", "redeem_voucher"), _SMALL, NO_LIMIT, actors=True),
    Grant("frontend", ("top_up_units",), _UNITS, NO_LIMIT, actors=True),
    Grant(
        "operator",
        (*sorted(READS), *_CHANGES, "charge", "session", "approve", "post_fees", "close_period"),
        NO_LIMIT,
        NO_LIMIT,
        actors=True,
    ),
    Grant("operator", (*_SALES, "set_credit_limit"), NO_LIMIT, 0, actors=True),
    Grant("operator", ("top_up", "transfer", "adjust", "refund"), NO_LIMIT, _SMALL, actors=True),
    Grant("operator", ("gift", "give_offering"), NO_LIMIT, _SMALL, actors=True),
    # What leaves an account with its end leaves it for good.
    Grant("operator", ("close_account",), NO_LIMIT, _SMALL, actors=True),
    Grant("operator", ("settle", "credit_bill", "resolve_dispute", "reverse_payment"), NO_LIMIT, _SMALL, actors=True),
    Grant("operator", ("pay", "recover", "dispute", "agree_instalments", "dun"), NO_LIMIT, NO_LIMIT, actors=True),
    Grant("operator", ("write_off", "take_over_bill"), NO_LIMIT, 0, actors=True),
    Grant("operator", ("set_payer", "set_payee"), 0, NO_LIMIT, actors=True),
    Grant("operator", ("release_number", *sorted(LISTS)), 0, NO_LIMIT, actors=True),
    Grant("operator", ("restate_usage", *sorted(JOBS)), NO_LIMIT, _SMALL, actors=True),
    Grant("operator", ("top_up_units",), NO_LIMIT, _UNITS, actors=True),
    Grant("operator", ("redeem_voucher", "lift_voucher_block"), 0, NO_LIMIT, actors=True),
    Grant("operator", ("make_vouchers",), NO_LIMIT, _SMALL, actors=True),
    # Whoever sells vouchers lets them be used, looks at them and stops what was stolen; nobody but an operator makes
    # them, is told their codes or ends them.
    Grant("distributor", _VOUCHERS, 0, NO_LIMIT, actors=True),
    Grant("operator", tuple(sorted(AMENDMENTS)), NO_LIMIT, 0, actors=True),
    Grant("operator", tuple(sorted((SUBJECTS | FEED) - {"make_vouchers"})), 0, NO_LIMIT, actors=True),
    # What is written whole brings no fees and keeps no terms: it is for contracts that come from elsewhere.
    Grant("backoffice", ("set_contract", *sorted(READS)), NO_LIMIT, NO_LIMIT, actors=True),
    Grant("backoffice", ("open_account", "open_account_past"), NO_LIMIT, 0, actors=True),
    # What it sets right from the past brings the fees of the catalogue, as doing it at the time had.
    Grant("backoffice", (*_DATED, CHANGE_PAST), NO_LIMIT, NO_LIMIT, actors=True),
    # Without TLS nobody can be told from anybody, so there is no second principal either.
    Grant("local", (ALL,), NO_LIMIT, NO_LIMIT, actors=True),
)
"""For roles that no grant is written for: a front end sells and charges, but makes no money and closes nothing."""

Question = tuple[str, str, str, str, str, bool]


class Policy:
    """The grants of a directory at one revision, ready to be asked."""

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        written = _by_subject(grants)
        self._grants = _by_subject(BUILT_IN) | written
        self._known: dict[Question, Permission] = {}

    def permit(
        self, principal: str, command: str, channel: str = "", partner: str = "", domain: str = "", actor: bool = False
    ) -> Permission:
        """Give what a principal may do by a command; `actor` says whether another actor is named.

        Raises `Denied` COMMAND_NOT_GRANTED, CHANNEL_NOT_GRANTED, PARTNER_NOT_GRANTED, REGION_NOT_GRANTED or
        ACTOR_NOT_GRANTED.
        """
        question = (principal, command, channel, partner, domain, actor)
        known = self._known.get(question)
        if known is None:
            known = self._judge(question)
            if len(channel) <= TEXT_CHARS_MAX and len(partner) <= TEXT_CHARS_MAX:
                if len(self._known) >= VERDICTS_MAX:
                    self._known.clear()
                self._known[question] = known
        return known

    def granted(self, principal: str) -> list[Grant]:
        """Give the grants that count for a principal: its own, else those of its role; none = it may nothing."""
        return self._grants.get(principal) or self._grants.get(principal.partition("/")[0]) or []

    def _judge(self, question: Question) -> Permission:
        principal, command, channel, partner, domain, actor = question
        left = [grant for grant in self.granted(principal) if command in grant.commands or ALL in grant.commands]
        if not left:
            raise _denied("COMMAND_NOT_GRANTED", principal, f"the command {command}")
        left = [grant for grant in left if not grant.channels or channel in grant.channels]
        if not left:
            raise _denied("CHANNEL_NOT_GRANTED", principal, f"{command} through channel {channel[:40]!r}")
        left = [grant for grant in left if not grant.partners or partner in grant.partners]
        if not left:
            raise _denied("PARTNER_NOT_GRANTED", principal, f"{command} for partner {partner[:40]!r}")
        left = [grant for grant in left if not grant.domains or domain in grant.domains]
        if not left:
            raise _denied("REGION_NOT_GRANTED", principal, f"{command} in region {domain[:40]!r}")
        left = [grant for grant in left if grant.actors or not actor]
        if not left:
            raise _denied("ACTOR_NOT_GRANTED", principal, f"{command} in an actor's name: leave the actor empty")
        return Permission(_largest([grant.amount_max for grant in left]), _largest([grant.alone_max for grant in left]))


def built_in_policy() -> Policy:
    """Give the policy of a directory that no grant was written into."""
    return _BUILT_IN_POLICY


def names_another(principal: str, actor: str) -> bool:
    """Say whether a request names an actor other than the principal itself: `operator/li` is `li`."""
    return bool(actor) and actor != principal.partition("/")[2]


def amount_denied(principal: str, command: str, limit: int) -> Denied:
    """Make the fault of an amount over the limit of a principal's grants."""
    text = f"{command} of more than {show(limit)} in the currency of its account"
    return _denied("AMOUNT_NOT_GRANTED", principal, text, {"limit": str(limit)})


def _denied(reason: str, principal: str, what: str, facts: dict[str, str] | None = None) -> Denied:
    who = principal[:80] or "a caller whose certificate names no principal"
    return Denied(reason, f"{who} is not granted {what}; an operator grants it in the directory", facts=facts)


def _by_subject(grants: Iterable[Grant]) -> dict[str, list[Grant]]:
    found: dict[str, list[Grant]] = {}
    for grant in grants:
        found.setdefault(grant.subject, []).append(grant)
    return found


def _largest(limits: list[int]) -> int:
    return NO_LIMIT if NO_LIMIT in limits else max(limits)


_BUILT_IN_POLICY = Policy()
