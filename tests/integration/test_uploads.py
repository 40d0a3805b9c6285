"""Bodies of the JSON API while they come in: what they may hold, and that nobody can fill it up for the others."""
import json
import select

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
        statuses.append(response.status)
        if response.status == 408:
            continue  # on a machine so slow that 5 s have passed
        assert not response.closes
        if response.status == 503:
            assert response["Retry-After"] == "1"
            assert response.json()["detail"] == "Too many requests with bodies are in progress."
    assert set(statuses) <= {400, 408, 503}
    assert 408 in statuses or statuses.count(503) == 32
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


# How slowly a body may come.

@pytest.mark.parametrize("sent", [b"", b"half"], ids=["nothing", "half of it"])
def test_a_body_that_does_not_come_is_408(serve, sent):
    connection = serve(rules=rules_of(ROOMY)).connect()
    connection.send(request_bytes("POST", "/v1/check", {"Content-Length": "100"}) + sent)
    response = connection.read_response()
    assert (response.status, response.closes) == (408, True)
    assert response.json() == {"detail": "The body was sent too slowly.", "type": "about:blank",
                               "title": "Request Timeout", "status": 408}
    assert connection.socket.recv(1) == b"", "the end, and no reset"


@pytest.mark.parametrize("path", ["/v1/check", "/api/submit"])
def test_a_body_in_drops_is_408_and_what_still_comes_does_no_harm(serve, path):
    """A byte now and then is no progress."""
    service = serve(rules=rules_of(ROOMY))
    connection = service.connect()
    connection.send(request_bytes("POST", path, {"Content-Length": "60000"}))
    sent = 0
    while not select.select([connection.socket], [], [], 0.05)[0]:
        connection.send(b" ")
        sent += 1
    connection.send(b" " * 1000)
    assert connection.read_response().status == 408
    assert connection.socket.recv(1) == b""
    assert service.get("/").status == 200


LONG_LINES = {"an extension": b"1;" + b"a" * 40000, "zeros": b"0" * 40000,
              "the extension of the last": b"1\r\na\r\n0;" + b"a" * 40000}


@pytest.mark.parametrize("lines", LONG_LINES.values(), ids=LONG_LINES.keys())
def test_a_line_before_a_chunk_that_fills_the_memory_is_413(serve, lines):
    """libmicrohttpd 0.9.75 neither reads on nor says so: its client, and the drain, would wait for ever."""
    service = serve(rules=rules_of(ROOMY))
    connection = service.connect()
    connection.send(request_bytes("POST", "/api/submit", {"Transfer-Encoding": "chunked"}) + lines)
    response = connection.read_response()
    assert (response.status, response.closes) == (413, True)
    assert connection.socket.recv(1) == b"", "the end, and no reset"


def test_the_end_of_a_client_is_seen_behind_a_line_that_fills_the_memory(serve):
    service = serve(rules=rules_of(ROOMY), workers=1)
    for _ in range(10):
        connection = service.connect()
        connection.send(request_bytes("POST", "/api/submit", {"Transfer-Encoding": "chunked"}) + LONG_LINES["zeros"])
        connection.close()
    service.catch_up()
    assert service.stop() == 0
    assert "were still open" not in service.log()


def test_a_slow_client_that_keeps_to_the_rate_is_read(serve):
    """4 KiB/s for 8 s: longer than the patience, faster than the least rate."""
    connection = serve(rules=rules_of(ROOMY)).connect()
    body = CHECK + b" " * (32 * 1024 - len(CHECK))
    connection.send(request_bytes("POST", "/v1/check", {"Content-Length": str(len(body))}))
    for i in range(0, len(body) - 1024, 1024):
        connection.send(body[i:i + 1024])
        assert not select.select([connection.socket], [], [], 0.25)[0]
    connection.send(body[-1024:])
    assert connection.read_response().status == 200
