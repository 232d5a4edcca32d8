"""What may be sold together, and agreed."""

import pytest

from charging.catalogue import from_plain, pack
from charging.contract import Contract, Subscription
from charging.errors import Invalid
from charging.plan import Plan
from charging.selling import check_agreements, check_offerings
from charging.timeline import Timeline
from charging.wire import CatalogueRef

NOW_MS = 1_790_000_000_000
CATALOGUE = from_plain(
    {
        "catalogue": "test",
        "version": "1",
        "offerings": [
            {"id": "plan"},
            {"id": "rival", "excludes": ["plan"]},
            {"id": "pack", "kind": "addon", "requires": ["plan", "rival"]},
            {"id": "bundle", "kind": "bundle", "includes": ["plan"]},
        ],
        "discounts": [
            {"id": "everybody", "stage": "product", "percent": "1"},
            {"id": "own", "stage": "subscriber", "percent": "1"},
            {"id": "whole", "stage": "account", "percent": "1"},
        ],
        "agreements": [{"id": "agreed", "discounts": ["own", "whole"]}],
    }
)


def plan() -> Plan:
    refs = [CatalogueRef("", 1, 0, pack(CATALOGUE))]
    return Timeline.build(refs, "GD", "Asia/Shanghai").plan_at(NOW_MS)


def contract(*offerings: str, ended: str = "") -> Contract:
    held = [Subscription(name) for name in offerings]
    held += [Subscription(ended, 0, NOW_MS)] if ended else []
    return Contract("msisdn:8613800000001", "a", "GD", subscriptions=tuple(held))


@pytest.mark.parametrize("offerings", [("plan",), ("plan", "pack"), ("bundle", "pack"), ("rival", "pack"), ()])
def test_sound_contracts_pass(offerings: tuple[str, ...]) -> None:
    check_offerings(plan(), contract(*offerings), NOW_MS)
    assert plan().opened_names(offerings) or not offerings


@pytest.mark.parametrize(
    ("offerings", "reason", "told"),
    [
        (("nought",), "OFFERING_UNKNOWN", "one of bundle, pack, plan, rival"),
        (("pack",), "OFFERING_REQUIRES", "plan, rival"),
        (("rival", "plan"), "OFFERING_EXCLUDED", "either rival or plan"),
        (("rival", "bundle"), "OFFERING_EXCLUDED", "either rival or plan"),
    ],
)
def test_what_can_not_be_sold_is_told(offerings: tuple[str, ...], reason: str, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_offerings(plan(), contract(*offerings), NOW_MS)
    assert caught.value.reason == reason
    assert told in caught.value.message


def test_what_has_ended_is_not_asked_for() -> None:
    check_offerings(plan(), contract("rival", ended="plan"), NOW_MS)
    with pytest.raises(Invalid):
        check_offerings(plan(), contract("rival", ended="plan"), NOW_MS - 1)


@pytest.mark.parametrize(
    ("stage", "names"), [("subscriber", ("agreed", "own")), ("account", ("agreed", "whole", "agreed"))]
)
def test_known_agreements_and_rules_of_their_stage_pass(stage: str, names: tuple[str, ...]) -> None:
    check_agreements(plan(), names, stage, "agreements")


@pytest.mark.parametrize(
    ("stage", "name", "told"),
    [
        ("subscriber", "argeed", "there is no agreement 'argeed' here: give one of agreed, own"),
        ("account", "own", "rule 'own' is of stage 'subscriber': give one of agreed, whole"),
        ("account", "everybody", "rule 'everybody' is of stage 'product': give one of agreed, whole"),
    ],
)
def test_an_agreement_that_takes_nothing_off_is_refused(stage: str, name: str, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_agreements(plan(), ("agreed", name), stage, "where.agreements")
    assert (caught.value.reason, caught.value.message) == ("AGREEMENT_UNKNOWN", told)
    assert list(caught.value.fields) == ["where.agreements"]
