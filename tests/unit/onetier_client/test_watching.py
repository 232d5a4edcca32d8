"""`client.watch` against a scripted feed on a real socket: it drops, refuses and falls silent as a test tells it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest
from onetier.v1 import watch_pb2 as pb
from onetier.v1.watch_pb2_grpc import WatchServiceServicer, add_WatchServiceServicer_to_server

from charging.errors import Denied, Fault, Invalid, NotFound, Overloaded, Unavailable
from onetier_client import AsyncClient, Client, Watch, WatchedEvent
from runtime.status import abort

pytestmark = pytest.mark.timeout(30)
Play = Sequence[pb.WatchResponse | Fault]
NOBODY = ["127.0.0.1:1"]


def batch(*numbers: int) -> pb.WatchResponse:
    """A batch whose cursor is the last of its events."""
    events = [pb.AccountEvent(position=f"GD/0/{number}/0") for number in numbers]
    return pb.WatchResponse(events=events, cursor=f"c{numbers[-1]}")


class ScriptedFeed(WatchServiceServicer):
    """Plays one list a stream: batches, then the fault that ends it; a list without one falls silent at its end."""

    def __init__(self, plays: Sequence[Play]) -> None:
        self.plays = list(plays)
        self.requests: list[pb.WatchRequest] = []
        self.left = asyncio.Event()
        self.address = ""

    async def Watch(
        self, request: pb.WatchRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.WatchResponse]:
        self.requests.append(request)
        try:
            for step in self.plays.pop(0) if self.plays else ():
                if isinstance(step, Fault):
                    await abort(context, step)
                yield step
            await asyncio.Event().wait()
        finally:
            self.left.set()

    @property
    def cursors(self) -> list[str]:
        return [request.cursor for request in self.requests]


@asynccontextmanager
async def serving(*plays: Play, listen: str = "127.0.0.1:0") -> AsyncIterator[ScriptedFeed]:
    feed = ScriptedFeed(plays)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_WatchServiceServicer_to_server(feed, server)
    feed.address = f"127.0.0.1:{server.add_insecure_port(listen)}"
    await server.start()
    try:
        yield feed
    finally:
        await server.stop(0)


async def take(watch: Watch, events: int) -> list[tuple[int, str]]:
    """Give (number, cursor) of the next events."""
    told = [await anext(watch) for _ in range(events)]
    return [(int(event.position.split("/")[2]), cursor) for event, cursor in told]


AWAY = Unavailable("DRAINING", "the process is stopping", retry_ms=10)


async def test_each_event_comes_once_in_order_over_streams_that_break_resumed_by_cursor() -> None:
    async with (
        serving([batch(1, 2, 3), AWAY], [AWAY], [batch(4), batch(5, 6), AWAY], [batch(7)]) as feed,
        AsyncClient(NOBODY, feeds=[feed.address]) as client,
    ):
        watch = client.watch(kinds=["paid"], regions=["GD"], accounts=["a"], from_oldest=True, events_max=3)
        assert [number for number, _ in await take(watch, 7)] == [1, 2, 3, 4, 5, 6, 7]
        assert watch.streams == 4
        assert watch.fault is None
    assert feed.cursors == ["", "c3", "c3", "c6"]
    assert [request.from_oldest for request in feed.requests] == [True, False, False, False]
    for request in feed.requests:
        assert (request.kinds, request.regions, request.accounts, request.events_max) == (["paid"], ["GD"], ["a"], 3)


async def test_the_cursor_of_an_event_leaves_out_nothing_of_its_batch() -> None:
    async with serving([batch(1, 2), batch(3, 4, 5)]) as feed, AsyncClient(NOBODY, feeds=[feed.address]) as client:
        told = await take(client.watch(cursor="c0"), 5)
    assert told == [(1, "c0"), (2, "c2"), (3, "c2"), (4, "c2"), (5, "c5")]


async def test_heartbeats_move_the_cursor_of_the_watch_and_an_event_in_hand_does_not() -> None:
    quiet = pb.WatchResponse(cursor="c9")
    async with (
        serving([batch(1), quiet, AWAY], [batch(10), quiet]) as feed,
        AsyncClient(NOBODY, feeds=[feed.address]) as client,
    ):
        watch = client.watch()
        assert await take(watch, 1) == [(1, "c1")]
        assert watch.cursor == ""
        assert await take(watch, 1) == [(10, "c10")]
        assert watch.cursor == "c9"
    assert feed.cursors == ["", "c9"]


@pytest.mark.parametrize(
    "fault",
    [
        Invalid("CURSOR_FOREIGN", "made by another system"),
        NotFound("CURSOR_TOO_OLD", "dropped", facts={"slot": "GD/0"}),
        Denied("REGION_NOT_GRANTED", "not yours"),
    ],
)
async def test_what_no_repeat_would_mend_is_raised_at_once(fault: Fault) -> None:
    async with serving([batch(1), fault]) as feed, AsyncClient(NOBODY, feeds=[feed.address]) as client:
        watch = client.watch()
        await take(watch, 1)
        with pytest.raises(type(fault)) as caught:
            await anext(watch)
        assert (caught.value.reason, caught.value.facts) == (fault.reason, fault.facts)
    assert len(feed.requests) == 1


async def test_too_many_streams_is_waited_for_as_long_as_the_feed_asks() -> None:
    full = Overloaded("STREAMS_TOO_MANY", "as many as this process serves", retry_ms=200)
    async with serving([full], [batch(1)]) as feed, AsyncClient(NOBODY, feeds=[feed.address]) as client:
        watch, began = client.watch(), asyncio.get_running_loop().time()
        waiting = asyncio.create_task(take(watch, 1))
        while watch.fault is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert watch.fault.reason == "STREAMS_TOO_MANY"
        assert await waiting == [(1, "c1")]
        assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_feed_that_dies_is_left_for_the_next_and_repeats_are_paced() -> None:
    async with serving([batch(4)]) as second:
        async with serving([batch(1, 2, 3)]) as first:
            client = AsyncClient(NOBODY, feeds=[first.address, second.address])
            watch = client.watch()
            assert [number for number, _ in await take(watch, 3)] == [1, 2, 3]
        assert await take(watch, 1) == [(4, "c4")]
        assert second.cursors == ["c3"]
        await client.close()
    client = AsyncClient(NOBODY, feeds=[second.address])
    watch = client.watch(cursor="c4")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(watch), 0.7)
    assert 2 <= watch.streams <= 10
    async with serving([batch(5)], listen=second.address) as again:
        assert await take(watch, 1) == [(5, "c5")]
        assert again.cursors == ["c4"]
    await client.close()


@pytest.mark.parametrize("by", ["the watch", "the client"])
async def test_whoever_waits_for_an_event_is_told_of_the_end(by: str) -> None:
    async with serving([batch(1)]) as feed, AsyncClient(NOBODY, feeds=[feed.address]) as client:
        watch = client.watch()

        async def follow() -> list[str]:
            return [cursor async for _event, cursor in watch]

        following = asyncio.create_task(follow())
        while watch.cursor != "c1":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await (watch.close() if by == "the watch" else client.close())
        assert await following == ["c1"]
        await watch.close()
        assert [told async for told in watch] == []
        await asyncio.wait_for(feed.left.wait(), 5)


async def test_leaving_the_block_ends_the_stream_though_events_are_left() -> None:
    async with serving([batch(1, 2)]) as feed, AsyncClient(NOBODY, feeds=[feed.address]) as client:
        async with client.watch() as watch:
            async for _event, cursor in watch:
                assert cursor == ""
                break
        await asyncio.wait_for(feed.left.wait(), 5)
        assert [told async for told in watch] == []


async def test_a_wait_that_is_cancelled_loses_and_doubles_nothing() -> None:
    async with serving([batch(1)], [batch(2)]) as feed, AsyncClient(NOBODY, feeds=[feed.address]) as client:
        watch = client.watch()
        await take(watch, 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(watch), 0.05)
        assert await take(watch, 1) == [(2, "c2")]
    assert feed.cursors == ["", "c1"]


async def test_two_tasks_do_not_share_a_watch() -> None:
    async with serving() as feed, AsyncClient(NOBODY, feeds=[feed.address]) as client:
        watch = client.watch()
        waiting = asyncio.create_task(anext(watch, None))
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError, match="another task"):
            await anext(watch)
        await watch.close()
        assert await waiting is None


async def test_without_a_feed_there_is_nothing_to_watch() -> None:
    async with AsyncClient(NOBODY) as client:
        with pytest.raises(ValueError, match="feeds="):
            client.watch()


def cursors(watch: Iterable[WatchedEvent]) -> list[str]:
    return [cursor for _event, cursor in watch]


async def in_thread(work: Callable[[Client], list[str]], feed: ScriptedFeed) -> list[str]:
    def run() -> list[str]:
        with Client(NOBODY, feeds=[feed.address]) as client:
            return work(client)

    return await asyncio.to_thread(run)


async def test_the_blocking_client_iterates_until_its_caller_leaves() -> None:
    def follow(client: Client) -> list[str]:
        kept = []
        with client.watch(cursor="c0") as watch:
            for _event, cursor in watch:
                kept.append(cursor)
                if cursor == "c4":
                    break
            assert watch.cursor == "c3"
        assert list(watch) == []
        return kept

    async with serving([batch(1, 2), AWAY], [batch(3), batch(4)]) as feed:
        assert await in_thread(follow, feed) == ["c0", "c2", "c3", "c4"]
        await asyncio.wait_for(feed.left.wait(), 5)


async def test_the_blocking_client_raises_in_its_caller_s_thread() -> None:
    def follow(client: Client) -> list[str]:
        with pytest.raises(Denied) as caught:
            list(client.watch())
        return [caught.value.reason]

    async with serving([batch(1), Denied("COMMAND_NOT_GRANTED", "no grant")]) as feed:
        assert await in_thread(follow, feed) == ["COMMAND_NOT_GRANTED"]


async def test_closing_the_blocking_client_ends_the_loop_of_another_thread() -> None:
    async with serving([batch(1)]) as feed:
        client = Client(NOBODY, feeds=[feed.address])
        watch = client.watch()
        following = asyncio.create_task(asyncio.to_thread(cursors, watch))
        while watch.cursor != "c1":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.to_thread(client.close)
        assert await asyncio.wait_for(following, 5) == ["c1"]
        watch.close()
