"""Reference data of a domain, with the compiled catalogues: who may ask, which regions there are, what things cost."""

from collections.abc import Iterable

from appserver.reading.asks import Kind
from appserver.reading.request import CommandRequest, EventRequest, QueryRequest, Request
from charging.base.names import is_network
from charging.errors import Denied, Fault, Invalid
from charging.ledger.permission import Policy, amount_denied, names_another
from charging.plans.timeline import Timeline
from charging.wire import ChannelRef, Reference

VERDICTS_MAX = 10_000
SHOWN_MAX = 12
"""Channels that a message lists."""


class DomainReference:
    """Reference data of one domain, ready to use."""

    __slots__ = (
        "_channels",
        "_charged",
        "_partners",
        "_places",
        "_read",
        "_verdicts",
        "as_of",
        "domain",
        "good_until",
        "policy",
        "revision",
        "sells",
        "timeline",
        "told",
        "used",
    )

    def __init__(self, reference: Reference, timeline: Timeline) -> None:
        self.told = reference
        """As it came."""
        self.domain = reference.domain
        self.revision = reference.revision
        """The newest revision this is good for."""
        self.as_of = 0.0
        """Loop time, seconds, at which it was known to be the newest there is."""
        self.good_until = 0.0
        """Loop time, seconds, until which it may be used without asking."""
        self.used = True
        """Since it was last asked whether there is something newer."""
        self.timeline = timeline
        self.sells = any(not catalogue.domain for catalogue in reference.catalogues)
        """A national catalogue is published; before the first one, the timeline says nothing of what is sold."""
        self._channels: dict[str, ChannelRef] = {each.code: each for each in reference.channels}
        self._partners = {each.code: each.active for each in reference.partners}
        self._places = {"", *reference.domains}
        self._verdicts: dict[tuple[str, str], Fault | None] = {}
        self._charged: set[tuple[str, str, str]] = set()
        """Who may charge: principal, channel, partner. What is asked most is one look-up."""
        self._read: set[tuple[str, str, str, str]] = set()
        """Who may see and try what: principal, name of it, channel, partner."""
        self.policy = Policy(reference.grants)

    def admit(self, request: Request, principal: str) -> Fault | None:
        """Let a request in by its channel and partner, and by what its principal may do; gives why not, None = it may.

        Given, not raised: it is kept with its item, and a trace would keep the whole batch. A charge without an actor
        is judged once for each principal, channel and partner, so is each view, and a dry run.
        """
        charged = request.kind is Kind.CHARGE and not request.actor
        if charged and (principal, request.channel, request.partner) in self._charged:
            return None
        pair = (request.channel, request.partner)
        asked = None
        if not charged and not request.actor and isinstance(request, QueryRequest | EventRequest):
            asked = (principal, request.view if isinstance(request, QueryRequest) else request.kind.name, *pair)
            if asked in self._read:
                return None
        try:
            verdict = self._verdicts[pair]
        except KeyError:
            verdict = self._judge(*pair)
            if len(self._verdicts) < VERDICTS_MAX:
                self._verdicts[pair] = verdict
        verdict = verdict or self._refuse(request, principal)
        if verdict is None and charged and len(self._charged) < VERDICTS_MAX:
            self._charged.add((principal, *pair))
        elif verdict is None and asked is not None and len(self._read) < VERDICTS_MAX:
            self._read.add(asked)
        return verdict

    def _refuse(self, request: Request, principal: str) -> Fault | None:
        """Say what the grants have against a request. The amount of a charge is the owner's to judge."""
        name, amount = _asked(request)
        another = names_another(principal, request.actor)
        try:
            permission = self.policy.permit(principal, name, request.channel, request.partner, self.domain, another)
        except Denied as fault:
            return fault.with_traceback(None)
        if not permission.allows(amount):
            return amount_denied(principal, name, permission.amount_max)
        return None

    def check_place(self, place: str, field: str) -> None:
        """Check that a place is a region, or looks like a network abroad. Raises `Invalid` REGION_UNKNOWN."""
        if place in self._places or is_network(place) is not None:
            return
        text = "the code of a region, or of a network abroad such as HK-CSL"
        raise Invalid("REGION_UNKNOWN", f"there is no region {place[:40]!r}: give {text}", fields={field: text})

    def check_domain(self, domain: str, field: str) -> None:
        """Check that a domain exists. Raises `Invalid` REGION_UNKNOWN."""
        if domain not in self.told.domains:
            text = "the code of a region"
            raise Invalid("REGION_UNKNOWN", f"there is no region {domain[:40]!r}: give {text}", fields={field: text})

    def _judge(self, code: str, partner: str) -> Fault | None:
        channel = self._channels.get(code)
        if channel is None or not channel.is_open:
            text = f"one of {self._listed(each.code for each in self._channels.values() if each.is_open)}"
            if not code:
                return Denied(
                    "CHANNEL_UNKNOWN", f"the access channel is missing: give {text}", fields={"channel": text}
                )
            if channel is None:
                message = f"there is no channel {code[:40]!r}: give {text}"
                return Denied("CHANNEL_UNKNOWN", message, fields={"channel": text})
            return Denied("CHANNEL_CLOSED", f"channel {code!r} is closed: give {text}", fields={"channel": text})
        if not partner and not channel.partners_only:
            return None
        if self._partners.get(partner):
            return None
        # Who the other partners are is nobody's business.
        text = "the code of an active partner of the shared unit"
        fields = {"partner": text}
        if not partner:
            return Invalid("PARTNER_MISSING", f"channel {code!r} is for partners: give {text}", fields=fields)
        if partner not in self._partners:
            return Denied("PARTNER_UNKNOWN", f"there is no partner {partner[:40]!r}: give {text}", fields=fields)
        return Denied("PARTNER_INACTIVE", f"partner {partner!r} is not active: give {text}", fields=fields)

    @staticmethod
    def _listed(codes: Iterable[str]) -> str:
        found = sorted(codes)
        return ", ".join(found[:SHOWN_MAX]) + (", …" if len(found) > SHOWN_MAX else "")


def newer(before: DomainReference | None, reference: Reference) -> DomainReference:
    """Give the newer of what is held and what came; catalogues are compiled anew only where they changed."""
    if before is not None and before.told.revision > reference.revision:
        return before
    if before is not None and before.told.catalogues == reference.catalogues:
        return DomainReference(reference, before.timeline)
    return DomainReference(reference, Timeline.build(reference.catalogues, reference.domain, reference.time_zone))


def _asked(request: Request) -> tuple[str, int]:
    """Give what grants call it, and the amount that they may bound."""
    if isinstance(request, CommandRequest):
        return request.order.permission(), request.order.at_stake()
    if isinstance(request, QueryRequest):
        return request.view, 0
    return "charge" if request.kind is Kind.CHARGE else "quote", 0
