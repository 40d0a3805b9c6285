"""Bodies of the JSON API while they come in: what they may hold, and that nobody can fill it up for the others."""
import json

import pytest

from http_client import request_bytes
from rules import ROOMY, rules_of

BATCH_BYTES = 1 << 20
CHECK = json.dumps({"rule": "default", "client": "c" * 150}).encode()
BATCH = json.dumps({"checks": [{"rule": "default", "client": "c" * 900}] * 1000}).encode()
ATTACKER, OTHER = "127.0.0.2", "127.0.0.3"


def send_half(connection):
    connection.send(request_bytes("POST", "/v1/check/batch", {"Content-Length": str(BATCH_BYTES)}))
    connection.send(b" " * (BATCH_BYTES // 2 + 1000))


def send_rest(connection):
    connection.send(b" " * (BATCH_BYTES // 2 - 1000))


@pytest.fixture
def besieged(serve):
    """A worker at which 64 connections of one address have sent half a body each."""
    service = serve(rules=rules_of(ROOMY), workers=1)
    service.held = [service.connect(ATTACKER) for _ in range(64)]
    for connection in service.held:
        send_half(connection)
    service.catch_up()
    return service


@pytest.mark.parametrize("source", [ATTACKER, OTHER])
def test_a_check_is_read_while_64_half_bodies_are_held(besieged, source):
    connection = besieged.connect(source)
    for _ in range(20):
        assert connection.post("/v1/check", body=CHECK).status == 200


def test_a_batch_of_another_address_is_read_while_64_half_bodies_are_held(besieged):
    connection = besieged.connect(OTHER)
    for _ in range(5):
        response = connection.post("/v1/check/batch", body=BATCH)
        assert response.status == 200
        assert {result["status"] for result in response.json()["results"]} == {200}


def test_what_is_beyond_a_share_is_503_and_the_connection_is_kept(besieged):
    statuses = []
    for connection in besieged.held:
        send_rest(connection)
        response = connection.read_response()
        assert not response.closes
        statuses.append(response.status)
        if response.status == 503:
            assert response["Retry-After"] == "1"
            assert response.json()["detail"] == "Too many requests with bodies are under way."
    assert sorted(statuses) == [400] * 32 + [503] * 32
    assert besieged.connect(ATTACKER).post("/v1/check/batch", body=BATCH).status == 200, "there is room again"


@pytest.mark.threads
def test_a_proxy_may_send_many_large_bodies_at_a_time(serve):
    """All clients of a proxy are one peer: alone it has half of the room, of each worker."""
    service = serve(rules=rules_of(ROOMY), workers=1)
    connections = [service.connect() for _ in range(30)]
    for connection in connections:
        connection.send(request_bytes("POST", "/v1/check/batch", body=BATCH)[:-1])
    for connection in connections:
        connection.send(BATCH[-1:])
    assert [connection.read_response().status for connection in connections] == [200] * 30
