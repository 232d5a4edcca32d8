"""Refusals in the caller's language: what the reason means, beside the English sentence that says it of a request."""

from google.rpc.error_details_pb2 import LocalizedMessage
from google.rpc.status_pb2 import Status

from charging.base.tongue import ENGLISH_CODE, Tongue
from charging.errors import Fault
from charging.reasons import REASONS
from runtime.status import to_status


def to_status_in(fault: Fault, say: Tongue) -> Status:
    """Make the status of a fault; not in English with a LocalizedMessage (google.rpc) by its reason."""
    status = to_status(fault)
    known = REASONS.get(fault.reason)
    if say.code != ENGLISH_CODE and known is not None:
        told = LocalizedMessage(locale=say.code, message=say(known.meaning) + (say(known.do) if known.do else ""))
        status.details.add().Pack(told)
    return status
