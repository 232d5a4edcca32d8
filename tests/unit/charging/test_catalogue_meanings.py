"""Each key of a catalogue file says what it means: to editors, to the manual, to whoever asks at the terminal."""

from pathlib import Path
from typing import cast

from authoring.key_page import page
from charging.catalogue.document import Catalogue, schema
from charging.catalogue.meanings import kinds_of, meanings

ROOT = Path(__file__).resolve().parents[3]


def test_no_key_is_without_a_text() -> None:
    silent = [
        f"{kind.__name__}.{key}" for kind in kinds_of(Catalogue) for key, text in meanings(kind).items() if not text
    ]
    assert silent == [], "say behind the field what it means"


def test_the_schema_tells_editors_the_same() -> None:
    found = cast(dict[str, dict[str, dict[str, dict[str, str]]]], schema()["$defs"])
    for kind in kinds_of(Catalogue):
        properties = found[kind.__name__]["properties"]
        told = {key: below["description"].partition(" Written as: ")[0] for key, below in properties.items()}
        assert told == dict(meanings(kind))


def test_the_page_of_all_keys_is_the_models() -> None:
    assert (ROOT / "docs" / "catalogue-keys.md").read_text("utf-8") == page(), "write it: onetier catalog keys"
