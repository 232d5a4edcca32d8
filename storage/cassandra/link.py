"""One connection to a Cassandra cluster, shared by all units of this process that live there.

A country has some thirty units on one cluster: they share the driver's cluster, its sockets and its threads, and name
their keyspace in each statement. The driver runs its own event loop in a thread; results are handed to ours by
`call_soon_threadsafe`, once a call however many statements it made, and once for all calls that end before our loop
comes to look.
"""

import asyncio
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar, cast
from weakref import WeakKeyDictionary

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    InvalidRequest,
    ProtocolVersion,
    RequestValidationException,
    Unauthorized,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, ExecutionProfile, NoHostAvailable, ResultSet, Session
from cassandra.policies import (
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    FallthroughRetryPolicy,
    TokenAwarePolicy,
)
from cassandra.pool import Host
from cassandra.query import PreparedStatement, Statement, tuple_factory
from msgspec import Struct

from storage.cassandra.connection import LinkSettings, tls_context
from storage.unit import StoreRejected, StoreUnavailable

CONNECT_TIMEOUT_S = 3.0
SCHEMA_TIMEOUT_S = 30.0
SCHEMA_POLL_S = 0.1
RECONNECT_DELAY_S = 0.5
"""After a node goes away it is tried this often, for ever: a store that comes back is used within a second."""
HEARTBEAT_S = 5
PLAIN = "plain"
"""Reads and timestamped writes, at QUORUM; a repeat is harmless."""
SWAP = "swap"
"""Compare-and-set: SERIAL, committed at QUORUM, never repeated by the driver."""
SERIAL = "serial"
"""Reads that see every compare-and-set that was answered, and finish those under way."""
SCHEMA = "schema"
ONE_NODE = "one node"
"""Reads of what a node keeps of itself."""

Row = tuple[object, ...]
T = TypeVar("T")


class _Timer(Protocol):
    """What we use of the driver's Timer."""

    callback: Callable[[], None]


class _Response(Protocol):
    """What we use of the driver's ResponseFuture."""

    _timer: _Timer | None

    def add_callbacks(self, callback: Callable[[object], None], errback: Callable[[Exception], None]) -> None: ...

    def clear_callbacks(self) -> None: ...


class ClusterLink:
    """A connected cluster. Its methods belong to one event loop."""

    def __init__(self, cluster: Cluster, session: Session) -> None:
        self._cluster = cluster
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._landed: deque[Callable[[], None]] = deque()
        self._called = False
        """Our loop is going to look at what landed."""
        self.schema_lock = asyncio.Lock()
        """Schema changes of this process go one after another: Cassandra gains nothing from more."""

    def nodes(self) -> int:
        """How many nodes the cluster has, as far as known."""
        return len(self._cluster.metadata.all_hosts())

    async def prepare(self, text: str) -> PreparedStatement:
        """Prepare a statement; the driver prepares it anew by itself on nodes that forgot it."""
        return await _blocking(partial(self._session.prepare, text))

    async def change_schema(self, statement: str) -> None:
        """Run a schema statement and wait until every node has its outcome.

        The driver's own waiting is not enough. It waits only for changes that it made, not when the statement found
        its table there, made a moment ago by another process on another node; and it asks one node what it has heard
        of the others.
        """
        await self.rows(statement, SCHEMA)
        deadline = self._loop.time() + SCHEMA_TIMEOUT_S
        while len(await self._schema_versions()) > 1:
            if self._loop.time() > deadline:
                raise StoreUnavailable(f"The nodes did not agree on the schema in {SCHEMA_TIMEOUT_S:.0f} s.")
            await asyncio.sleep(SCHEMA_POLL_S)

    async def _schema_versions(self) -> set[object]:
        """The schema versions of all nodes that answer; one that does not learns the schema before it serves again."""
        versions: set[object] = set()
        for host in self._cluster.metadata.all_hosts():
            if host.is_up:
                with suppress(StoreUnavailable):
                    rows, _ = await self.page("SELECT schema_version FROM system.local", ONE_NODE, None, host)
                    versions.update(row[0] for row in rows)
        return versions

    async def rows(self, statement: Statement | str, profile: str = PLAIN) -> list[Row]:
        """Run a statement and return its (first page of) rows."""
        return (await self.page(statement, profile, None))[0]

    async def page(
        self, statement: Statement | str, profile: str, state: bytes | None, host: Host | None = None
    ) -> tuple[list[Row], bytes | None]:
        """Run a statement, on `host` or where the driver thinks best.

        Returns one page and where the next one starts, None at the end.
        """
        done: asyncio.Future[tuple[list[Row], bytes | None]] = self._loop.create_future()

        def good(rows: object) -> None:
            found = rows if isinstance(rows, list) else []
            next_state: bytes | None = ResultSet(response, found).paging_state
            self._hand_over(done, (found, next_state), None)

        response = self._send(statement, profile, state, host)
        _listen(response, good, lambda failure: self._hand_over(done, None, failure))
        return await done

    async def run_all(self, statements: Iterator[Statement], in_flight: int) -> None:
        """Run idempotent writes, so many at a time. Raises what the first failure was, when none is in flight."""
        done: asyncio.Future[None] = self._loop.create_future()
        flight = _Flight(self._send, statements, lambda failure: self._hand_over(done, None, failure))
        flight.start(in_flight)
        await done

    def _send(
        self,
        statement: Statement | str,
        profile: str = PLAIN,
        state: bytes | None = None,
        host: Host | None = None,
    ) -> _Response:
        try:
            response: _Response = self._session.execute_async(statement, execution_profile=profile, paging_state=state)
        except Exception as failure:
            raise translate(failure) from failure
        return response

    def _hand_over(self, done: asyncio.Future[T], result: T | None, failure: Exception | None) -> None:
        """From the driver's thread to ours. A loop that is gone has nobody left to tell."""
        self._landed.append(partial(_settle, done, result, failure))
        if self._called:
            return
        self._called = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        self._called = False  # Before looking: what lands from now on calls again.
        while self._landed:
            self._landed.popleft()()


