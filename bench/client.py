"""What a request costs a front end's process, aside from protobuf: the client against a desk that answers at once.

    python bench/client.py [requests]

The desk is another process. Printed: CPU of this process for each request in bulk, of that the part that protobuf and
gRPC take for the same batches without the client, and the single call's latency.
"""

import asyncio
import subprocess
import sys
import time

import grpc
import uvloop
from onetier.v1.service_desk_pb2 import (
    ChargeResult,
    ExchangeRequest,
    ExchangeResponse,
    ServiceReply,
    ServiceRequest,
)
from onetier.v1.service_desk_pb2_grpc import (
    ServiceDeskServiceServicer,
    ServiceDeskServiceStub,
    add_ServiceDeskServiceServicer_to_server,
)

from onetier_client import AsyncClient, requests
from runtime.channel import open_channel, server_options
from runtime.stream import ReplyStream, serve_stream

BATCH = 1_000


class EchoDesk(ServiceDeskServiceServicer):
    """Answers every request at once."""

    async def Exchange(self, request_iterator: object, context: grpc.aio.ServicerContext) -> None:
        """Serve one stream."""
        await serve_stream(context, answer, drain=asyncio.Event(), items_in_flight_max=100_000)


def answer(request: ExchangeRequest, replies: ReplyStream[ExchangeResponse]) -> int:
    """Give each request the same charge."""
    count = len(request.requests)
    response = ExchangeResponse(batch_id=request.batch_id, positions=range(count))
    response.replies.extend([ServiceReply(charge=ChargeResult(amount=1, currency="CNY"))] * count)
    replies.send(response, count)
    return count


async def serve() -> None:
    """Run the desk until killed."""
    server = grpc.aio.server(options=server_options())
    add_ServiceDeskServiceServicer_to_server(EchoDesk(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()


def charges(count: int) -> list[ServiceRequest]:
    """Charges of a thousand subscribers."""
    return [requests.charge(f"130{index % 1_000:08}", "sms") for index in range(count)]


async def measure(port: str, count: int) -> None:
    """Run and print."""
    address = f"127.0.0.1:{port}"
    wanted = charges(count)
    async with AsyncClient([address]) as client:
        async for _pair in client.exchange(wanted[:10_000]):
            pass
        cpu, wall = time.process_time(), time.perf_counter()
        done = 0
        async for _request, reply in client.exchange(wanted):
            done += reply.charge.amount
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        assert done == count
        single = []
        for request in charges(500):
            began = time.perf_counter()
            await client.ask(request)
            single.append(time.perf_counter() - began)
    bare = await bare_stream(address, wanted)
    single.sort()
    print(f"bulk                 {count / wall:>10,.0f} requests/s   {cpu / count * 1e6:6.2f} µs CPU each")
    print(f"same batches, bare   {'':>10}              {bare / count * 1e6:6.2f} µs CPU each")
    print(f"client's own         {'':>10}              {(cpu - bare) / count * 1e6:6.2f} µs CPU each")
    print(f"single call          p50 {single[250] * 1e3:.2f} ms   p99 {single[495] * 1e3:.2f} ms")


async def bare_stream(address: str, wanted: list[ServiceRequest]) -> float:
    """Give the CPU seconds of protobuf and gRPC alone: four batches in flight, every reply touched."""
    channel = open_channel(address)
    call = ServiceDeskServiceStub(channel).Exchange()
    began = time.process_time()
    sent = 0
    taken = 0
    while taken < len(wanted):
        while sent < len(wanted) and sent - taken < 4 * BATCH:
            await call.write(ExchangeRequest(batch_id=1, timeout_ms=1_000, requests=wanted[sent : sent + BATCH]))
            sent += BATCH
        response = await call.read()
        taken += sum(reply.charge.amount for reply in response.replies)
    spent = time.process_time() - began
    call.cancel()
    await channel.close()
    return spent


def main() -> None:
    """Start the desk and measure."""
    if sys.argv[1:] == ["--serve"]:
        uvloop.run(serve())
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as desk:
        assert desk.stdout is not None
        try:
            uvloop.run(measure(desk.stdout.readline().strip(), count))
        finally:
            desk.kill()


if __name__ == "__main__":
    main()
