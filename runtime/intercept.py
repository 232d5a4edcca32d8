"""What every call passes on its way in: the caller's role, and faults on their way out.

With mutual TLS the role is in the certificate, as the URI `spiffe://onetier/<role>` of its SAN. `ROLES_ALLOWED` says
who may call which service. Without TLS nothing is checked: that is for one machine and for tests.
"""

import asyncio
import inspect
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc

from charging.errors import Broken, Denied, Fault
from runtime.status import ROLE_NOT_ALLOWED, abort
from runtime.telemetry import Metrics, logger

log = logger("runtime.intercept")

ROLE_PREFIX = "spiffe://onetier/"
ROLES_ALLOWED: dict[str, frozenset[str]] = {
    "onetier.v1.DataCenterService": frozenset({"appserver", "domainserver", "operator"}),
    "onetier.v1.DirectoryService": frozenset({"operator"}),
    "onetier.v1.DomainServerService": frozenset({"datacenter"}),
    "onetier.v1.ServiceDeskService": frozenset({"frontend", "operator"}),
}
"""Services of others (health, reflection) are open to every holder of a certificate of ours; one of ours that is not
named is open to nobody."""

Guard = Callable[[grpc.aio.ServicerContext], Awaitable[None]]
Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]]


def roles_of(context: grpc.aio.ServicerContext) -> frozenset[str]:
    """Roles that the caller's certificate gives it; empty without TLS."""
    names = context.auth_context().get("x509_subject_alternative_name", ())
    texts = (name.decode("utf-8", "replace") for name in names)
    return frozenset(text.removeprefix(ROLE_PREFIX) for text in texts if text.startswith(ROLE_PREFIX))


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
    """Refuses callers whose role may not call the service, with PERMISSION_DENIED and reason ROLE_NOT_ALLOWED."""

    def _around(self, handler: grpc.RpcMethodHandler, method: str) -> grpc.RpcMethodHandler:
        service = method.strip("/").partition("/")[0]
        allowed = ROLES_ALLOWED.get(service, frozenset())

        async def check(context: grpc.aio.ServicerContext) -> None:
            roles = roles_of(context)
            if roles & allowed:
                return
            shown = ", ".join(sorted(roles)) or "none"
            log.warning("caller refused by role", service=service, roles=shown)
            text = f"{service} is for {', '.join(sorted(allowed))}; the certificate's role is {shown}"
            await abort(context, Denied(ROLE_NOT_ALLOWED, text))

        return _wrapped(handler, check, None)


class FaultInterceptor(_Interceptor):
    """Turns a `Fault` that a handler raises into its status, and any other exception into a logged `Broken`."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def _around(self, handler: grpc.RpcMethodHandler, method: str) -> grpc.RpcMethodHandler:
        async def failed(context: grpc.aio.ServicerContext, error: Exception) -> None:
            if isinstance(error, Fault):
                await abort(context, error)
            log.error("handler failed", method=method, exc_info=error)
            self._metrics.event("broken")
            await abort(context, Broken("INTERNAL", "an internal error; it is in the server's log"))

        return _wrapped(handler, None, failed)


Failed = Callable[[grpc.aio.ServicerContext, Exception], Awaitable[None]]


def _wrapped(handler: grpc.RpcMethodHandler, before: Guard | None, failed: Failed | None) -> grpc.RpcMethodHandler:
    """Give the handler again with a step before it and a step for what it raises."""
    name = (
        ("stream" if handler.request_streaming else "unary")
        + "_"
        + ("stream" if handler.response_streaming else "unary")
    )
    inner = getattr(handler, name)
    make = getattr(grpc, f"{name}_rpc_method_handler")
    outer = (_generator if inspect.isasyncgenfunction(inner) else _coroutine)(inner, before, failed)
    return make(
        outer, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
    )


def _coroutine(
    inner: Callable[[object, grpc.aio.ServicerContext], Awaitable[object]], before: Guard | None, failed: Failed | None
) -> Callable[[object, grpc.aio.ServicerContext], Awaitable[object]]:
    async def outer(request: object, context: grpc.aio.ServicerContext) -> object:
        if before is not None:
            await before(context)
        try:
            return await inner(request, context)
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            if failed is None:
                raise
            await failed(context, error)
            raise

    return outer


def _generator(
    inner: Callable[[object, grpc.aio.ServicerContext], AsyncIterator[object]],
    before: Guard | None,
    failed: Failed | None,
) -> Callable[[object, grpc.aio.ServicerContext], AsyncIterator[object]]:
    async def outer(request: object, context: grpc.aio.ServicerContext) -> AsyncIterator[object]:
        if before is not None:
            await before(context)
        try:
            async for reply in inner(request, context):
                yield reply
        except (grpc.aio.AbortError, asyncio.CancelledError):
            raise
        except Exception as error:
            if failed is None:
                raise
            await failed(context, error)
            raise

    return outer
