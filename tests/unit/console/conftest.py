"""What the tests of commands on journals begin with."""

from pathlib import Path

import pytest

from tests.unit.audit.sound import lived_in


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """The address of a unit in which two accounts have had about everything happen to them."""
    return await lived_in(tmp_path)
