"""How a command ends that can't do its work: one sentence on standard error and a status, never a trace.

What is expected to go wrong has an error of its own, whose text says what and what to do, or is the system's word on a
file. Everything else is a defect, and its trace is wanted.
"""

import msgspec
from grpc.aio import AioRpcError

from charging.errors import Fault
from cluster.cassandra.errors import LocalCassandraError
from cluster.filling import CatalogueFaulty
from cluster.supervisor import ProcessDied
from country.sending import SendingFailed
from domainservers.journal.journal import Corrupt
from runtime.settings import BadSettings
from runtime.status import from_rpc_error
from storage.unit import StoreRejected, StoreUnavailable

FAILED = 1
WRONG_SETTING = 2
EXPECTED = (
    Fault,
    SendingFailed,
    CatalogueFaulty,
    ProcessDied,
    Corrupt,
    LocalCassandraError,
    StoreRejected,
    StoreUnavailable,
    ValueError,
    TimeoutError,
)


def status_and_text(failure: BaseException) -> tuple[int, str] | None:
    """Give the exit status and the sentence of an expected failure, None of a defect."""
    if isinstance(failure, BadSettings):
        return WRONG_SETTING, str(failure)
    if isinstance(failure, AioRpcError):
        fault = from_rpc_error(failure)
        return FAILED, f"{fault.reason}: {fault.message}"
    if isinstance(failure, msgspec.MsgspecError | UnicodeError):
        return FAILED, f"a file or an argument can't be read: {failure}"
    if isinstance(failure, EXPECTED):
        return FAILED, str(failure)
    if isinstance(failure, OSError):
        where = f"{failure.filename}: " if failure.filename else ""
        return FAILED, f"{where}{failure.strerror or failure}"
    return None
