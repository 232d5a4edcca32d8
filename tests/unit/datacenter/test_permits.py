"""Who may amend the directory: by kind of change, by region, and with whom."""

from collections.abc import Sequence

import pytest

from charging.errors import Conflict, Denied, Fault, Invalid, NotFound, Refused
from charging.ledger.permission import NO_LIMIT, Grant
from datacenter.operators import permits
from datacenter.operators.admission import Admission
from directory.changes import (
    Amendment,
    AmendmentDecided,
    AmendmentProposed,
    Change,
    Channel,
    DirectoryEntry,
    Domain,
    GrantSet,
    NumberPlan,
    UnitAddress,
    digest_of,
)
from directory.checks import check
from directory.state import PROPOSAL_KEEP_MS, DirectoryState

LI, WANG, HALL = "operator/li", "operator/wang", "frontend/web-hall"
UNITS: tuple[Change, ...] = (UnitAddress("one", "memory:one"), UnitAddress("two", "memory:two"))
COUNTRY: tuple[Change, ...] = (
    *UNITS,
    Domain("GD", "Guangdong", "Asia/Shanghai", 1, "one", "one"),
    Domain("BJ", "Beijing", "Asia/Shanghai", 1, "two", "two"),
)
PLAN = NumberPlan({"86130": "BJ"})


class Log:
    """A directory's state, amended as the service does."""

    def __init__(self) -> None:
        self.state = DirectoryState()
        self.now_ms = 1

    def append(self, key: str, changes: Sequence[Change], principal: str) -> int:
        check(self.state, changes)
        revision = self.state.revision + 1
        amendment = Amendment("somebody", self.now_ms, tuple(changes), principal)
        self.state.apply(key, digest_of(tuple(changes)), amendment, revision)
        self.state.revision = revision
        return revision

    async def amend(self, key: str, changes: Sequence[Change], principal: str) -> int:
        appended = permits.admitted(self.state, changes, principal, "")
        known = permits.repeated(self.state, key, changes)
        if known is not None:
            return known
        await Admission(appended, principal).check(self.state)
        revision = self.append(key, appended, principal)
        if key in self.state.proposals:
            raise permits.approval_needed(key)
        return revision

    async def refused(self, key: str, changes: Sequence[Change], principal: str) -> str:
        with pytest.raises(Fault) as caught:
            await self.amend(key, changes, principal)
        return caught.value.reason


@pytest.fixture
def log() -> Log:
    log = Log()
    log.append("country", COUNTRY, LI)
    return log


async def test_who_sets_a_directory_up_is_alone_until_there_is_a_domain() -> None:
    log = Log()
    assert await log.amend("units", UNITS, LI) == 1
    assert await log.amend("country", COUNTRY, LI) == 2
    assert await log.refused("plan", [PLAN], LI) == "APPROVAL_NEEDED"


@pytest.mark.parametrize(
    "change",
    [
        PLAN,
        DirectoryEntry("card:1", "GD"),
        Domain("SH", "Shanghai", "Asia/Shanghai", 1, "one", "one"),
        UnitAddress("three", "memory:three"),
        GrantSet("me", Grant(LI, ("*",), NO_LIMIT, NO_LIMIT)),
    ],
)
async def test_plan_units_and_grants_are_amended_by_two(log: Log, change: Change) -> None:
    before = log.state.revision
    assert await log.refused("k", [change], LI) == "APPROVAL_NEEDED"
    assert await log.refused("k", [change], LI) == "APPROVAL_NEEDED"
    assert await log.refused("mine", [AmendmentDecided("k")], LI) == "SAME_PRINCIPAL"
    assert log.state.revision == before + 1
    revision = await log.amend("yes", [AmendmentDecided("k")], WANG)
    assert await log.amend("k", [change], LI) == revision, "a repeat hears when it took effect"
    assert await log.refused("yes again", [AmendmentDecided("k")], WANG) == "PROPOSAL_UNKNOWN"
    assert not log.state.proposals


async def test_a_rejected_amendment_never_takes_effect(log: Log) -> None:
    assert await log.refused("k", [PLAN], LI) == "APPROVAL_NEEDED"
    await log.amend("no", [AmendmentDecided("k", reject=True)], LI)
    assert await log.refused("k", [PLAN], LI) == "PROPOSAL_REJECTED"
    assert log.state.plan.size == 0


async def test_an_amendment_that_nobody_decides_is_over_after_a_week(log: Log) -> None:
    assert await log.refused("k", [PLAN], LI) == "APPROVAL_NEEDED"
    log.now_ms += PROPOSAL_KEEP_MS
    await log.amend("other", [Channel("pos", "POS")], LI)
    assert await log.refused("k", [PLAN], LI) == "PROPOSAL_EXPIRED"
    assert await log.refused("yes", [AmendmentDecided("k")], WANG) == "PROPOSAL_UNKNOWN"


