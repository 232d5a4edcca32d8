"""One grammar for a name, wherever it is written: what the catalogue takes, front ends may name, and back again."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.base import names
from charging.catalogue.document import from_plain
from charging.catalogue.words import Place, ServiceId, Word

TEXTS = st.text(st.sampled_from("aZ9._-:*| @~/é"), max_size=40)


def taken(text: str, kind: object) -> bool:
    try:
        return msgspec.convert(text, kind) == text
    except msgspec.ValidationError:
        return False


@given(TEXTS | st.from_regex(names.SERVICE, fullmatch=True))
def test_a_service_of_the_catalogue_is_one_that_requests_may_name(text: str) -> None:
    assert taken(text, ServiceId) == (names.is_service(text) is not None)


@given(TEXTS | st.from_regex(names.CODE, fullmatch=True))
def test_a_place_of_a_zone_is_one_that_requests_may_name_or_how_such_begin(text: str) -> None:
    begins = text.removesuffix("*")
    assert taken(text, Place) == (text == "*" or names.is_place(begins) is not None)


@given(st.from_regex(names.NETWORK, fullmatch=True))
def test_a_network_abroad_is_a_place(text: str) -> None:
    assert names.is_place(text) is not None


@given(st.from_regex(names.SERVICE, fullmatch=True) | st.from_regex(names.CODE, fullmatch=True))
def test_narrow_names_are_names_of_entries(text: str) -> None:
    assert taken(text, Word)
    assert from_plain({"catalogue": "c", "version": "1", "bands": [{"id": text}]}).bands[0].id == text


@pytest.mark.parametrize("name", ["a|b", "a@b", "a b", "~a", "", "a" * 65])
def test_what_counts_has_a_name_that_keys_can_hold(name: str) -> None:
    cap = {"amount": "1", "over": "day", "accumulator": name}
    tree = {"id": "t", "service": "s", "prices": [{"id": "p", "rates": [{"price": "1"}], "cap": cap}]}
    with pytest.raises(msgspec.ValidationError, match="accumulator"):
        from_plain({"catalogue": "c", "version": "1", "tariffs": [tree]})
