"""The limit beside the tiers: messages echoed over a gRPC stream through as many processes, and nothing else.

    python -m bench.hops serve [next address]     one process of the chain; prints its address

A batch is one message of bytes as large as the tiers' own. What the chain carries a second is what gRPC on this machine
leaves to any design with three hops.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager

import grpc
import uvloop

from runtime.channel import open_channel, server_options

STREAM, UNARY = "/bench.Hop/Stream", "/bench.Hop/Unary"
HOPS = 3


async def serve(following: str) -> None:
    """Echo, or hand on to the next process and its answer back, until killed."""
    channel = open_channel(following) if following else None

    async def stream(requests: AsyncIterator[bytes], _context: object) -> AsyncIterator[bytes]:
        if channel is None:
            async for request in requests:
                yield request
            return
        async for answer in channel.stream_stream(STREAM)(requests):
            yield answer

    async def unary(request: bytes, _context: object) -> bytes:
        if channel is None:
            return request
        answer: bytes = await channel.unary_unary(UNARY)(request)
        return answer

    server = grpc.aio.server(options=server_options())
    handlers = {
        "Stream": grpc.stream_stream_rpc_method_handler(stream),
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Hop", handlers),))
    print(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", flush=True)
    await server.start()
    await server.wait_for_termination()


@contextmanager
def chain(hops: int = HOPS) -> Iterator[str]:
    """Start a chain of processes; gives the address of its first."""
    processes: list[subprocess.Popen[str]] = []
    address = ""
    try:
        for _ in range(hops):
            command = [sys.executable, "-m", "bench.hops", "serve", address]
            processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            out = processes[-1].stdout
            assert out is not None
            address = out.readline().strip()
        yield address
    finally:
        for process in processes:
            process.kill()
            process.wait()


async def echo_rate(address: str, batch_bytes: int, batch_items: int, seconds: float, window: int = 8) -> float:
    """Give the items echoed a second, when each batch is one message."""
    body = bytes(batch_bytes)
    channel = open_channel(address)
    stream = channel.stream_stream(STREAM)()
    room = asyncio.Semaphore(window)
    began = time.perf_counter()

    async def send() -> None:
        while time.perf_counter() < began + seconds:
            await room.acquire()
            await stream.write(body)
        await stream.done_writing()

    sender = asyncio.create_task(send())
    echoed = 0
    while await stream.read() is not grpc.aio.EOF:
        echoed += batch_items
        room.release()
    await sender
    rate = echoed / (time.perf_counter() - began)
    await channel.close()
    return rate


async def unary_waits_ms(address: str, calls: int, per_second: float) -> list[float]:
    """Give the waits of single echoes at a steady rate, sorted."""
    channel = open_channel(address)
    call = channel.unary_unary(UNARY)
    waits: list[float] = []

    async def one() -> None:
        began = time.perf_counter()
        await call(bytes(150))
        waits.append((time.perf_counter() - began) * 1_000)

    await steady(one, calls, per_second)
    await channel.close()
    return sorted(waits)


async def steady(one: Callable[[], Coroutine[None, None, None]], calls: int, per_second: float) -> None:
    """Start calls at a steady rate, whatever the answers do; wait for all of them."""
    began = time.perf_counter()
    tasks = []
    for number in range(calls):
        delay = began + number / per_second - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[2] if len(sys.argv) > 2 else ""))
