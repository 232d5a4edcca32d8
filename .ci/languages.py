"""Texts for people in other languages: bring what the code says into each `onetier.po`, and check it.

    python .ci/languages.py update     new texts come in untranslated, those that the code says no more go
    python .ci/languages.py check      tells what is missing, doubtful, or fills in other values than the English text

Reasons of refusal stand under their names (context "reason"): a sentence may be mended and no translation follows.
"""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

sys.path.insert(0, str(Path(__file__).parents[1]))
from hatch_build import compile_languages

ROOT = Path(__file__).parents[1]
LOCALES = ROOT / "runtime" / "languages" / "locales"
ROOMS = ("appserver", "charging", "runtime")
KEYWORDS = {"say": None, "_say": None, "marked": None}
REASON = "reason"
_VALUES = re.compile(r"\{(\w*)\}")
WIDTH = 110
HEADER = "# Texts of onetier for people."
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def wanted() -> Catalog:
    """Give what the code says: its texts, and the reasons that front ends are told."""
    from charging.base.usage import ENDS
    from charging.reasons import SECTIONS

    found = Catalog(project="onetier", charset="utf-8")
    for room in ROOMS:
        for file, _, text, _, _ in extract_from_dir(str(ROOT / room), [("**.py", "python")], keywords=KEYWORDS):
            if isinstance(text, str) and text:
                found.add(text, locations=[(f"{room}/{file}", 0)])
    found.add(ENDS)
    for section in SECTIONS:
        if section.told_by == "desk":
            for reason in section.reasons:
                found.add(reason.name, context=REASON, auto_comments=[reason.meaning])
    return found


def files() -> list[Path]:
    """Give the file of each language."""
    return sorted(LOCALES.glob("*/LC_MESSAGES/onetier.po"))


def read(path: Path) -> Catalog:
    """Read what is translated into one language."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], charset="utf-8")


def update(path: Path, template: Catalog) -> None:
    """Bring one file up to what the code says, its translations kept."""
    # No date of its own: a file changes only where a text does.
    merged = Catalog(locale=path.parts[-3], charset="utf-8", header_comment=HEADER, creation_date=DAY, fuzzy=False)
    known = read(path)
    for message in sorted((each for each in template if each.id), key=lambda each: (each.context or "", str(each.id))):
        old = known.get(message.id, message.context)
        merged.add(
            message.id,
            old.string if old is not None else "",
            context=message.context,
            locations=[(file, None) for file, _ in message.locations],
            auto_comments=message.auto_comments,
        )
    with path.open("wb") as file:
        write_po(file, merged, width=WIDTH, include_lineno=False, omit_header=False, ignore_obsolete=True)


def faults(path: Path, template: Catalog) -> list[str]:
    """Say what is wrong with one file."""
    found, known = [], read(path)
    for message in template:
        if not message.id:
            continue
        told = known.get(message.id, message.context)
        name = f"{path.parts[-3]}: {message.id!r}"
        if told is None or not told.string:
            found.append(f"{name} is not translated")
        elif told.fuzzy:
            found.append(f"{name} is doubtful")
        elif _values(message.id) != _values(told.string):
            found.append(f"{name} fills in other values")
    said = {(each.id, each.context) for each in template}
    found += [f"{path.parts[-3]}: {each.id!r} is said no more" for each in known if _key(each) not in said]
    return found


def _key(message: Message) -> tuple[object, object]:
    return message.id, message.context


def _values(text: object) -> list[str]:
    return sorted(_VALUES.findall(str(text)))


def main(mode: str) -> int:
    """Do what is asked; gives the exit status."""
    template = wanted()
    if mode == "update":
        for path in files():
            update(path, template)
        compile_languages(ROOT)
        return 0
    wrong = [fault for path in files() for fault in faults(path, template)]
    print("\n".join(wrong) or "every text is translated")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
