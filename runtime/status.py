"""Faults as gRPC sees them, both ways, in one place.

| fault | code | repeat? |
|---|---|---|
| Invalid | INVALID_ARGUMENT | never |
| NotFound | NOT_FOUND | never |
| Refused | FAILED_PRECONDITION | never |
| Conflict | ALREADY_EXISTS | never |
| Denied | PERMISSION_DENIED | never |
| Overloaded | RESOURCE_EXHAUSTED | after RetryInfo |
| Unavailable | UNAVAILABLE | after RetryInfo, same key |
| Expired | DEADLINE_EXCEEDED | same key |
| Broken | INTERNAL | no use |

The status carries ErrorInfo (reason, domain "onetier", facts as metadata), BadRequest for fields, RetryInfo.
"""

from typing import NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status

from charging.errors import (
    Broken,
    Conflict,
    Denied,
    Expired,
    Fault,
    Invalid,
    NotFound,
    Overloaded,
    Refused,
    Unavailable,
)

ERROR_DOMAIN = "onetier"
DETAILS_KEY = "grpc-status-details-bin"
ROLE_NOT_ALLOWED = "ROLE_NOT_ALLOWED"
"""Reason of the Denied that a caller with another role's certificate gets."""
DRAINING = "DRAINING"
"""Reason of the Unavailable that a stopping process gives: the repeat should go to another instance."""

_CODES: dict[type[Fault], grpc.StatusCode] = {
    Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    Refused: grpc.StatusCode.FAILED_PRECONDITION,
    Conflict: grpc.StatusCode.ALREADY_EXISTS,
    Denied: grpc.StatusCode.PERMISSION_DENIED,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    Expired: grpc.StatusCode.DEADLINE_EXCEEDED,
    Broken: grpc.StatusCode.INTERNAL,
}
_FAULTS: dict[int, type[Fault]] = {code.value[0]: cls for cls, code in _CODES.items()} | {
    grpc.StatusCode.CANCELLED.value[0]: Unavailable,
    grpc.StatusCode.ABORTED.value[0]: Unavailable,
    grpc.StatusCode.UNAUTHENTICATED.value[0]: Denied,
    grpc.StatusCode.OUT_OF_RANGE.value[0]: Invalid,
}
_BY_NUMBER: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def code_of(fault: Fault) -> grpc.StatusCode:
    """The gRPC code of a fault; a subclass has that of its kind."""
    for cls in type(fault).__mro__:
        code = _CODES.get(cls)
        if code is not None:
            return code
    return grpc.StatusCode.INTERNAL


def to_status(fault: Fault) -> Status:
    """Write a fault as google.rpc.Status: ErrorInfo always, BadRequest for fields, RetryInfo when a repeat may help."""
    status = Status(code=code_of(fault).value[0], message=fault.message)
    status.details.add().Pack(ErrorInfo(reason=fault.reason, domain=ERROR_DOMAIN, metadata=fault.facts))
    if fault.fields:
        violations = [
            BadRequest.FieldViolation(field=field, description=text, reason=fault.reason)
            for field, text in fault.fields.items()
        ]
        status.details.add().Pack(BadRequest(field_violations=violations))
    if fault.retry_ms > 0:
        delay = Duration(seconds=fault.retry_ms // 1000, nanos=fault.retry_ms % 1000 * 1_000_000)
        status.details.add().Pack(RetryInfo(retry_delay=delay))
    return status


def from_status(status: Status) -> Fault:
    """Read a fault back, its message in the language that was asked for, with the English one.

    A status of another origin becomes the nearest kind, with the code's name as reason.
    """
    cls = _FAULTS.get(status.code, Broken)
    known = _BY_NUMBER.get(status.code)
    reason = known.name if known is not None else "UNKNOWN"
    fields: dict[str, str] = {}
    facts: dict[str, str] = {}
    retry_ms, message = 0, status.message
    for detail in status.details:
        info, bad, retry, local = ErrorInfo(), BadRequest(), RetryInfo(), LocalizedMessage()
        if detail.Unpack(info):
            reason, facts = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            fields = {violation.field: violation.description for violation in bad.field_violations}
        elif detail.Unpack(retry):
            retry_ms = retry.retry_delay.ToMilliseconds()
        elif detail.Unpack(local):
            message = f"{local.message} ({status.message})"
    return cls.told(reason, message, fields=fields, facts=facts, retry_ms=retry_ms)


async def abort(context: grpc.aio.ServicerContext, fault: Fault) -> NoReturn:
    """End a unary call with a fault."""
    details = to_status(fault).SerializeToString()
    await context.abort(code_of(fault), fault.message, trailing_metadata=((DETAILS_KEY, details),))
    raise AssertionError("abort returns never")


def from_rpc_error(error: grpc.aio.AioRpcError) -> Fault:
    """Read the fault of a failed call; its reason is the code's name when no server of ours saw it."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            return from_status(Status.FromString(value))
    code: grpc.StatusCode = error.code()
    cls = _FAULTS.get(code.value[0], Broken)
    return cls.told(code.name, error.details() or code.name)
