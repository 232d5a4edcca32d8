"""Golden dunning: cases as data, each with its arithmetic, played on the ledger day by day."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest
from ruamel.yaml import YAML

from charging.base.localtime import LocalTime
from charging.base.money import micro
from charging.base.openbills import late_fee
from charging.base.usage import Usage
from charging.catalogue.document import from_plain
from charging.catalogue.merge import merge
from charging.ledger.commands.agree_instalments import AgreeInstalments
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.dispute import Dispute
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.resolve_dispute import ResolveDispute
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.set_payment_mode import SetPaymentMode
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.write_off import WriteOff
from charging.ledger.kinds import Action
from charging.ledger.standing import served
from charging.plans.compile import compile_plan
from charging.plans.dunning import CompiledDunning, dunning_of
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, post

A = "msisdn:8613000000001"
FOLDER = Path(__file__).parent / "dunning"
Case = Mapping[str, object]


def cases() -> Iterator[tuple[list[object], Case]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        document = YAML(typ="base", pure=True).load(path)
        for case in document["cases"]:
            yield document["rules"], case


FOUND = list(cases())


def rules_of(rules: object) -> tuple[CompiledDunning, ...]:
    found = from_plain({"catalogue": "dunning", "version": "1", "dunning": rules})
    return compile_plan(merge(found), LocalTime("Asia/Shanghai")).dunning


def whole(text: str) -> int:
    return int(micro(text))


class Play:
    """One case: an account that is postpaid unless the case says otherwise."""

    def __init__(self, rules: object, case: Case) -> None:
        self.desk = Desk()
        self.desk.open(A, 0, credit_limit=whole(str(case.get("credit_limit", "0"))))
        self.desk.do(A, SetPaymentMode(str(case.get("mode", "postpaid"))))
        rule = dunning_of(rules_of(rules), self.desk.accounts[A])
        assert rule is not None
        self.rule = rule
        for number, text in enumerate(cast("list[str]", case["bills"]), start=1):
            service, amount, _, day = text.split()
            due_ms = START_MS + int(day) * DAY_MS
            self.do(TakeOverBill(f"B-{number}", "", "item", service, whole(amount), due_ms, "", rule.late))

    def do(self, action: Action, key: str = "") -> tuple[str, ...]:
        return self.desk.do(A, action, key, actor="li").notices

    def on(self, day: int, deed: str) -> None:
        """Do what a case writes of a day."""
        self.desk.now_ms = START_MS + day * DAY_MS
        word, *rest = deed.replace(",", "").split()
        if word == "sweep":
            taken = [notice.partition(":")[2] for notice in self.do(Dun("", self.rule.steps))]
            assert taken == rest, f"day {day}"
        elif word == "charge":
            self.do(post(self.desk.accounts[A], charge_of(whole(rest[0]))))
        else:
            self.do(self.action(word, rest), "paid" if word == "pay" and rest == ["50"] else "")

    def action(self, word: str, rest: list[str]) -> Action:
        amount = whole(rest[-1]) if rest and word != "agree" else 0
        if word == "agree":
            return AgreeInstalments("", int(rest[0]), START_MS + int(rest[2]) * DAY_MS, int(rest[4]), "")
        made: dict[str, Action] = {
            "pay": Pay(amount, "", rest[0] if len(rest) > 1 else "", "", "", ""),
            "top-up": TopUp("", "", amount, 0, 0, "", "deposit"),
            "dispute": Dispute("B-1", "", "", amount, ""),
            "resolve": ResolveDispute("B-1", amount, ""),
            "credit": CreditBill("B-1", amount, "", ""),
            "write-off": WriteOff("B-1", amount, "wang", ""),
            "reverse": ReversePayment("paid", ""),
            "suspend": SetStatus("suspended", "fraud"),
        }
        return made[word]


def serves(play: Play, text: str) -> bool:
    service, _, how = text.partition(" ")
    attributes = {"direction": "incoming"} if how == "incoming" else {}
    usage = Usage(A, service, play.desk.now_ms, 1, "", "HK-CSL" if how == "away" else "", attributes)
    return served(play.desk.accounts[A], usage)


@pytest.mark.parametrize(("rules", "case"), FOUND, ids=[str(case["name"]) for _, case in FOUND])
def test_golden_dunning(rules: object, case: Case) -> None:
    play = Play(rules, case)
    for day, deeds in cast("Mapping[str, list[str]]", case["days"]).items():
        play.desk.now_ms = START_MS + int(day) * DAY_MS
        for deed in deeds:
            play.on(int(day), deed)
    account = play.desk.accounts[A]
    assert account.terms.status == case.get("status", "active")
    for text, wanted in cast("Mapping[str, str]", case.get("served", {})).items():
        assert serves(play, text) == (wanted == "yes"), text
    if "late_fee" in case:
        assert late_fee(account.open.bills[0], play.desk.now_ms) == whole(str(case["late_fee"]))
    play.desk.crash()
    assert play.desk.accounts[A] == account


def test_at_night_and_on_holidays_nobody_is_dunned() -> None:
    catalogue = {
        "catalogue": "quiet",
        "version": "1",
        "calendars": [{"id": "feasts", "days": ["2027-01-15"]}],
        "bands": [{"id": "night", "from": "21:00", "to": "08:00"}, {"id": "feast", "calendars": ["feasts"]}],
        "dunning": [{"id": "all", "steps": [{"id": "s", "do": "notice"}], "quiet": ["night", "feast"]}],
    }
    local = LocalTime("Asia/Shanghai")
    (rule,) = compile_plan(merge(from_plain(catalogue)), local).dunning
    at = local.moment_ms
    assert rule.quiet_until_ms(at("2027-01-14T12:00:00+08:00")) == 0
    # The feast begins when the night has not ended: it is quiet through to the night behind it.
    assert rule.quiet_until_ms(at("2027-01-14T22:00:00+08:00")) == at("2027-01-16T08:00:00+08:00")
    assert rule.quiet_until_ms(at("2027-01-16T08:00:00+08:00")) == 0
