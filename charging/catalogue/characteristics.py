"""What of a contract may be changed where it is sold, by whom and to what: characteristics that are configurable."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from charging.catalogue.words import Id, Moment, Named, Word


class Characteristic(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An attribute, a group or an agreement of contracts that halls may change; others nobody but a back office
    writes."""

    id: Id
    kind: Literal["attribute", "group", "agreement"] = "attribute"
    """What it is in the contract: an attribute that rules ask for, numbers that the group of called parties with this
    id gets besides its own, or the agreement with this id, which is made or ended."""
    name: Named = ""
    values: tuple[Word, ...] = ()
    """That an attribute may have; empty = any. Nothing of groups and agreements."""
    removable: bool = True
    """An attribute may be taken away, a group emptied, an agreement ended."""
    most: Annotated[int, Meta(ge=0, le=64)] = 0
    """How many numbers a group may have; 0 = as many as contracts hold. Nothing of attributes and agreements."""
    channels: tuple[Word, ...] = ()
    """Through which it may be changed; empty = all."""
    effective_from: Moment = ""
    effective_to: Moment = ""
