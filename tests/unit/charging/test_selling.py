"""What may be sold together, and agreed."""

import pytest

from charging.base.contract import Contract, Subscription
from charging.catalogue.document import from_plain, pack
from charging.errors import Invalid
from charging.plans.plan import Plan
from charging.plans.timeline import Timeline
from charging.rating.selling import check_agreements, check_offerings, check_scope, check_watched
from charging.wire import CatalogueRef

NOW_MS = 1_790_000_000_000
CATALOGUE = from_plain(
    {
        "catalogue": "test",
        "version": "1",
        "services": [{"id": "data", "unit": "byte"}],
        "allowances": [{"id": "bytes", "unit": "byte", "quota": "1 MB", "period": "month"}],
        "accumulators": [{"id": "used", "when": {"services": ["data"]}}],
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


@pytest.mark.parametrize("name", ["balance", "bytes", "used"])
def test_a_threshold_watches_money_or_what_counts(name: str) -> None:
    check_watched(plan(), name, "field")


def test_a_threshold_that_could_never_fire_is_refused() -> None:
    with pytest.raises(Invalid, match="balance, or one of bytes, used") as fault:
        check_watched(plan(), "no-such-counter", "set_threshold.watches")
    assert (fault.value.reason, list(fault.value.fields)) == ("ACCUMULATOR_UNKNOWN", ["set_threshold.watches"])


@pytest.mark.parametrize(
    ("unit", "allowance", "reason"),
    [("byte", "nope", "ALLOWANCE_UNKNOWN"), ("event", "bytes", "ALLOWANCE_UNIT"), ("money", "bytes", "ALLOWANCE_UNIT")],
)
def test_a_book_that_could_never_be_used_is_refused(unit: str, allowance: str, reason: str) -> None:
    check_scope(plan(), "byte", "bytes", "field")
    check_scope(plan(), unit, "", "field")
    with pytest.raises(Invalid) as fault:
        check_scope(plan(), unit, allowance, "top_up.allowance")
    assert (fault.value.reason, list(fault.value.fields)) == (reason, ["top_up.allowance"])
