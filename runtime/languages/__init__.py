"""The languages that texts for people are told in: English, which stands in the code, and those of `locales/`.

An `onetier.po` below has the translations of each, and beside it is what the build made of it (`hatch_build.py`).
`make languages` brings new texts in, and a test holds that none is left untranslated.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path

from charging.base.tongue import ENGLISH, ENGLISH_CODE, Tongue

LOCALES = Path(__file__).parent / "locales"
DOMAIN = "onetier"
CHINESE_CODE = "zh"
ACCEPTED_CHARS_MAX = 200
"""Of what a caller writes; the rest is not looked at."""


REASON = "reason"
"""Context of the texts that stand under the name of a reason of refusal."""


def _tongue(found: NullTranslations, code: str) -> Tongue:
    # The text "" is the head of the file.
    return Tongue(code, lambda text: found.gettext(text) if text else text)


def _reasons(found: NullTranslations) -> Callable[[str], str]:
    def text_of(reason: str) -> str:
        told = found.pgettext(REASON, reason)
        return told if told != reason else ""

    return text_of


_FOUND = {code: translation(DOMAIN, LOCALES, languages=[code], fallback=True) for code in (CHINESE_CODE,)}
TONGUES: Mapping[str, Tongue] = {ENGLISH_CODE: ENGLISH} | {code: _tongue(each, code) for code, each in _FOUND.items()}
"""All that are spoken, by the language's code of ISO 639."""
REASON_TEXTS: Mapping[str, Callable[[str], str]] = {code: _reasons(each) for code, each in _FOUND.items()}
"""By language: what a reason of refusal means, "" where nobody has translated it."""


@lru_cache(maxsize=1_024)
def tongue_for(accepted: str) -> Tongue:
    """Choose by what is accepted, as Accept-Language says it (RFC 9110, 12.5.4): "zh-CN, en;q=0.8".

    Of several that are spoken the one that is liked best, of equals the first. English for whatever else it is.
    """
    best, liked = ENGLISH, 0.0
    for part in accepted[:ACCEPTED_CHARS_MAX].split(","):
        name, _, parameter = part.partition(";")
        spoken = TONGUES.get(name.strip().lower().replace("_", "-").partition("-")[0])
        weight = _weight(parameter)
        if spoken is not None and weight > liked:
            best, liked = spoken, weight
    return best


def _weight(parameter: str) -> float:
    """Read "q=0.8"; without it one likes it wholly, and nonsense not at all."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip() == "q" and 0 <= weight <= 1 else 0.0
