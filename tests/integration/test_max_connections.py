"""MAX_CONNECTIONS: one bound for all workers; when it is reached, room is made, and who finds none is told so."""
import socket

import pytest

from http_client import ConnectionEnded, request_bytes
from rules import ROOMY, rules_of
from service import run
from waiting import wait_for

pytestmark = pytest.mark.threads

WORKERS = [1, 2, 4]


def serve_at_most(serve, count, workers, store="memory", **env):
    return serve(store, rules_of(ROOMY), workers=workers, env={"MAX_CONNECTIONS": str(count), **env})


def is_open(connection):
    """Whether the service has not closed it; where no answer is due."""
    connection.socket.setblocking(False)
    try:
        return connection.socket.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    finally:
        connection.socket.settimeout(20)


def asks(service):
    """One request on a connection of its own, which is kept."""
    connection = service.connect()
    return connection, connection.get("/")


def healthcheck(service):
    return run("healthcheck", env={"PORT": str(service.port)}, directory=service.path)


@pytest.mark.parametrize("workers", WORKERS)
def test_connections_that_idle_make_room_for_new_ones(serve, workers):
    service = serve_at_most(serve, 8, workers)
    kept = []
    for _ in range(40):
        connection, response = asks(service)
        assert response.status == 200
        kept.append(connection)
    wait_for(lambda: sum(map(is_open, kept)) <= 8, "no more than 8 stay open")
    assert is_open(kept[-1]), "the one that was used last"
    assert not is_open(kept[0])


@pytest.mark.parametrize("workers", WORKERS)
def test_who_idles_longest_goes_first(serve, workers):
    service = serve_at_most(serve, 3, 1)
    first, second = service.connect(), service.connect()
    for connection in (first, second, first):
        assert connection.get("/").status == 200
    third, _ = asks(service)
    fourth, _ = asks(service)
    assert second.ends()
    assert all(map(is_open, (first, third, fourth)))


@pytest.mark.parametrize("workers", WORKERS)
def test_a_connection_in_use_stays_and_who_finds_no_place_is_told_so(serve, redis, workers):
    """All wait for Redis, so none can make room."""
    service = serve_at_most(serve, 3, workers, redis.url, REDIS_TIMEOUT_MS="60000")
    wait_for(lambda: service.get("/ready").status == 200, "every worker has its store")
    service.close_kept()
    redis.freeze()
    busy = []
    while len(busy) < 3:
        connection = service.connect()
        connection.send(request_bytes("GET", "/"))
        busy.append(connection)
        service.catch_up_bytes()
    for _ in range(16):
        with service.connect() as connection:
            response = connection.read_response()
            assert (response.status, response.closes, response["Retry-After"]) == (503, True, "1")
            assert response.json()["detail"] == "Too many connections are open."
            assert connection.socket.recv(1) == b"", "the end, and no reset"
    redis.thaw()
    assert [connection.read_response().status for connection in busy] == [200] * 3
    wait_for(lambda: asks(service)[1].status == 200, "there is room again")
    service.says("all 3 connections are in use")
    assert service.log().count("all 3 connections are in use") == 1, "one line for all workers"


@pytest.mark.parametrize("workers", WORKERS)
def test_who_stalls_in_a_request_makes_room_too(serve, workers):
    service = serve_at_most(serve, 4, workers)
    stalled = []
    for begun in (b"", b"GET / HT", request_bytes("GET", "/")[:-2],
                  request_bytes("POST", "/api/submit", {"Content-Length": "9"}, b"half")):
        stalled.append(service.connect())
        stalled[-1].send(begun)
    wait_for(lambda: may_get(service) == 200, "there is room")
    wait_for(lambda: not all(map(is_open, stalled)), "one of them went")


def may_get(service):
    """The status; None: the connection ended."""
    try:
        with service.connect() as connection:
            return connection.get("/").status
    except ConnectionEnded:
        return None


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\n"], ids=["nothing", "half a request"])
def test_healthcheck_finds_room_in_a_service_that_is_full(serve, workers, begun):
    service = serve_at_most(serve, 8, workers)
    for _ in range(16):
        service.connect().send(begun)
    for _ in range(3):
        done = healthcheck(service)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("workers", WORKERS)
def test_a_service_of_one_connection_serves_one_after_the_other(serve, workers):
    service = serve_at_most(serve, 1, workers)
    for _ in range(10):
        assert asks(service)[1].status == 200


def test_fewer_connections_where_the_process_may_not_open_so_many_files(serve):
    service = serve("memory", rules_of(ROOMY), workers=2, wrapper=["prlimit", "--nofile=256"])
    service.says("MAX_CONNECTIONS is 128, because the process may open 256 files")
    assert [asks(service)[1].status for _ in range(300)] == [200] * 300
    assert "can be accepted" not in service.log()
