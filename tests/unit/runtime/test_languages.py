"""Texts in other languages: which one is chosen, that none is missing, and that steps say the same in each."""

import subprocess
import sys
from pathlib import Path

import pytest
from google.rpc.error_details_pb2 import LocalizedMessage

from charging.base.tongue import ENGLISH, label_of
from charging.base.usage import ENDS, Step
from charging.errors import Refused
from charging.rating.explain import sentence
from charging.rating.telling import sentence_in
from runtime.languages import LOCALES, TONGUES, tongue_for
from runtime.languages.telling import to_status_in
from runtime.status import from_status

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh_CN.UTF-8", "zh"),
        ("en-GB, zh;q=0.9", "en"),
        ("fr, zh;q=0.3", "zh"),
        ("en;q=0.1, zh;q=0.2", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=much", "en"),
        ("fr", "en"),
        ("C", "en"),
        (";;;,,,=", "en"),
        ("x" * 100_000, "en"),
    ],
)
def test_the_language_that_is_liked_best_is_chosen(accepted: str, code: str) -> None:
    assert tongue_for(accepted).code == code


def test_every_text_is_translated_and_fills_in_the_same_values() -> None:
    run = [sys.executable, ROOT / ".ci" / "languages.py", "check"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stdout}run `make languages` and fill in onetier.po"


def test_the_files_are_as_the_code_has_its_texts_and_compiled() -> None:
    before = {path: path.read_bytes() for path in LOCALES.glob("*/*/*.?o")}
    assert len(before) == 2 * (len(TONGUES) - 1)
    try:
        subprocess.run([sys.executable, ROOT / ".ci" / "languages.py", "update"], timeout=120, check=True)
        assert {path: path.read_bytes() for path in before} == before, "run `make languages`"
    finally:
        for path, content in before.items():
            path.write_bytes(content)


STEPS = [
    Step("offering", "gd-card", "GD", 0, "", 0, 1, "card, as GD sells it"),
    Step("allowance", "minutes-100", "", 60, "second", 0, 1, "free minutes, rolled over; band night of GD"),
    Step("book", "pack", "", 1_024, "byte", 0, 1, "pack"),
    Step("tariff", "calls/all", "", 60, "second", 200_000, 1, "0.2 per 60, by 60"),
    Step("tariff", "calls/all", "", 60, "second", 1, 3, "night: from 60; 0.1 per 1 min, by 6; zone x of GD"),
    Step("tariff", "calls/all", "", 0, "second", 5_000_000, 1, "volume tier over 0; flat 5"),
    Step("tariff", "calls/all", "", 2, "second", 0, 1, "within the grace"),
    Step("connect", "calls/all", "", 1, "event", 100_000, 1),
    Step("minimum", "calls/all", "", 0, "", 100_000, 1),
    Step("cap", "calls/all", "", 0, "", -100_000, 1, ENDS),
    Step("discount", "vip", "", 0, "", -10, 3, "account: 10 % off", "A"),
    Step("discount", "vip", "GD", 0, "", -10, 3, "subscriber: 0.1 per 60 instead", "S"),
    Step("rounding", "half_up to 4", "", 2_000, "micro", 1, 3),
    Step("fee", "monthly", "", 10, "day", 59_000_000, 3, "59, 10 of 30 days from 20261001, less 3 counted by spent"),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.kind}-{step.detail[:12]}")
def test_a_step_says_the_same_in_every_language(step: Step) -> None:
    plain = sentence(step)
    units = {"60 seconds": "60 s", "1024 bytes": "1024 B", "2 seconds": "2 s"}
    for said, written in units.items():
        plain = plain.replace(said, written)
    assert sentence_in(step, ENGLISH) == plain
    chinese = sentence_in(step, TONGUES["zh"])
    assert step.rule in chinese
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
    assert not {"free", "cost", "Tariff", "Allowance", "Discount"} & set(chinese.replace(":", " ").split())


def test_a_refusal_tells_its_reason_in_the_language_beside_the_sentence() -> None:
    status = to_status_in(Refused("INSUFFICIENT_FUNDS", "3.00 are left"), TONGUES["zh"])
    told = LocalizedMessage()
    assert [told.locale for detail in status.details if detail.Unpack(told)] == ["zh"]
    assert told.message == "余额与信用额度不足。"
    assert from_status(status).reason == "INSUFFICIENT_FUNDS"
    assert from_status(status).message == "余额与信用额度不足。 (3.00 are left)"
    assert to_status_in(Refused("INSUFFICIENT_FUNDS", "3.00 are left"), ENGLISH).details == status.details[:-1]


def test_a_name_is_told_in_the_language_else_in_english_else_in_any() -> None:
    both = {"zh": "流量包", "en": "data pack"}
    assert (label_of(both, "pack", "zh"), label_of(both, "pack")) == ("流量包", "data pack")
    assert label_of({"zh": "流量包"}, "pack") == "流量包"
    assert label_of({}, "pack", "zh") == label_of("", "pack") == "pack"
    assert label_of("plain", "pack", "zh") == "plain"
