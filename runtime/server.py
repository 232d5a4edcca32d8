"""The life of a tier's process: start, serve, drain, stop.

    settings.listen ─▶ build(booth, settings) ─▶ started() ─▶ health SERVING, one line of JSON on stdout
                                  SIGTERM, SIGINT
    health NOT_SERVING ─▶ stop_intake() ─▶ flush() ─▶ server.stop(grace) ─▶ close()

A room's `Process` gives `run_tier` an async function `build` that adds its servicers to the booth and returns its
`Life`.
"""

import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import grpc
import uvloop
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection

from runtime.certificates import fits, read_certificate
from runtime.channel import server_options
from runtime.guard import Guard
from runtime.intercept import FaultInterceptor, RoleInterceptor
from runtime.loopback import BadToken, make_token, numeric, token_file, use_token_file
from runtime.room import Process
from runtime.settings import BadSettings, TierSettings
from runtime.telemetry import Exporter, Metrics, logger, start_logs
from runtime.tls import Tls, server_credentials, tls_of
from runtime.tracing import UNTRACED, Tracing

log = logger("runtime.server")

HEALTH_SERVICE = "grpc.health.v1.Health"
COLLECTOR_THRESHOLDS = (20_000, 50, 100)
"""New objects that make the garbage collector look through the young ones: milliseconds each time. What we keep by the
million (accounts, routes, items) holds no cycles, and looking for some at the usual pace of 700 costs a tenth."""
LEFT_RUNNING_S = 5.0
"""How long what a failed start has begun may take to end, before the process ends all the same."""
STREAMS_END_S = 1.0
"""How long streams may take to end after the flush, before they are cut."""


class Life(Protocol):
    """What a tier does at the turning points of its process. Each method is called once, in this order."""

    async def started(self) -> None:
        """The port answers now: announce yourself. What it raises ends the start, and the server stops again."""
        ...

    async def stop_intake(self) -> None:
        """Take nothing new: answer it UNAVAILABLE with RetryInfo, which the client takes to another instance."""
        ...

    async def flush(self) -> None:
        """Finish what is in flight, then let go of what others may take over, and end the streams."""
        ...

    async def close(self) -> None:
        """The server has stopped: close channels and units. Also called after a start that failed."""
        ...


class Booth:
    """A server being furnished: address, credentials, metrics, and a place to add servicers."""

    def __init__(
        self, tier: str, server: grpc.aio.Server, address: str, tls: Tls | None, metrics: Metrics, tracing: Tracing
    ) -> None:
        self.tier = tier
        self.server = server
        self.address = address
        """Host and port that others dial, known before `build` runs."""
        self.tls = tls
        """For the channels this process opens."""
        self.metrics = metrics
        self.tracing = tracing
        self.services: list[str] = []

    def add(self, register: Callable[[object, grpc.aio.Server], None], servicer: object, service: str) -> None:
        """Add a servicer: `booth.add(add_DataCenterServiceServicer_to_server, it, "onetier.v1.DataCenterService")`."""
        register(servicer, self.server)
        self.services.append(service)


SettingsT = TypeVar("SettingsT", bound=TierSettings)
Build = Callable[[Booth, SettingsT], Awaitable[Life]]


class RunningTier:
    """A tier that serves. `await tier.stop()` drains it."""

    def __init__(
        self, booth: Booth, life: Life, health: health_aio.HealthServicer, guard: Guard, grace_ms: int
    ) -> None:
        self.booth = booth
        self.life = life
        self.guard = guard
        self.exporter: Exporter | None = None
        self._health = health
        self._grace_ms = grace_ms

    @property
    def address(self) -> str:
        """Host and port that others dial."""
        return self.booth.address

    @property
    def metrics_address(self) -> str:
        """Host and port that Prometheus reads; empty = off."""
        return self.exporter.address if self.exporter is not None else ""

    async def stop(self) -> None:
        """Drain and stop. Work in flight has `drain_grace_ms`; what is left then is cancelled."""
        grace_s = self._grace_ms / 1000
        await self._health.enter_graceful_shutdown()
        try:
            async with asyncio.timeout(grace_s):
                await self.life.stop_intake()
                await self.life.flush()
        except TimeoutError:
            log.warning("drain took too long, the rest is cut off", grace_ms=self._grace_ms)
        except Exception:
            log.exception("drain failed, stopping all the same")
        await self.booth.server.stop(min(grace_s, STREAMS_END_S))
        await self._close()

    async def abandon(self) -> None:
        """Stop at once, after a start that failed."""
        await self.booth.server.stop(0)
        await self._close()

    async def _close(self) -> None:
        await self.guard.close()
        await self.life.close()
        await asyncio.to_thread(self.booth.tracing.close)
        if self.exporter is not None:
            await asyncio.to_thread(self.exporter.close)


class StartFailed(Exception):
    """The tier could not start, and the log says why."""


async def start_tier(process: Process, settings: SettingsT, build: Build[SettingsT]) -> RunningTier:
    """Start a tier in this event loop; returns when it serves. Raises `BadSettings`, or what `build` raises."""
    metrics = Metrics(process.role)
    tls = _own_certificate(process.role, settings)
    guard = _guard(settings, tls)
    host, _, port = settings.listen.rpartition(":")
    server = grpc.aio.server(
        interceptors=(RoleInterceptor(guard, process.callers()), FaultInterceptor(metrics)),
        options=server_options(settings.message_bytes_max, share_port=int(port) != 0),
    )
    bound = _bind(server, settings.listen, tls)
    address = _advertised(settings.advertise, host, bound)
    booth = Booth(process.role, server, address, tls, metrics, _tracing(settings, process.role, address))
    guard.addresses = {f"{host}:{bound}", booth.address}
    health = health_aio.HealthServicer()
    await health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    try:
        life = await build(booth, settings)
    except BaseException:
        await server.stop(0)
        raise
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection((*booth.services, reflection.SERVICE_NAME, HEALTH_SERVICE), server)
    running = RunningTier(booth, life, health, guard, settings.drain_grace_ms)
    try:
        await server.start()
        guard.start()
        if settings.metrics_listen:
            running.exporter = _exporter(metrics, settings.metrics_listen)
        await life.started()
    except BaseException:
        await running.abandon()
        raise
    for service in ("", *booth.services):
        await health.set(service, health_pb2.HealthCheckResponse.SERVING)
    return running


