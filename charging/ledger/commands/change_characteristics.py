"""Change what rules of the catalogue read of a member's contract: attributes, a group of numbers, agreements."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import Agreements, AttributeMap, Expected, Reason
from charging.base.fieldtypes import NAMES, Name, refusal
from charging.base.party import party
from charging.errors import Invalid, Refused
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import TermChange
from charging.ledger.events import ContractSet
from charging.ledger.within import check_contract


class ChangeCharacteristics(BaseAction, frozen=True, tag="characteristics"):
    """Change some of them and leave the others. The platform holds them against the catalogue; it fills in `before`."""

    set_attributes: AttributeMap
    """By name; "" takes one away."""
    group: Annotated[str, Name(required=False)]
    """Whose members are replaced; "" = no group's."""
    group_members: Annotated[tuple[str, ...], NAMES]
    """None empties the group."""
    add_agreements: Agreements
    remove_agreements: Agreements
    reason: Reason
    expected_version: Expected
    before: Annotated[Contract | None, FilledIn()] = None

    traits = Traits(
        sender=PLATFORM,
        permissions=("change_characteristics",),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "ChangeCharacteristics":
        """Give it with the members of the group as the number plan spells them, each once.

        Raises `Invalid` SUBSCRIBER_MISSING, PARTY_MALFORMED; FIELD_WITHOUT_EFFECT for members of no group.
        """
        require_subscriber(asked.identity, "identity")
        if self.group_members and not self.group:
            raise refusal(
                "FIELD_WITHOUT_EFFECT", "change_characteristics.group_members", "empty, unless a group is named"
            )
        members = dict.fromkeys(_number(each, asked.country) for each in self.group_members)
        return replace(self, group_members=tuple(members))

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return revising.member_of(self.before)

    def of(self, before: Contract, now_ms: int) -> Contract:
        """Give the contract afterwards. Raises `Refused` CHARACTERISTICS_UNCHANGED where a part has no effect."""
        attributes = {**before.attributes, **self.set_attributes}
        same = [name for name, value in self.set_attributes.items() if before.attributes.get(name, "") == value]
        groups = dict(before.groups)
        if self.group:
            if set(before.groups.get(self.group, ())) == set(self.group_members):
                same.append(self.group)
            groups[self.group] = self.group_members
        left = tuple([each for each in before.agreements if each not in self.remove_agreements])
        added = tuple(dict.fromkeys(self.add_agreements))
        same += [each for each in self.remove_agreements if each not in before.agreements]
        same += [each for each in added if each in before.agreements]
        if same or not (self.set_attributes or self.group or self.add_agreements or self.remove_agreements):
            text = f"the contract is so already: {', '.join(same) or 'nothing is to be changed'}"
            raise Refused("CHARACTERISTICS_UNCHANGED", text, facts={"names": ",".join(same)})
        return replace(
            before,
            attributes={name: value for name, value in attributes.items() if value},
            groups={name: members for name, members in groups.items() if members},
            agreements=(*left, *added),
        )

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Change them; refused as `of` and `charging.ledger.revising.required` refuse. Raises CONTRACT_TOO_LARGE."""
        before = revising.required(account, self.before)
        after = self.of(before, now_ms)
        check_contract(after)
        changes = _changes(before, after)
        words = "; ".join(f"{name} {old or '(none)'} → {new or '(none)'}" for name, old, new in changes)
        told = f"{before.identity}, {words}; {self.reason}".removesuffix("; ")
        set_to = replace(after, version=account.version + 1)
        return Effect((ContractSet(set_to, told[: revising.TOLD_CHARS_MAX], changes),))


def _number(given: str, country: str) -> str:
    try:
        return party(given, country)
    except Invalid as fault:
        fields = {"change_characteristics.group_members": "numbers as they are dialled, or identities"}
        raise Invalid(fault.reason, fault.message, fields=fields) from fault


def _changes(before: Contract, after: Contract) -> tuple[TermChange, ...]:
    """Give what differs, under its name: before and after."""
    found = [
        (name, old.get(name, ""), new.get(name, ""))
        for old, new in (
            (before.attributes, after.attributes),
            (
                {name: ", ".join(members) for name, members in before.groups.items()},
                {name: ", ".join(members) for name, members in after.groups.items()},
            ),
        )
        for name in sorted(old.keys() | new.keys())
    ]
    found.append(("agreements", ", ".join(before.agreements), ", ".join(after.agreements)))
    return tuple([each for each in found if each[1] != each[2]])
