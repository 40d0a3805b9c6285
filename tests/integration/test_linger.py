"""Answers that end a connection whose client still sends: they arrive."""
import signal
import socket

import pytest

from http_client import request_bytes
from rules import ROOMY, rules_of
from waiting import wait_for

MEGABYTES = 3_000_000


def post_of(bytes_):
    return request_bytes("POST", "/api/submit", {"Content-Length": str(bytes_)})


@pytest.mark.parametrize("workers", [1, 2])
def test_a_client_that_sends_to_its_end_before_it_reads_gets_its_413(serve, workers):
    service = serve(rules=rules_of(ROOMY), workers=workers)
    for _ in range(30):
        with service.connect() as connection:
            assert connection.send(post_of(MEGABYTES) + b"x" * MEGABYTES), "it was read to its end"
            response = connection.read_response()
            assert (response.status, response.closes) == (413, True)
            assert connection.socket.recv(1) == b"", "the end, and no reset"


def test_a_client_that_reads_late_gets_its_413(serve):
    """The answer and the end of the stream wait in its queue; what it sends meanwhile does not drive them out."""
    connection = serve(rules=rules_of(ROOMY)).connect()
    connection.send(post_of(MEGABYTES))
    connection.socket.recv(1, socket.MSG_PEEK)
    for _ in range(30):
        assert connection.send(b"x" * 100_000)
    assert connection.read_response().status == 413
    assert connection.socket.recv(1) == b""


def test_a_request_behind_a_refused_one_is_not_served_but_does_no_harm(serve, redis):
    service = serve(redis.url, rules_of(ROOMY))
    connection = service.connect()
    connection.send(request_bytes("GET", "/", host=None) + request_bytes("GET", "/") * 1000)
    assert connection.read_response().status == 400
    assert connection.socket.recv(1) == b""
    assert redis.keys() == []


def test_a_drain_ends_pipelines_with_a_whole_answer(serve):
    """The requests after the one that the drain ends are still unread then."""
    service = serve(rules=rules_of(ROOMY), workers=1)
    connection = service.connect()
    assert connection.get("/health").status == 200
    connection.send(request_bytes("POST", "/api/submit", {"Content-Length": "4"}))
    service.catch_up()
    service.signal(signal.SIGTERM)
    wait_for(service.lets_nobody_in, "it drains")
    connection.send(b"body" + request_bytes("GET", "/") * 1000)
    response = connection.read_response()
    assert (response.status, response.closes) == (200, True)
    assert connection.socket.recv(1) == b""
    connection.close()
    assert service.wait() == 0


def test_a_client_that_never_stops_sending_is_cut_off(serve):
    connection = serve(rules=rules_of(ROOMY)).connect()
    connection.send(post_of(1 << 40))
    sent = 0
    while connection.send(b"x" * 1_000_000):
        sent += 1_000_000
        assert sent < 64_000_000
