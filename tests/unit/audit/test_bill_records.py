"""Bills are kept beside the journal: one that is missing there, or is another one, is told."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from audit.journals import audit_journal
from tests.unit.audit.sound import ref
from tests.unit.audit.test_explaining import billed
from tests.unit.domainservers.room import ALICE

__all__ = ["billed"]


async def findings(url: str) -> list[str]:
    return (await audit_journal(ref(url, "GD/0"), "", lambda _: None)).report.findings


def run(url: str, statement: str) -> None:
    with closing(sqlite3.connect(Path(url.removeprefix("sqlite://")))) as file:
        assert file.execute(statement).rowcount
        file.commit()


async def test_bills_that_are_kept_as_they_were_journaled_agree(billed: str) -> None:
    assert await findings(billed) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM record WHERE collection = 'bill'", f"{ALICE}: its bill of 2027-01 is missing among the records"),
        ("UPDATE record SET value = value || x'00' WHERE collection = 'bill'", "was not written by its owner"),
        ("UPDATE record SET key = 'x' WHERE collection = 'bill'", "is missing among the records"),
    ],
)
async def test_a_bill_that_somebody_took_out_or_changed_is_told(billed: str, statement: str, told: str) -> None:
    run(billed, statement)
    assert any(told in finding for finding in await findings(billed)), await findings(billed)
