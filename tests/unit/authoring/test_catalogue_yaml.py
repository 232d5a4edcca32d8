"""Files that are no catalogue, whatever they hold: one sentence with file and line, little memory, the others go on."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from authoring import parsing
from authoring.files import read_folder

SOUND = "catalogue: n\nversion: 1\nservices: [{id: sms, unit: event}]\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]\n" for name, below in zip("bcdefghij", "abcdefghi", strict=True)
)


def lines_of(folder: Path) -> list[str]:
    return [f"{Path(fault.file).name}:{fault.line}: {fault.message}" for fault in read_folder(folder).faults]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"catalogue: n\nversion: 1\nname: \xff\n", "a.yaml:3: is no UTF-8: save the file in that encoding"),
        ("[" * 200_000, "a.yaml:1: not readable as YAML: it is nested without end"),
        ("{a: " * 3_000, "a.yaml:1: not readable as YAML: it is nested without end"),
        (SOUND + "version: 2\n", "a.yaml:4: version: is written twice: keep one"),
        (SOUND + "bands: []\nbands: []\n", "a.yaml:5: bands: is written twice: keep one"),
        (SOUND.replace("1", "9" * 4_301), "can't stand here: write a whole number from 1 to 2147483647"),
        (
            SOUND.replace("event", "event, quantity_max: " + "9" * 4_301),
            "can't stand here: write a number of base units",
        ),
        (SOUND + "offerings: [{id: o, priority: " + "9" * 4_301 + "}]\n", "can't stand here: write a whole number"),
        (SOUND + "fees: [{id: f, amount: nan}]\n", "'nan' can't stand here: write decimal text"),
        (SOUND + "fees: [{id: f, amount: .inf}]\n", "'.inf' can't stand here: write decimal text"),
        (SOUND + "fees: [{id: f, amount: 1e999}]\n", "'1e999' can't stand here: write decimal text"),
        (SOUND + "effective_from: 0000-01-01\n", "there is no 0000-01-01"),
        (SOUND + "calendars: [{id: c, days: [9999-99-99]}]\n", "there is no 9999-99-99"),
        (SOUND + "domain: [GD]\n", "this can't stand here: write the code of a domain"),
        (SOUND + "---\n" + SOUND, "not readable as YAML: but found another document"),
        (SOUND + "x: &a [*a]\n", "an alias that contains itself"),
        (BOMB, "its aliases stand for more than a catalogue can hold"),
        ("", "holds no sections"),
        ("just words", "holds no sections"),
        ("\ufeff" + SOUND + "\u0000", "special characters are not allowed"),
    ],
)
def test_a_file_that_is_none_is_told_in_one_sentence_and_the_next_is_read(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    (tmp_path / "a.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "b.yaml").write_text("catalogue: r\nversion: x\ndomain: GD\n")
    began = time.process_time()
    found = lines_of(tmp_path)
    assert time.process_time() - began < 10
    assert any(sentence in line for line in found), [line[:300] for line in found]
    assert all(len(line) < 500 for line in found)
    assert any(line.startswith("b.yaml:2: version: 'x' can't stand here") for line in found), "the rest goes on"


def test_aliases_of_a_few_bytes_take_no_gigabytes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BOMB)
    assert len(BOMB) < 500
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); "
        "from pathlib import Path; from authoring.files import read_folder; "
        "print(read_folder(Path(sys.argv[1])).faults[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "its aliases stand for more" in done.stdout, done.stderr[-2_000:]


def test_what_is_no_file_or_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").mkdir()
    (tmp_path / "b.yaml").write_text(SOUND)
    (tmp_path / "c.yaml").symlink_to(tmp_path / "nowhere")
    assert lines_of(tmp_path) == ["a.yaml:1: is no file", "c.yaml:1: is no file"]
    monkeypatch.setattr(parsing, "FILE_BYTES_MAX", 20)
    assert any("b.yaml:1: has 0 MB, more than 0: split it" in line for line in lines_of(tmp_path))