class _Flight:
    """Statements of one call on their way: each answer, in the driver's thread, sends the next one off."""

    def __init__(
        self,
        send: Callable[[Statement], _Response],
        statements: Iterator[Statement],
        finish: Callable[[Exception | None], None],
    ) -> None:
        self._send = send
        self._statements = statements
        self._finish = finish
        self._lock = threading.Lock()
        self._out = 0
        self._failure: Exception | None = None

    def start(self, in_flight: int) -> None:
        """Send the first ones; one place is held until all are off, so that `finish` comes once."""
        self._out = 1
        for _ in range(in_flight):
            self._next()
        self._landed()

    def _next(self) -> None:
        with self._lock:
            statement = None if self._failure else next(self._statements, None)
            if statement is None:
                return
            self._out += 1
        try:
            _listen(self._send(statement), self._good, self._bad)
        except Exception as failure:
            self._bad(failure)

    def _good(self, _rows: object) -> None:
        self._next()
        self._landed()

    def _bad(self, failure: Exception) -> None:
        with self._lock:
            self._failure = self._failure or failure
        self._landed()

    def _landed(self) -> None:
        with self._lock:
            self._out -= 1
            last = self._out == 0
        if last:
            self._finish(self._failure)


def _listen(response: _Response, good: Callable[[object], None], bad: Callable[[Exception], None]) -> None:
    """Call one of both in the driver's thread; when it comes, let the response go at once.

    The driver's response and its timer hold each other, and the timer stays in the driver's queue until its time, ended
    or not. So every statement was left to the garbage collector, two dozen objects each, and with thousands of
    statements a second the collector stopped the process for a fifth of a second every few seconds.
    """

    def well(rows: object) -> None:
        _let_go(response)
        good(rows)

    def badly(failure: Exception) -> None:
        _let_go(response)
        bad(failure)

    response.add_callbacks(well, badly)


def _let_go(response: _Response) -> None:
    response.clear_callbacks()
    if response._timer is not None:
        response._timer.callback = _nothing


def _nothing() -> None:
    """For a timer whose statement has ended."""


class _Shared(Struct):
    """A link and how many units use it."""

    opening: asyncio.Task[ClusterLink]
    users: int


_links: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[LinkSettings, _Shared]] = WeakKeyDictionary()


async def borrow(settings: LinkSettings) -> ClusterLink:
    """The link for these settings, connected now if nobody has it yet. Give it back with `give_back`.

    Raises `StoreUnavailable` when no contact point answers, `StoreRejected` for wrong credentials or TLS files.
    """
    links = _links.setdefault(asyncio.get_running_loop(), {})
    shared = links.get(settings)
    if shared is None:
        shared = links[settings] = _Shared(asyncio.create_task(_connect(settings)), 0)
    shared.users += 1
    try:
        return await asyncio.shield(shared.opening)
    except BaseException:
        await give_back(settings)
        raise


