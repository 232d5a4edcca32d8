"""The language in which texts for people are told. English stands in the code; whoever translates hands in a `Tongue`.

`tongue("{price} for {per}", price=…, per=…)` gives a sentence: the text is looked up whole, then filled, so another
language may order its parts as it likes. `marked` notes a text that is looked up elsewhere. The build finds both.
"""

from collections.abc import Callable, Mapping

ENGLISH_CODE = "en"
Names = str | Mapping[str, str]
"""What the catalogue calls something: one text for all, or one for each language ("zh", "en")."""


def marked(text: str) -> str:
    """Give the text as it is: it is translated where it is told."""
    return text


class Tongue:
    """One language."""

    __slots__ = ("code", "look_up")

    def __init__(self, code: str, look_up: Callable[[str], str]) -> None:
        """`look_up` gives a text of the code in this language; what it doesn't know, as it is."""
        self.code = code
        self.look_up = look_up

    def __call__(self, text: str, /, **values: object) -> str:
        """Tell a text with its values filled in."""
        told = self.look_up(text)
        return told.format(**values) if values else told

    def label(self, names: Names, or_else: str) -> str:
        """Give what something is called in this language, else in English, else in any; `or_else` without a name."""
        return label_of(names, or_else, self.code)


def label_of(names: Names, or_else: str, code: str = ENGLISH_CODE) -> str:
    """Give a name in a language, else in English, else in any, else its id."""
    if isinstance(names, str):
        return names or or_else
    return names.get(code) or names.get(ENGLISH_CODE) or next((name for name in names.values() if name), or_else)


ENGLISH = Tongue(ENGLISH_CODE, marked)
