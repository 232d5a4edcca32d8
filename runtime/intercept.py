"""What every call passes on its way in: the guard and the caller's role, and faults on their way out.

The guard (`runtime.guard`) says who calls, the process's descriptor (`runtime.room`) which roles may call what.
"""

import asyncio
import inspect
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from traceback import clear_frames

import grpc

from charging.errors import Denied, Fault, Invalid, internal
from runtime.guard import Guard
from runtime.principal import LOCAL, admit
from runtime.status import ROLE_NOT_ALLOWED, abort
from runtime.telemetry import Metrics, logger

log = logger("runtime.intercept")

MESSAGE_MALFORMED = "MESSAGE_MALFORMED"
"""Reason of the Invalid for a message that is none of the call's."""


class Unreadable(Exception):
    """The message of a call can't be read."""


Before = Callable[[grpc.aio.ServicerContext], Awaitable[None]]
Ended = Callable[[], Fault | None]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]]


class _Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Puts something around the handlers of our services, once a method: a lone call is dear enough without."""

    def __init__(self) -> None:
        self._known: dict[str, grpc.RpcMethodHandler] = {}

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """Give the handler with what is around it."""
        method = handler_call_details.method
        known = self._known.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None or not method.startswith("/onetier."):
            return handler
        known = self._known[method] = self._around(handler, method)
        return known

    @abstractmethod
    def _around(self, handler: grpc.RpcMethodHandler, method: str) -> grpc.RpcMethodHandler:
        """Give the handler of a method of ours with what is to be around it."""


class RoleInterceptor(_Interceptor):
    """Refuses callers whose role may not call the service, with PERMISSION_DENIED and reason ROLE_NOT_ALLOWED.

    Services of others (health, reflection) are open to every holder of a certificate of ours; one of ours that no
    descriptor names is open to nobody.
    """

    def __init__(self, guard: Guard, callers: Mapping[str, frozenset[str]]) -> None:
        """`callers` are roles by service."""
        super().__init__()
        self._guard = guard
        self._callers = callers

    def _around(self, handler: grpc.RpcMethodHandler, method: str) -> grpc.RpcMethodHandler:
        service = method.strip("/").partition("/")[0]
        allowed = self._callers.get(service, frozenset())

        async def check(context: grpc.aio.ServicerContext) -> None:
            try:
                principal = self._guard.admit(context)
            except Fault as fault:
                await abort(context, fault)
            if principal.role not in allowed and not (principal.role == LOCAL and allowed):
                shown = principal.role or "none"
                log.warning("caller refused by role", service=service, caller=principal.name)
                text = f"{service} is for {', '.join(sorted(allowed))}; the caller's role is {shown}"
                await abort(context, Denied(ROLE_NOT_ALLOWED, text))
            admit(principal)

        return _wrapped(handler, check, None, self._guard.ended)


class FaultInterceptor(_Interceptor):
    """Turns a `Fault` that a handler raises into its status, and any other exception into a logged `Broken`.

    A message that can't be read is a fault of its sender: INVALID_ARGUMENT with reason MESSAGE_MALFORMED for a call; a
    stream gets None in its place (`runtime.stream`).
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def _around(self, handler: grpc.RpcMethodHandler, method: str) -> grpc.RpcMethodHandler:
        async def failed(context: grpc.aio.ServicerContext, error: Exception) -> None:
            if isinstance(error, Unreadable):
                self._metrics.event("unreadable")
                await abort(context, Invalid(MESSAGE_MALFORMED, "the message can't be read: it is none of this call's"))
            if isinstance(error, Fault):
                await abort(context, error)
            log.error("handler failed", method=method, exc_info=error)
            self._metrics.event("broken")
            await abort(context, internal())

        return _wrapped(handler, None, failed, None)


Failed = Callable[[grpc.aio.ServicerContext, Exception], Awaitable[None]]


def _wrapped(
    handler: grpc.RpcMethodHandler, before: Before | None, failed: Failed | None, ended: Ended | None
) -> grpc.RpcMethodHandler:
    """Give the handler again with a step before it, a step for what it raises, and one for a call that was ended."""
    name = (
        ("stream" if handler.request_streaming else "unary")
        + "_"
        + ("stream" if handler.response_streaming else "unary")
    )
    inner = getattr(handler, name)
    make = getattr(grpc, f"{name}_rpc_method_handler")
    outer = (_generator if inspect.isasyncgenfunction(inner) else _coroutine)(inner, before, failed, ended)
    return make(
        outer,
        request_deserializer=_patient(handler.request_deserializer),
        response_serializer=handler.response_serializer,
    )


def _patient(read: Callable[[bytes], object] | None) -> Callable[[bytes], object] | None:
    """Read a message, or give None: gRPC would end the stream, or log each try with its trace."""
    if read is None:
        return None

    def patient(message: bytes) -> object:
        try:
            return read(message)
        except Exception:
            return None

    return patient


def _coroutine(
    inner: Callable[[object, grpc.aio.ServicerContext], Awaitable[object]],
    before: Before | None,
    failed: Failed | None,
    ended: Ended | None,
) -> Callable[[object, grpc.aio.ServicerContext], Awaitable[object]]:
    async def outer(request: object, context: grpc.aio.ServicerContext) -> object:
        try:
            if before is not None:
                await before(context)
            if request is None and failed is not None:
                raise Unreadable
            return await inner(request, context)
        except grpc.aio.AbortError as end:
            request = None
            _let_go(end)
            raise
        except asyncio.CancelledError:
            await _tell_end(context, ended)
            raise
        except Exception as error:
            if failed is None:
                raise
            await failed(context, error)
            raise

    return outer


def _generator(
    inner: Callable[[object, grpc.aio.ServicerContext], AsyncIterator[object]],
    before: Before | None,
    failed: Failed | None,
    ended: Ended | None,
) -> Callable[[object, grpc.aio.ServicerContext], AsyncIterator[object]]:
    async def outer(request: object, context: grpc.aio.ServicerContext) -> AsyncIterator[object]:
        if before is not None:
            await before(context)
        try:
            if request is None and failed is not None:
                raise Unreadable
            async for reply in inner(request, context):
                yield reply
        except grpc.aio.AbortError:
            raise
        except asyncio.CancelledError:
            await _tell_end(context, ended)
            raise
        except Exception as error:
            if failed is None:
                raise
            await failed(context, error)
            raise

    return outer


def _let_go(end: BaseException) -> None:
    """Let what ended a call hold nothing of it.

    gRPC keeps the exception with the call and the frames that it passed have the call: a cycle, which would keep the
    request, however large, until the collector looks. It looks when there are many objects, and these are few.
    """
    error: BaseException | None = end
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__context__


async def _tell_end(context: grpc.aio.ServicerContext, ended: Ended | None) -> None:
    """Tell the caller why its call was ended, when that was the guard's doing; this raises then."""
    fault = ended() if ended is not None else None
    if fault is not None:
        await abort(context, fault)