async def give_back(settings: LinkSettings) -> None:
    """One user less; the last one closes the connection."""
    links = _links[asyncio.get_running_loop()]
    shared = links[settings]
    shared.users -= 1
    if shared.users:
        return
    del links[settings]
    try:
        link = await shared.opening
    except (StoreUnavailable, StoreRejected):
        return
    await asyncio.to_thread(link._cluster.shutdown)


async def _connect(settings: LinkSettings) -> ClusterLink:
    cluster = _cluster(settings)
    try:
        session = await _blocking(cluster.connect)
    except BaseException:
        await asyncio.to_thread(cluster.shutdown)
        raise
    return ClusterLink(cluster, session)


def _cluster(settings: LinkSettings) -> Cluster:
    policy = TokenAwarePolicy(DCAwareRoundRobinPolicy(settings.local_dc))
    timeout_s = settings.timeout_ms / 1000
    quorum, serial = ConsistencyLevel.QUORUM, ConsistencyLevel.SERIAL

    def profile(consistency: int, timeout: float) -> ExecutionProfile:
        # The driver never repeats by itself: a swap that timed out may have happened, and for the rest the caller
        # knows best how long it can wait.
        return ExecutionProfile(
            load_balancing_policy=policy,
            retry_policy=FallthroughRetryPolicy(),
            consistency_level=consistency,
            serial_consistency_level=serial,
            request_timeout=timeout,
            row_factory=tuple_factory,
        )

    return Cluster(
        contact_points=list(settings.contact_points),
        port=settings.contact_points[0][1],
        protocol_version=ProtocolVersion.V4,  # V5 frames carry checksums that the driver computes in Python
        # Without TCP_NODELAY a compare-and-set waits for delayed acknowledgements: 3.5 to 45 ms instead of 1.
        sockopts=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        # `change_schema` waits itself, and better; both, one after the other, make a table take twice as long.
        max_schema_agreement_wait=0,
        connect_timeout=CONNECT_TIMEOUT_S,
        control_connection_timeout=CONNECT_TIMEOUT_S,
        reconnection_policy=ConstantReconnectionPolicy(RECONNECT_DELAY_S, max_attempts=None),
        idle_heartbeat_interval=HEARTBEAT_S,
        idle_heartbeat_timeout=HEARTBEAT_S,
        auth_provider=PlainTextAuthProvider(settings.user, settings.password) if settings.user else None,
        ssl_context=tls_context(settings),
        execution_profiles={
            PLAIN: profile(quorum, timeout_s),
            SWAP: profile(quorum, timeout_s),
            SERIAL: profile(serial, timeout_s),
            SCHEMA: profile(quorum, SCHEMA_TIMEOUT_S),
            ONE_NODE: profile(ConsistencyLevel.ONE, CONNECT_TIMEOUT_S),
        },
    )


def translate(failure: Exception) -> Exception:
    """The driver's errors as ours. What is not plainly for good may pass: the outcome is unknown."""
    if isinstance(failure, StoreUnavailable | StoreRejected):
        return failure
    causes: Sequence[object] = [failure]
    if isinstance(failure, NoHostAvailable):
        causes = list(failure.errors.values()) if isinstance(failure.errors, dict) else list(failure.errors)
    if causes and all(isinstance(cause, AuthenticationFailed) for cause in causes):
        return StoreRejected("Cassandra refuses the credentials.")
    if isinstance(failure, Unauthorized | InvalidRequest | RequestValidationException):
        return StoreRejected(f"Cassandra refuses: {failure}")
    if isinstance(failure, ssl.SSLError):
        return StoreRejected(f"TLS to Cassandra fails: {failure}")
    return StoreUnavailable(f"Cassandra did not answer: {type(failure).__name__}: {failure}")


def _settle(done: asyncio.Future[T], result: T | None, failure: Exception | None) -> None:
    if done.done():
        return  # the caller was cancelled
    if failure is not None:
        error = translate(failure)
        error.__cause__ = failure
        done.set_exception(error)
    else:
        done.set_result(cast("T", result))


async def _blocking(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except Exception as failure:
        raise translate(failure) from failure
