"""SIGTERM: what was sent is answered, what is idle is closed, and it is over in time."""
import signal
import threading

import pytest

from http_client import ConnectionEnded, request_bytes
from rules import ROOMY, bucket, rules_of
from waiting import Stopwatch, wait_for


class Client(threading.Thread):
    """Sends one request after the other until an answer says that it was the last one on this connection."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection, self.answered, self.last, self.lost = connection, 0, None, None
        self.start()

    def run(self):
        try:
            while self.last is None or not self.last.closes:
                self.last = self.connection.get("/")
                self.answered += 1
        except (ConnectionEnded, OSError) as error:
            self.lost = error


@pytest.mark.threads
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_loses_no_request(serve, store, number):
    service = serve(store, rules_of(ROOMY), workers=2)
    clients = [Client(service.connect()) for _ in range(8)]
    wait_for(lambda: all(client.answered > 20 for client in clients), "the load is on")
    service.signal(number)
    for client in clients:
        client.join(20)
        assert not client.is_alive()
        assert client.lost is None, "each was told that its connection would end"
        assert client.last.status == 200
    assert service.wait() == 0


def test_a_request_that_was_begun_is_answered(serve, store):
    service = serve(store, rules_of(ROOMY), workers=1)
    connection = service.connect()
    request = request_bytes("POST", "/api/submit", body=b"x" * 1000)
    connection.send(request[:-500])
    service.catch_up()
    service.signal(signal.SIGTERM)
    wait_for(service.lets_nobody_in, "it drains")
    connection.send(request[-500:])
    response = connection.read_response()
    assert (response.status, response.closes) == (200, True)
    assert service.wait() == 0


def test_requests_that_wait_for_redis_are_answered(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), workers=1, env={"REDIS_TIMEOUT_MS": "20000"})
    assert service.get("/").status == 200
    redis.freeze()
    connections = [service.connect() for _ in range(20)]
    for connection in connections:
        connection.send(request_bytes("GET", "/"))
    service.catch_up()
    service.signal(signal.SIGTERM)
    service.says("draining")
    redis.thaw()
    assert [connection.read_response().status for connection in connections] == [200] * 20
    assert service.wait() == 0


def test_while_draining_it_is_not_ready(serve):
    service = serve(workers=1)
    connection = service.connect()
    assert connection.get("/ready").status == 200
    service.signal(signal.SIGTERM)

    def answer():
        response = connection.get("/ready")
        return response if response.status != 200 else None
    response = wait_for(answer, "it drains")
    assert (response.status, response.closes) == (503, True)
    assert response.json() == {"ready": False, "reason": "draining", "unavailable": []}
    assert service.wait() == 0


def test_idle_connections_do_not_hold_it_up(serve):
    service = serve(workers=2, env={"IDLE_TIMEOUT_MS": "3600000"})
    connections = [service.connect() for _ in range(50)]
    for connection in connections[:25]:
        assert connection.get("/health").status == 200
    assert service.stop() == 0
    assert all(connection.ends() for connection in connections)


def test_it_takes_no_new_connection(serve):
    service = serve(workers=1)
    held = service.connect()
    held.send(request_bytes("GET", "/")[:-2])
    service.catch_up()
    service.signal(signal.SIGTERM)

    def refused():
        try:
            service.connect().close()
            return False
        except OSError:
            return True
    wait_for(refused, "the port is closed")
    held.send(b"\r\n")
    assert held.read_response().status == 200
    assert service.wait() == 0


def test_a_redis_that_is_frozen_does_not_hold_it_up(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), workers=2, env={"REDIS_TIMEOUT_MS": "1000"})
    assert service.get("/").status == 200
    redis.freeze()
    connection = service.connect()
    connection.send(request_bytes("GET", "/"))
    assert service.stop() == 0
    assert connection.read_response().status == 503


@pytest.mark.parametrize("url", ["redis://192.0.2.1:6379", "redis://no-such-host.invalid", "redis://127.0.0.1:1"])
def test_a_redis_that_cannot_be_reached_does_not_hold_it_up(serve, url):
    service = serve(url, workers=2)
    assert service.stop() == 0


def test_a_request_that_waits_longer_than_the_drain_is_answered_at_its_end(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), workers=1, env={"REDIS_TIMEOUT_MS": "60000"})
    assert service.get("/").status == 200
    redis.freeze()
    connection = service.connect()
    connection.send(request_bytes("GET", "/"))
    service.catch_up()
    clock = Stopwatch()
    assert service.stop() == 0
    assert clock.elapsed_s() < 10
    assert connection.read_response().status == 503


def test_a_second_signal_ends_it_at_once(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), workers=1, env={"REDIS_TIMEOUT_MS": "60000"})
    assert service.get("/").status == 200
    redis.freeze()
    connection = service.connect()
    connection.send(request_bytes("GET", "/"))
    service.catch_up()
    service.signal(signal.SIGTERM)
    service.says("draining")

    def ended():
        service.signal(signal.SIGTERM)
        return service.process.poll() is not None
    wait_for(ended, "it is gone", 7)
    assert service.process.returncode == 1, "not as a drain ends"
    assert connection.ends()


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_that_others_reload_on_is_said_and_ignored(serve, number):
    service = serve(workers=1)
    for times in (1, 2):
        service.signal(number)
        wait_for(lambda: service.log().count(f"{number.name} ignored: ") == times, "it says so each time")
    assert service.get("/health").status == 200
    assert service.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_that_is_ignored_does_not_cut_a_drain_short(serve, number):
    service = serve(workers=1)
    connection = service.connect()
    request = request_bytes("POST", "/api/submit", body=b"x" * 1000)
    connection.send(request[:-500])
    service.catch_up()
    service.signal(signal.SIGTERM)
    service.says("draining")
    service.signal(number)
    connection.send(request[-500:])
    assert connection.read_response().status == 200
    assert service.wait() == 0


def test_sigpipe_does_not_end_it(serve):
    service = serve(workers=1)
    service.signal(signal.SIGPIPE)
    assert service.get("/health").status == 200


def test_a_signal_before_anything_was_asked_ends_it_well(serve):
    for store in ("memory", "redis://127.0.0.1:1"):
        assert serve(store, rules_of(bucket(1))).stop() == 0
