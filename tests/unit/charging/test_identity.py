"""Identities: one spelling for each, and no guess at what a slip of the pen meant."""

import pytest

from charging.errors import Invalid
from charging.identity import mask, normalise


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("13012345678", "msisdn:8613012345678"),
        ("+86 130 1234 5678", "msisdn:8613012345678"),
        ("msisdn:8613012345678", "msisdn:8613012345678"),
        ("010-65551234", "fixed:861065551234"),
        ("fixed:+86 (10) 6555-1234", "fixed:861065551234"),
        ("broadband:BJ0012@ADSL", "broadband:bj0012@adsl"),
        ("１３０１２３４５６７８", "msisdn:8613012345678"),
        ("ｍｓｉｓｄｎ：８５２２３４５６７８９", "msisdn:85223456789"),
        ("fixed:861065５51234", "fixed:861065551234"),
        ("broadband:ＢＪ0012＠adsl", "broadband:bj0012@adsl"),
        ("130\u00a01234\u30005678", "msisdn:8613012345678"),
    ],
)
def test_usual_spellings_become_one(raw: str, wanted: str) -> None:
    assert normalise(raw) == wanted
    assert normalise(wanted) == wanted


@pytest.mark.parametrize(
    "raw",
    [
        *("msisdn:86177O9004526", "fixed:x?861065551234", "broadband:a b", "", "12", "fax:1"),
        *("1301234567٨", "msisdn:861301234567८", "fixed:86106555123٤", "fixed:13012345678"),
    ],
)
def test_malformed_is_never_guessed(raw: str) -> None:
    with pytest.raises(Invalid) as refused:
        normalise(raw)
    assert refused.value.reason == "IDENTITY_MALFORMED"
    assert "identity" in refused.value.fields


def test_mask_hides_the_middle() -> None:
    assert mask("msisdn:8613012345678") == "msisdn:861****5678"
