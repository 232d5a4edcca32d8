"""Moves a few numbers to other domains before the traffic, as subscribers do who move house and keep their number."""

import random
from collections.abc import Sequence

from msgspec import Struct
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc

from country.domains import REGIONS
from country.population import MOBILE, Population

PORT_TIMEOUT_S = 30.0


class Move(Struct, frozen=True):
    """One number that moves with its account."""

    identity: str
    from_domain: str
    to_domain: str


def choose(people: Population, count: int, seed: int) -> list[Move]:
    """Choose at most `count` active mobile subscribers who have an account for themselves, and where they go.

    Each at most once, never to where he is; larger regions draw more. The same `seed` chooses the same.
    """
    alone = [
        account
        for account in people.accounts
        if len(account.members) == 1 and account.members[0].kind == MOBILE and not account.suspended
    ]
    chance = random.Random(f"{seed}/port")
    moves: list[Move] = []
    for account in chance.sample(alone, min(count, len(alone))):
        others = [region for region in REGIONS if region.code != account.domain]
        target = chance.choices(others, [region.population for region in others])[0]
        moves.append(Move(account.account_id, account.domain, target.code))
    return moves


async def port_all(stub: dc_grpc.DirectoryServiceStub, moves: Sequence[Move], actor: str) -> None:
    """Port the numbers one after another; the same key ports once."""
    for move in moves:
        request = dc.PortRequest(
            identity=move.identity, to_domain=move.to_domain, request_key=f"port-{move.identity}", actor=actor
        )
        await stub.Port(request, timeout=PORT_TIMEOUT_S)
