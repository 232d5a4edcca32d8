"""Identities and parties: one spelling for each, read again as itself, and no guess at what a slip of the pen meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.base.bounds import IDENTITY_CHARS_MAX
from charging.base.identity import is_country, mask, masked_text, normalise
from charging.base.party import party
from charging.errors import Invalid

COUNTRIES = ("", "CN", "US", "DE", "IT", "HK", "AR")


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("13012345678", "msisdn:8613012345678"),
        ("8613012345678", "msisdn:8613012345678"),
        ("013012345678", "msisdn:8613012345678"),
        ("+86 130 1234 5678", "msisdn:8613012345678"),
        ("0086 130 1234 5678", "msisdn:8613012345678"),
        ("msisdn:8613012345678", "msisdn:8613012345678"),
        ("010-65551234", "fixed:861065551234"),
        ("861065551234", "fixed:861065551234"),
        ("fixed:+86 (10) 6555-1234", "fixed:861065551234"),
        ("broadband:BJ0012@ADSL", "broadband:bj0012@adsl"),
        ("１３０１２３４５６７８", "msisdn:8613012345678"),
        ("ｍｓｉｓｄｎ：８５２２３４５６７８９", "msisdn:85223456789"),
        ("fixed:861065５51234", "fixed:861065551234"),
        ("broadband:ＢＪ0012＠adsl", "broadband:bj0012@adsl"),
        ("130\u00a01234\u30005678", "msisdn:8613012345678"),
        ("001 310 555 1234", "msisdn:13105551234"),
        ("+1 310 555 1234", "msisdn:13105551234"),
        ("+39 06 1234 5678", "fixed:390612345678"),
        ("85291234567", "msisdn:85291234567"),
    ],
)
def test_usual_spellings_become_one(raw: str, wanted: str) -> None:
    assert normalise(raw, "CN") == wanted
    assert normalise(wanted, "CN") == wanted
    assert party(raw, "CN") == party(wanted, "CN") == wanted


def test_a_kind_and_digits_are_e164_whatever_they_would_be_at_home() -> None:
    # An American number that reads like a Chinese mobile one: the product itself writes it so.
    assert normalise("+13105551234", "CN") == "msisdn:13105551234"
    assert normalise("msisdn:13105551234", "CN") == "msisdn:13105551234"
    assert party("msisdn:13105551234", "CN") == "msisdn:13105551234"
    assert normalise("13105551234", "CN") == "msisdn:8613105551234"


@pytest.mark.parametrize(
    ("raw", "country", "wanted"),
    [
        ("13105551234", "US", "msisdn:13105551234"),
        ("(310) 555-1234", "US", "msisdn:13105551234"),
        ("011 86 139 1234 5678", "US", "msisdn:8613912345678"),
        ("030 901820", "DE", "fixed:4930901820"),
        ("06 1234 5678", "IT", "fixed:390612345678"),
        ("2345 6789", "HK", "fixed:85223456789"),
    ],
)
def test_a_national_spelling_is_read_by_the_configured_country(raw: str, country: str, wanted: str) -> None:
    assert normalise(raw, country) == wanted
    with pytest.raises(Invalid):
        normalise(raw)


@pytest.mark.parametrize(
    "raw",
    [
        *("msisdn:86177O9004526", "fixed:x?861065551234", "broadband:a b", "", "12", "fax:1"),
        *("1301234567٨", "msisdn:861301234567८", "fixed:86106555123٤", "fixed:8613012345678", "fixed:01065551234"),
        # Behind a carrier's dial prefix, behind a trunk zero too many, without an area code: somebody else's number.
        *("1200013900284246", "17951 13900284246", "+86 0 10 6555 1234", "+86 (0)10 6555 1234", "65551234"),
        *("msisdn:12000139002842461", "+861200013900284246", "broadband:\u212aelvin", "1" * 200, "+" + "1" * 100_000),
    ],
)
def test_malformed_is_never_guessed(raw: str) -> None:
    with pytest.raises(Invalid) as refused:
        normalise(raw, "CN")
    assert refused.value.reason == "IDENTITY_MALFORMED"
    assert "identity" in refused.value.fields
    assert len(refused.value.message) < 300


def test_a_called_party_keeps_the_prefix_that_was_dialled() -> None:
    assert party("17951 13900284246", "CN") == "1795113900284246"
    assert party("17951-010-65551234", "CN") == "1795101065551234"
    assert party("1795113900284246", "CN") == "1795113900284246"
    assert party("10086", "CN") == party("10086") == "10086"
    for raw in ("17951", "1200017951013900284246", "17951 5", "x" * (IDENTITY_CHARS_MAX + 1)):
        if raw != "17951":
            with pytest.raises(Invalid) as refused:
                party(raw, "CN")
            assert refused.value.reason == "PARTY_MALFORMED"


def _read(raw: str, country: str, how: str) -> str | None:
    try:
        return normalise(raw, country) if how == "identity" else party(raw, country)
    except Invalid:
        return None


_DIGITS = st.text("0123456789", min_size=2, max_size=18)
_HEADS = ("", "+", "00", "msisdn:", "fixed:", "fixed:+", "011", "86", "1", "17951", "0")
_SPELLINGS = st.one_of(
    st.text(max_size=24),
    st.text("0123456789+ -()./:msdifxe１２٣", max_size=24),
    st.tuples(
        st.sampled_from(("", "+", "00", "msisdn:", "fixed:", "fixed:+", "011", "86", "1", "17951", "0")), _DIGITS
    ).map("".join),
    st.tuples(st.sampled_from(("broadband:", "tv:", "CARD:")), st.text(max_size=12)).map("".join),
)


@settings(max_examples=1_500, deadline=None)
@given(raw=_SPELLINGS, country=st.sampled_from(COUNTRIES), other=st.sampled_from(COUNTRIES))
def test_what_was_read_once_reads_as_itself_in_every_country(raw: str, country: str, other: str) -> None:
    identity = _read(raw, country, "identity")
    if identity is not None:
        assert _read(identity, country, "identity") == identity
        assert _read(identity, other, "identity") == identity
    found = _read(raw, country, "party")
    if found is not None:
        assert _read(found, country, "party") == found
    if identity is not None:
        assert found == identity


@settings(max_examples=500, deadline=None)
@given(kind=st.sampled_from(("msisdn", "fixed")), digits=_DIGITS, country=st.sampled_from(COUNTRIES))
def test_no_digit_of_e164_is_changed_or_lost(kind: str, digits: str, country: str) -> None:
    assert _read(f"{kind}:{digits}", country, "identity") in (None, f"{kind}:{digits}")
    whole = _read(f"+{digits}", country, "identity")
    assert whole is None or whole.endswith(f":{digits}")


@settings(max_examples=500, deadline=None)
@given(digits=_DIGITS, country=st.sampled_from(COUNTRIES[1:]))
def test_a_bare_number_ends_with_the_digits_that_were_written(digits: str, country: str) -> None:
    identity = _read(digits, country, "identity")
    assert identity is None or identity.endswith(digits[-4:])


def test_countries_are_those_of_the_number_plans() -> None:
    assert is_country("CN")
    assert not is_country("")
    assert not is_country("china")
    with pytest.raises(Invalid, match="no country"):
        normalise("13012345678", "XX")


def test_what_a_text_names_is_masked_once() -> None:
    said = "account BJ/0:msisdn:8613012345678 is suspended, and msisdn:861****5678 is not, 12:30"
    assert masked_text(said) == "account BJ/0:msisdn:861****5678 is suspended, and msisdn:861****5678 is not, 12:30"


def test_mask_hides_the_middle() -> None:
    assert mask("msisdn:8613012345678") == "msisdn:861****5678"
