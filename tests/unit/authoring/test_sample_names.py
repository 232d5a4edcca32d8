"""The sample catalogue speaks both languages wherever a customer reads what is sold."""

from pathlib import Path

from authoring.files import read_folder
from charging.catalogue.words import LANGUAGES

CATALOGUES = Path(__file__).parents[3] / "catalogues"


def test_every_offering_and_fee_of_the_sample_has_its_name_in_each_language() -> None:
    told = read_folder(CATALOGUES)
    assert not told.faults
    sold = [(each.id, each.name) for one in told.catalogues for each in (*one.offerings, *one.fees)]
    assert len(sold) >= 18
    for name, words in sold:
        assert isinstance(words, dict), f"{name} has one name for everybody"
        assert sorted(words) == sorted(LANGUAGES), name
        assert all(words.values()), name
