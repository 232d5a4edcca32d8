"""A command is one file and its lines in the list of kinds: what is forgotten fails here, or when that is imported."""

from importlib import import_module
from pkgutil import iter_modules

import msgspec
import pytest

from charging.base.account import Account
from charging.ledger import commands, kinds
from charging.ledger.action import OWNER, PLATFORM, BaseAction, BaseCreation, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseArrival, BaseEvent

TRAITS = Traits(sender=PLATFORM, permissions=(), predictable=False, proposable=False, of_subscribers=False, ports=False)


def subclasses(base: type) -> set[type]:
    found = set(base.__subclasses__())
    return found | {below for cls in found for below in subclasses(cls)}


@pytest.mark.parametrize("module", [module.name for module in iter_modules(commands.__path__)])
def test_a_file_of_the_commands_has_one_action_which_is_listed_with_its_events(module: str) -> None:
    namespace = import_module(f"charging.ledger.commands.{module}")
    own = [
        value
        for value in vars(namespace).values()
        if isinstance(value, type) and value.__module__ == namespace.__name__
    ]
    actions = [cls for cls in own if issubclass(cls, BaseAction)]
    assert [cls for cls in actions if cls in kinds.ACTIONS] == actions
    assert len(actions) == 1
    assert all(cls in kinds.EVENTS for cls in own if issubclass(cls, BaseEvent))


def test_nothing_is_an_action_or_an_event_that_is_not_listed() -> None:
    listed = {*kinds.ACTIONS, *kinds.EVENTS, BaseCreation, BaseArrival}
    every = subclasses(BaseAction) | subclasses(BaseEvent)
    assert {cls for cls in every if cls.__module__.startswith("charging.")} == listed


def test_tags_are_unique_and_old_ones_are_read_for_ever() -> None:
    assert len(set(kinds.TAGS.values())) == len(kinds.ACTIONS)
    assert len({cls.__struct_config__.tag for cls in kinds.EVENTS}) == len(kinds.EVENTS)


def test_what_a_caller_may_send_has_a_name_to_grant_it_by_and_nothing_else_has() -> None:
    for kind in kinds.ACTIONS:
        assert bool(kind.traits.permissions) == (kind.traits.sender == PLATFORM), kind.__name__
        assert not kind.traits.proposable or kind.traits.sender == PLATFORM
        assert not kind.traits.ports or kind.traits.sender not in (PLATFORM, OWNER)


def test_an_action_that_forgets_to_say_something_of_itself_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute(BaseAction, frozen=True, tag="mute"):
        pass

    class Undecided(BaseAction, frozen=True, tag="undecided"):
        traits = TRAITS

    class Priceless(BaseAction, frozen=True, tag="priceless"):
        traits = TRAITS

        def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
            raise NotImplementedError

    for kind, name in ((Mute, "traits"), (Undecided, "decide"), (Priceless, "at_stake")):
        monkeypatch.setattr(kinds, "ACTIONS", (kind,))
        with pytest.raises(TypeError, match=f"{kind.__name__} does not say its {name}"):
            kinds.check_whole()


def test_an_event_that_forgets_to_say_something_of_itself_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(BaseEvent, frozen=True, tag="silent"):
        rerates = False

    class Idle(BaseEvent, frozen=True, tag="idle"):
        rerates = False

        def words(self) -> str:
            return "idle"

    for event, name in ((Silent, "words"), (Idle, "apply")):
        monkeypatch.setattr(kinds, "EVENTS", (event,))
        with pytest.raises(TypeError, match=f"{event.__name__} does not say its {name}"):
            kinds.check_whole()


def test_what_is_packed_of_an_action_or_an_event_is_an_array_that_begins_with_its_tag() -> None:
    for kind in (*kinds.ACTIONS, *kinds.EVENTS):
        config = kind.__struct_config__
        assert (config.frozen, config.array_like, config.gc) == (True, True, False), kind.__name__
        assert isinstance(config.tag, str)
        assert msgspec.structs.fields(kind) is not None
