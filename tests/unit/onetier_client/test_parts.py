"""Keys, requests and the ranking of endpoints."""

import pytest
from onetier.v1 import service_desk_pb2 as pb

from onetier_client import new_key, requests
from onetier_client.endpoints import Ranking
from onetier_client.keys import KeyMaker


def test_keys_are_unique_ordered_and_short_enough() -> None:
    keys = [new_key() for _ in range(10_000)]
    assert len(set(keys)) == 10_000
    assert keys == sorted(keys)
    assert {len(key) for key in keys} == {36}
    assert KeyMaker().make()[12:28] != keys[-1][12:28]


def test_requests_say_what_they_are_told() -> None:
    request = requests.charge("13012345678", "voice", 60, visited_place="BJ", attributes={"network": "5g"})
    assert request.request_type == pb.REQUEST_TYPE_CHARGE
    assert (request.quantity, request.visited_place, request.attributes["network"]) == (60, "BJ", "5g")
    assert request.request_key
    assert not requests.quote("13012345678", "voice").request_key
    assert requests.execute("13012345678", requests.top_up(5), request_key="k").request_key == "k"


def test_only_commands_are_executed() -> None:
    with pytest.raises(TypeError, match="no command"):
        requests.execute("13012345678", pb.ChargeStep())  # type: ignore[arg-type]


def test_without_an_endpoint_only_its_identities_move() -> None:
    endpoints = ["a:1", "b:1", "c:1", "d:1"]
    whole, less = Ranking(endpoints), Ranking(endpoints[:3])
    people = [f"130{n * 7919 % 100_000_000:08}" for n in range(4_000)]
    first = [whole.of(person)[0] for person in people]
    assert all(700 < first.count(index) < 1_300 for index in range(4))
    for person, index in zip(people, first, strict=True):
        order = [at for at in whole.of(person) if at != 3]
        assert less.of(person)[0] == order[0]
        assert index == 3 or order[0] == index


def test_no_endpoint_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one endpoint"):
        Ranking([])
