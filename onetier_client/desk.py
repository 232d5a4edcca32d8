"""The asyncio client of a front end: one call a request; batches, keys, repeats and deadlines inside.

    async with AsyncClient(["127.0.0.1:7000"]) as desk:
        charge = await desk.charge("13012345678", "voice", quantity=61, other_party="10086")
        print(charge.amount, charge.steps)

Errors are raised as `charging.errors.Fault`. After `Unavailable` or `Expired` the outcome is unknown: give the
same `request_key` again, or ask for the key's `outcome`, to learn it.
"""

from onetier_client.generated.calls import Commands
from onetier_client.numbering import Numbering
from onetier_client.sessions import Sessions
from onetier_client.views import Views
from onetier_client.watching import Watching


class AsyncClient(Views, Sessions, Watching, Numbering, Commands):
    """A front end's desk. Belongs to the event loop in which it is first used; close it, or use `async with`.

    `timeout_ms` is the overall deadline of a call, repeats included; `attempt_timeout_ms` that of one attempt.
    `channel` and `partner` are the access channel that requests name unless they say otherwise, `language` what texts
    are told in, as Accept-Language says it. `feeds` are addresses of the feed's processes, for `watch`.
    """
