"""What may stand in sources.yaml: every fault is told with its line and a sentence, before anything is collected."""

from pathlib import Path

import pytest

from mediation.line import read_rules
from mediation.written import FaultyFile

FORMAT = """format: lines
about: Uses of data, one JSON object a line.
records: {layout: jsonlines}
identity: {from: who, read: {type: number, country: CN}}
service: {value: data}
start: {from: at, read: {type: time, pattern: epoch_ms}}
quantity: {from: bytes, read: {type: integer}}
key: [id]
"""
SOURCES = """sources:
  - source: gx
    folder: /in
    format: lines
    whole: {quiet_s: 60}
    server:
      by: sftp
      host: gx.example.net
      user: cdr
      password: password
      host_keys: keys
    sequence: {pattern: 'gx_(?P<number>[0-9]+)', last: 99}
    expect: {every_s: 60, zone: Asia/Shanghai, busy: {begin: "08:00", end: "22:00", every_s: 30}}
"""


def faults(home: Path, sources: str, mode: int = 0o600) -> list[str]:
    (home / "formats").mkdir()
    (home / "formats" / "lines.yaml").write_text(FORMAT, encoding="utf-8")
    (home / "password").write_text("secret\n", encoding="utf-8")
    (home / "password").chmod(mode)
    (home / "keys").write_text("", encoding="utf-8")
    (home / "sources.yaml").write_text(sources, encoding="utf-8")
    try:
        read_rules(home)
    except FaultyFile as faulty:
        return [f"{fault.line}: {fault.message}" for fault in faulty.faults]
    return []


def test_the_sources_of_this_test_are_good(tmp_path: Path) -> None:
    assert faults(tmp_path, SOURCES) == []


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("source: gx", "source: GX", "2: sources.0.source: must be lower-case letters"),
        ("folder: /in", 'folder: ""', "3: sources.0.folder: must be the path of a folder"),
        ("format: lines", "format: line", "4: sources.0.format: 'line' is the name of no file of formats/"),
        ("{quiet_s: 60}", "{}", "5: sources.0.whole: must say when a file is whole: quiet_s, age_s, companion"),
        ("{quiet_s: 60}", "{quiet_s: -1}", "5: sources.0.whole.quiet_s: must be 0 seconds or more"),
        ("{quiet_s: 60}", "{age_s: -1}", "5: sources.0.whole.age_s: must be 0 seconds or more"),
        ("{quiet_s: 60}", "{quiet: 60}", "5: sources.0.whole.quiet: is no field here"),
        ("{quiet_s: 60}", "{companion: ../.ok}", "5: sources.0.whole.companion: is the end of a name"),
        ("{quiet_s: 60}", "{companion: .ok, not_ending: .ok}", "5: sources.0.whole.not_ending: is the ending of the"),
        ("{quiet_s: 60}", "{trailer: true}", "5: sources.0.whole.trailer: format 'lines' names no trailer"),
        ("by: sftp", "by: scp", "7: sources.0.server"),
        ("host: gx.example.net", 'host: ""', "8: sources.0.server.host: must be 1 to 253 characters without spaces"),
        ("user: cdr", "user: c d r", "9: sources.0.server.user: must be 1 to 255 characters without spaces"),
        ("password: password", "password: none", "10: sources.0.server.password: file 'none' can't be had"),
        ("      password: password\n", "", "6: sources.0.server: must have key or password"),
        ("host_keys: keys", "host_keys: keys\n      port: 70000", "12: sources.0.server.port: must be 1 to 65535"),
        ("host_keys: keys", "host_keys: keys\n      at_once: 0", "12: sources.0.server.at_once: must be 1 to 64"),
        ("host_keys: keys", "host_keys: keys\n      timeout_s: 0", "12: sources.0.server.timeout_s: must be 1 to"),
        ("host_keys: keys", "host_keys: none", "11: sources.0.server.host_keys: file 'none' can't be had"),
        ("(?P<number>[0-9]+)", "([0-9]+)", "12: sources.0.sequence.pattern: must have a group (?P<number>[0-9]+)"),
        ("(?P<number>[0-9]+)", "(?P<number>[0-9]+", "12: sources.0.sequence.pattern: is no regular expression"),
        ("last: 99", "last: 0", "12: sources.0.sequence.last: must be greater than first"),
        ("expect: {every_s: 60", "expect: {every_s: 0", "13: sources.0.expect.every_s: must be 1 second or more"),
        ("zone: Asia/Shanghai", "zone: Asia/Shanghi", "13: sources.0.expect.zone: 'Asia/Shanghi' is no zone"),
        ('begin: "08:00"', 'begin: "8:00"', "13: sources.0.expect.busy.begin: must be a time of the day like 08:00"),
        ('begin: "08:00"', 'begin: "22:00"', "13: sources.0.expect.busy.end: must be another time than begin"),
        ("format: lines", "format: lines\n    backup: there", "5: sources.0.backup: must be the whole path"),
        (
            "format: lines",
            "format: lines\n    move_to: /in",
            "5: sources.0.move_to: must be the path of another folder",
        ),
    ],
)
def test_a_faulty_source_is_refused_where_it_is_faulty(tmp_path: Path, was: str, becomes: str, fault: str) -> None:
    assert was in SOURCES
    found = faults(tmp_path, SOURCES.replace(was, becomes, 1))
    assert len(found) == 1, found
    assert found[0].startswith(fault), found


def test_a_later_number_needs_to_be_written_somewhere(tmp_path: Path) -> None:
    text = SOURCES.replace("{quiet_s: 60}", "{later: true}")
    (fault,) = faults(tmp_path, "\n".join(line for line in text.splitlines() if "sequence" not in line))
    assert fault.startswith("5: sources.0.whole.later: needs sequence")


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, SOURCES, 0o644) == [
        "10: sources.0.server.password: file 'password' can be read by others: chmod 600"
    ]
