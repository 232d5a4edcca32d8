"""Refusals in the caller's language: what the reason means, beside the English sentence that says it of a request."""

from google.rpc.error_details_pb2 import LocalizedMessage
from google.rpc.status_pb2 import Status

from charging.base.tongue import ENGLISH_CODE, Tongue
from charging.errors import Fault
from runtime.languages import REASON_TEXTS
from runtime.status import to_status


def to_status_in(fault: Fault, say: Tongue) -> Status:
    """Make the status of a fault; not in English with a LocalizedMessage (google.rpc) by its reason."""
    status = to_status(fault)
    if say.code != ENGLISH_CODE:
        meaning = REASON_TEXTS[say.code](fault.reason)
        if meaning:
            status.details.add().Pack(LocalizedMessage(locale=say.code, message=meaning))
    return status
