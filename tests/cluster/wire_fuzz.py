"""Messages of every service, made at random: half like what is meant, half bent in their bytes."""

import random
import time
from collections.abc import Callable, Iterator

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from msgspec import Struct
from onetier.v1 import billing_pb2, data_center_pb2, domain_server_pb2, service_desk_pb2, watch_pb2

from charging import wire
from charging.ledger.command import Command
from charging.ledger.commands.top_up import TopUp

DEPTH_MAX = 4
REPEATED_MAX = 4
INTEGERS = (0, 1, 2, 3, 7, 60, 1_000, 2**31 - 1)
WIDE = (*INTEGERS, -1, -(2**63), 2**63 - 1, 1 << 40)
TEXTS = (
    "",
    "voice",
    "sms",
    "data",
    "balance",
    "usage",
    "contract",
    "history",
    "outcome",
    "front",
    "k",
    "\x00",
    "~",
    "é",
)
SLOTS = ("GD/0", "BJ/0", "ZZ/0", "GD/", "/", "", "GD/99999999999999999999", "domain:GD", "domain:GD/0", "domain:")
FORBIDDEN = ("number_plan",)
"""Fields that are never filled: an operator may unroute the whole country, and that would be no fault of ours."""


class Target(Struct, frozen=True):
    """One method of a service at one process."""

    address: str
    path: str
    streams: bool
    request: type[Message]


def targets(tiers: dict[str, list[str]]) -> list[Target]:
    """List all methods of all services, by tier → addresses."""
    own = {
        "appserver": [
            service_desk_pb2.DESCRIPTOR.services_by_name["ServiceDeskService"],
            billing_pb2.DESCRIPTOR.services_by_name["BillingService"],
        ],
        "datacenter": list(data_center_pb2.DESCRIPTOR.services_by_name.values()),
        "domainserver": list(domain_server_pb2.DESCRIPTOR.services_by_name.values()),
        "watch": list(watch_pb2.DESCRIPTOR.services_by_name.values()),
    }
    common = [
        health_pb2.DESCRIPTOR.services_by_name["Health"],
        reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
    ]
    return [
        Target(address, f"/{service.full_name}/{method.name}", _streams(method), method.input_type._concrete_class)
        for tier, addresses in tiers.items()
        for address in addresses
        for service in (*own[tier], *common)
        for method in service.methods
    ]


def _streams(method: MethodDescriptor) -> bool:
    return bool(method.client_streaming or method.server_streaming)


class Maker:
    """Makes messages. `identities` are those that may be used, and harmed."""

    def __init__(self, chance: random.Random, identities: list[str]) -> None:
        self._chance = chance
        self._identities = identities

    def message(self, cls: type[Message]) -> bytes:
        """One message: filled at random, whole or bent."""
        whole = cls()
        self._fill(whole, 0)
        packed = whole.SerializeToString()
        return packed if self._chance.random() < 0.5 else self.bent(packed)

    def bent(self, packed: bytes) -> bytes:
        """The same with a few bytes otherwise."""
        chance, data = self._chance, bytearray(packed)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    data[at : at + 1] = bytes([chance.randrange(256)])
                case 1:
                    del data[at : at + chance.randrange(1, 9)]
                case 2:
                    data[at:at] = chance.randbytes(chance.randrange(1, 9))
                case _:
                    data[at:at] = data[: chance.randrange(1, 40)]
        return bytes(data)

    def _fill(self, message: Message, depth: int) -> None:
        parallel = self._chance.randrange(REPEATED_MAX) if self._chance.random() < 0.8 else -1
        for field in message.DESCRIPTOR.fields:
            if field.name in FORBIDDEN or (depth and self._chance.random() < 0.4):
                continue
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                continue
            if field.is_repeated:
                # Mostly as many of each, as parallel arrays are meant.
                count = parallel if parallel >= 0 else self._chance.randrange(REPEATED_MAX)
                self._repeat(message, field, count, depth)
            elif field.message_type is not None:
                if depth < DEPTH_MAX:
                    self._fill(getattr(message, field.name), depth + 1)
            else:
                setattr(message, field.name, self._value(field))

    def _repeat(self, message: Message, field: FieldDescriptor, count: int, depth: int) -> None:
        values = getattr(message, field.name)
        for index in range(count):
            if field.message_type is None:
                values.append(
                    index if field.name == "positions" and self._chance.random() < 0.8 else self._value(field)
                )
            elif depth < DEPTH_MAX:
                self._fill(values.add(), depth + 1)

    def _value(self, field: FieldDescriptor) -> object:
        chance = self._chance
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._text(field.name)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._body()
        if field.type == FieldDescriptor.TYPE_BOOL:
            return chance.random() < 0.5
        if field.type == FieldDescriptor.TYPE_ENUM:
            return chance.choice([0, 1, 2, 3, 4, 99])
        if field.name.endswith("time_ms"):
            return chance.choice([0, time.time_ns() // 1_000_000, -1, 2**62])
        if field.name == "timeout_ms":
            return chance.choice([1, 20, 200])
        if field.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64):
            return chance.choice(WIDE)
        return chance.choice(INTEGERS)

    def _text(self, name: str) -> str:
        chance = self._chance
        if name in ("identity", "routes", "other_party", "to_identity") and chance.random() < 0.7:
            return chance.choice(self._identities)
        if name in ("slots", "routes"):
            return chance.choice(SLOTS)
        if name == "channel" and chance.random() < 0.8:
            return "front"
        if name == "request_key":
            return f"fuzz-{chance.randrange(10**9)}"
        return chance.choice([*TEXTS, "x" * chance.choice([3, 70, 300, 20_000]), chr(chance.randrange(0xD7FF)) * 3])

    def _body(self) -> bytes:
        """What platform and domain server say to each other, or anything."""
        chance, identity = self._chance, self._chance.choice(self._identities)
        top_up = TopUp("main", "money", chance.choice(WIDE), 0, 100, "", "fuzz")
        command = Command(identity, f"b-{chance.randrange(10**9)}", b"d", "fuzz", "front", 1, top_up)
        ask: Callable[[], wire.Ask] = chance.choice(
            [
                lambda: wire.Pull(identity),
                lambda: wire.Locate(identity),
                lambda: wire.Commit(identity, command),
                lambda: wire.FetchHistory(identity, chance.choice(WIDE)),
                lambda: wire.FetchReference(chance.choice(("", "GD", "ZZ", "x" * 9_000)), chance.choice(WIDE)),
                lambda: wire.Lookup(identity, "k"),
                lambda: wire.FetchOutcomes(identity, chance.choice(WIDE), chance.choice(WIDE)),
            ]
        )
        packed = wire.pack(ask())
        return packed if chance.random() < 0.5 else self.bent(packed)

    def several(self, cls: type[Message], count: int) -> Iterator[bytes]:
        """So many messages of a stream."""
        for _ in range(count):
            yield self.message(cls)
