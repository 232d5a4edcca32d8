"""The Python that the README shows runs as it stands, against a system of real processes."""

import ast
import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from cluster.system import Shape
from country.offers import MOBILE_PAY_AS_YOU_GO
from testkit.rehearsal import rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
NUMBER = "13900284246"
"""One of the sample country that `make up` serves; here another stands for it."""


async def test_the_python_of_the_readme_charges_and_asks(tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    async with rehearse(tmp_path, Shape(datacenters=1, app_servers=2)) as small:
        identity = next(
            account.account_id for account in small.mobiles() if MOBILE_PAY_AS_YOU_GO in account.members[0].offerings
        )
        code = block[1].replace(f'"{NUMBER}"', f'"{identity}"')
        for shown, real in zip(("127.0.0.1:7100", "127.0.0.1:7101"), small.system.endpoints, strict=True):
            assert shown in code
            code = code.replace(shown, real)
        before = await small.client.balance(identity)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stdout=PIPE, stderr=PIPE)
        out, wrong = await asyncio.wait_for(process.communicate(), 60)
        after = await small.client.balance(identity)
    assert process.returncode == 0, wrong.decode()
    charged, available = out.decode().splitlines()
    amount, _, steps = charged.partition(" ")
    assert ast.literal_eval(steps)
    assert int(amount) == before.real - after.real > 0
    assert int(available) == after.available