async def test_what_is_wrong_is_refused_when_it_is_proposed(log: Log) -> None:
    with pytest.raises(Invalid) as caught:
        await log.amend("k", [NumberPlan({"86130": "ZZ"})], LI)
    assert caught.value.reason == "DOMAIN_UNKNOWN"
    with pytest.raises(Refused) as moved:
        await log.amend("k", [UnitAddress("one", "memory:elsewhere")], LI)
    assert moved.value.reason == "UNIT_IN_USE"
    assert not log.state.proposals


async def test_what_became_wrong_is_refused_when_it_is_approved(log: Log) -> None:
    log.append("local", [GrantSet("all", Grant("local", ("*",), NO_LIMIT, NO_LIMIT))], "")
    unit = UnitAddress("three", "memory:three")
    assert await log.refused("k", [unit], LI) == "APPROVAL_NEEDED"
    await log.amend("now", [unit, Domain("SH", "", "Asia/Shanghai", 1, "three", "three")], "local")
    moved = UnitAddress("three", "memory:four")
    assert await log.refused("m", [moved], LI) == "UNIT_IN_USE"
    assert await log.amend("yes", [AmendmentDecided("k")], WANG) > 0


async def test_a_key_proposes_one_content(log: Log) -> None:
    assert await log.refused("k", [PLAN], LI) == "APPROVAL_NEEDED"
    with pytest.raises(Conflict):
        await log.amend("k", [DirectoryEntry("card:1", "GD")], LI)


async def test_a_front_end_amends_nothing_and_a_region_s_operator_its_region(log: Log) -> None:
    for change in (PLAN, Channel("pos", "POS"), GrantSet("me", Grant(HALL, ("*",))), AmendmentDecided("k")):
        assert await log.refused("k", [change], HALL) == "COMMAND_NOT_GRANTED"
    own = Grant("operator/gd", ("amend_plan",), NO_LIMIT, NO_LIMIT, domains=("GD",))
    log.append("gd", [GrantSet("gd", own)], "")
    await log.amend("mine", [DirectoryEntry("card:1", "GD")], "operator/gd")
    for change in (DirectoryEntry("card:2", "BJ"), PLAN, Domain("BJ", "", "Asia/Shanghai", 1, "two", "two")):
        assert await log.refused("theirs", [change], "operator/gd") == "REGION_NOT_GRANTED"


async def test_a_decision_stands_alone(log: Log) -> None:
    assert await log.refused("k", [AmendmentDecided("x"), Channel("pos", "POS")], WANG) == "DECISION_NOT_ALONE"


def test_nobody_forges_a_proposal_within_another() -> None:
    with pytest.raises(KeyError):
        permits.admitted(DirectoryState(), [AmendmentProposed(b"")], LI, "")


@pytest.mark.parametrize(
    ("grant", "reason", "field"),
    [
        (Grant("Front End", ("charge",)), "SUBJECT_MALFORMED", "grant.subject"),
        (Grant("frontend", ()), "COMMAND_UNKNOWN", "grant.commands"),
        (Grant("frontend", ("charge", "fly")), "COMMAND_UNKNOWN", "grant.commands"),
        (Grant("frontend", ("charge",), -2), "AMOUNT_OUT_OF_RANGE", "grant.amount_max"),
        (Grant("frontend", ("charge",), 0, -2), "AMOUNT_OUT_OF_RANGE", "grant.alone_max"),
        (Grant("frontend", ("charge",), channels=("nowhere",)), "CHANNEL_UNKNOWN", "grant.channels"),
        (Grant("frontend", ("charge",), partners=("nobody",)), "PARTNER_UNKNOWN", "grant.partners"),
        (Grant("frontend", ("charge",), domains=("ZZ",)), "DOMAIN_UNKNOWN", "grant.domains"),
    ],
)
def test_a_grant_that_is_written_wrong_is_refused_where_it_is_written(
    log: Log, grant: Grant, reason: str, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        check(log.state, [GrantSet("g", grant)])
    assert caught.value.reason == reason
    assert f"changes[0].{field}" in caught.value.fields


def test_grants_take_effect_with_their_revision_and_go_again(log: Log) -> None:
    before = log.state.reference_revision("GD")
    log.append("g", [GrantSet("g", Grant(HALL, ("quote",)))], LI)
    assert log.state.reference_revision("GD") > before
    with pytest.raises(Denied):
        log.state.policy.permit(HALL, "charge")
    log.append("r", [GrantSet("g", Grant(HALL, ()), remove=True)], LI)
    assert log.state.policy.permit(HALL, "charge").allows(1)


def test_a_decision_of_nothing_is_not_found() -> None:
    with pytest.raises(NotFound):
        check(DirectoryState(), [AmendmentDecided("nothing")])