def run_tier(process: Process, settings: SettingsT | Callable[[], SettingsT], build: Build[SettingsT]) -> int:
    """Run a tier until SIGTERM or SIGINT; the exit code is 0 after a drain, 2 when the settings are wrong, 1 when
    the tier could not start; the log says why.

    Settings may come as a function, `lambda: load(…)`, so that what it raises is told here too.

    When it serves, prints one line on stdout: {"event": "ready", "tier": …, "address": …, "metrics": …}.
    """
    try:
        if not isinstance(settings, TierSettings):
            settings = settings()
        start_logs(process.role, settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signal(process, settings, build))
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    except StartFailed:
        return 1
    except Exception:
        log.exception("the tier failed")
        return 1
    return 0


async def _until_signal(process: Process, settings: SettingsT, build: Build[SettingsT]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    starting = loop.create_task(start_tier(process, settings, build))
    stopped = loop.create_task(stop.wait())
    await asyncio.wait((starting, stopped), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        # A tier that waits for its store must hear the signal too.
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        log.info("stopped before it was ready")
        return
    stopped.cancel()
    try:
        running = starting.result()
    except BadSettings:
        raise
    except Exception:
        log.exception("the tier failed")
        await _end_others()
        raise StartFailed from None
    calm_collector()
    ready = {"event": "ready", "tier": process.role, "address": running.address, "metrics": running.metrics_address}
    print(json.dumps(ready), flush=True)
    log.info("ready", address=running.address, metrics=running.metrics_address)
    await stop.wait()
    log.info("draining")
    await running.stop()
    log.info("stopped")


async def _end_others() -> None:
    """End what a failed start has left running, or the process: one that hangs tells nobody that it failed."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        _, left = await asyncio.wait(others, timeout=LEFT_RUNNING_S)
        if left:
            log.error("what was begun does not end", tasks=len(left))
            logging.shutdown()
            os._exit(1)


def calm_collector() -> None:
    """Set the garbage collector's pace for a process that serves; what lives now is not looked through any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


def _own_certificate(tier: str, settings: TierSettings) -> Tls | None:
    """Read this process's certificate, None without TLS. Raises `BadSettings` when callers would not take it."""
    try:
        tls = tls_of(settings)
        certificate = read_certificate(tls.cert) if tls is not None else None
        if tls is not None and not fits(tls.cert, tls.key):
            raise BadSettings(f"{settings.tls_key} is not the key of the certificate {settings.tls_cert}.")
    except OSError as error:
        raise BadSettings(f"the TLS file {error.filename} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadSettings(f"the TLS file {settings.tls_cert} holds no certificate: {error}.") from error
    if certificate is not None and certificate.role != tier:
        wanted = f"one of the role {tier} (docs/tls.md says how it is made)"
        raise BadSettings(f"{settings.tls_cert} is a certificate of {certificate.name or 'nobody'}: give {wanted}.")
    return tls


def _guard(settings: TierSettings, tls: Tls | None) -> Guard:
    """Make the guard: of certificates with TLS, of the user's token without. Raises `BadSettings`."""
    token = None
    try:
        if settings.token_file is not None:
            use_token_file(settings.token_file)
        if tls is None and settings.insecure:
            log.warning("serving without TLS and token: no caller is checked", listen=settings.listen)
        elif tls is None:
            token = make_token(token_file())
        return Guard(token=token, revoked_file=settings.tls_revoked)
    except BadToken as error:
        raise BadSettings(str(error)) from error
    except (OSError, ValueError) as error:
        raise BadSettings(f"the list of revoked certificates {settings.tls_revoked} can't be read: {error}.") from error


def _tracing(settings: TierSettings, tier: str, address: str) -> Tracing:
    """Make the tracing, if any. Raises `BadSettings` when the collector's authority can't be read."""
    if not settings.traces:
        return UNTRACED
    from runtime.otel import OtelTracing  # Dear to import, and most processes trace nothing.

    try:
        return OtelTracing(settings.traces, settings.traces_ca, tier, address)
    except OSError as error:
        raise BadSettings(f"the authority of the collector {settings.traces_ca} can't be read: {error}.") from error


def _bind(server: grpc.aio.Server, listen: str, tls: Tls | None) -> int:
    """Bind the address and give the port. Raises `BadSettings` when it can't be had."""
    try:
        if tls is None:
            return int(server.add_insecure_port(numeric(listen)))
        return int(server.add_secure_port(listen, server_credentials(tls)))
    except RuntimeError as error:
        raise BadSettings(f"the address {listen} can't be served on; it is taken or not of this machine.") from error


def _exporter(metrics: Metrics, listen: str) -> Exporter:
    """Serve the metrics. Raises `BadSettings` when the address can't be had."""
    try:
        return Exporter(metrics, listen)
    except OSError as error:
        raise BadSettings(f"metrics can't be served on {listen}: {error.strerror}; see metrics_listen.") from error


def _advertised(advertise: str, host: str, port: int) -> str:
    """What others dial: as set, with the real port in place of 0."""
    if not advertise:
        return f"{host}:{port}"
    name, _, given = advertise.rpartition(":")
    return advertise if int(given) else f"{name}:{port}"
