"""Records that are objects of one JSON document, such as one call a file, or a list of calls."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from mediation.records import NOT_WHOLE, RAW_BYTES_MAX, FoundRow, RecordPlace, UnreadRecord, UnusableFile

DEPTH_MAX: Final = 32
_object = msgspec.json.Decoder(dict[str, object]).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class JsonReader:
    """Reads such files. `at` names with dots where the records are; empty = the document is a record, or their list."""

    def __init__(self, at: str) -> None:
        self._at = tuple(step for step in at.split(".") if step)

    def rows(self, content: bytes) -> Iterator[FoundRow]:
        """Give the fields of each record, by the number of its place. Raises `UnusableFile` before the first."""
        part = content
        try:
            for step in self._at:
                found = _fields(part).get(step)
                if found is None:
                    raise UnusableFile("COLUMNS_MISSING", f"the document has no {step!r}")
                part = bytes(found)
            records = [bytes(each) for each in _list(part)] if part.lstrip()[:1] == b"[" else [_whole(part)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnusableFile(NOT_WHOLE, f"it is no JSON: {str(error)[:120]}") from error
        for number, raw in enumerate(records, 1):
            place = RecordPlace(number, raw[:RAW_BYTES_MAX])
            if len(raw) > RAW_BYTES_MAX:
                yield UnreadRecord("RECORD_TOO_LARGE", f"it has {len(raw)} bytes, more than {RAW_BYTES_MAX}", place)
                continue
            try:
                yield fields_of(raw), place
            except ValueError as error:
                yield UnreadRecord("RECORD_MALFORMED", str(error), place)


def _whole(part: bytes) -> bytes:
    """Give a document that is one record. Raises `msgspec.DecodeError`."""
    _fields(part)
    return part.strip()


def fields_of(text: str | bytes) -> dict[str, str]:
    """Give the fields of an object as text, those of objects in it named with dots. Raises `ValueError`."""
    try:
        tree = _object(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it is no JSON object: {str(error)[:120]}") from error
    found: dict[str, str] = {}
    _flatten(tree, "", found, 0)
    return found


def _flatten(tree: Mapping[str, object], prefix: str, found: dict[str, str], depth: int) -> None:
    if depth > DEPTH_MAX:
        raise ValueError(f"its objects are nested deeper than {DEPTH_MAX}")
    for name, value in tree.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}{name}.", found, depth + 1)
        elif isinstance(value, str):
            found[f"{prefix}{name}"] = value
        elif isinstance(value, bool):
            found[f"{prefix}{name}"] = "true" if value else "false"
        elif isinstance(value, int):
            found[f"{prefix}{name}"] = str(value)
        elif value is not None:
            # A list has no one text; a number with a point has no exact one.
            found[f"{prefix}{name}"] = msgspec.json.encode(value).decode()
