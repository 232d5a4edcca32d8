"""One YAML file as nodes with their lines, or one sentence that says why it can't be read.

Nothing of what a file says is constructed: all scalars stay text. A file of any content ends in one of the two, in time
and memory that grow with its size and no faster, and that is bounded.
"""

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node

FILE_BYTES_MAX = 8_000_000
"""Eight times a nation of 50,000 prefixes and 2,000 offerings; reading takes some hundred times as much memory."""
PROBLEM_CHARS_MAX = 300


class UnreadableFile(Exception):
    """The file is no YAML that could be a catalogue."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_yaml(file: Path) -> tuple[int, Node | None]:
    """Give the size of a file in bytes and its only document; None = an empty one. Raises `UnreadableFile`."""
    content = _content(file)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(line, "is no UTF-8: save the file in that encoding") from error
    try:
        return len(content), YAML(typ="base", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = " ".join((getattr(error, "problem", None) or str(error)).split())
        raise UnreadableFile(
            mark.line + 1 if mark else 1, f"not readable as YAML: {problem[:PROBLEM_CHARS_MAX]}"
        ) from error
    except RecursionError as error:
        raise UnreadableFile(1, "not readable as YAML: it is nested without end") from error
    except (ValueError, LookupError, AssertionError, AttributeError, TypeError) as error:
        # The library's own slips on texts that are no YAML.
        problem = str(error)[:PROBLEM_CHARS_MAX] or type(error).__name__
        raise UnreadableFile(1, f"not readable as YAML: {problem}") from error


def _content(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise UnreadableFile(1, "is no file")
        size = file.stat().st_size
        if size > FILE_BYTES_MAX:
            raise UnreadableFile(
                1, f"has {size / 1e6:.0f} MB, more than {FILE_BYTES_MAX / 1e6:.0f}: split it by sections"
            )
        return file.read_bytes()
    except OSError as error:
        raise UnreadableFile(1, f"can't be read: {error.strerror}") from error
