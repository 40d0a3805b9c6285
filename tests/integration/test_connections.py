"""Connections that serve many requests: kept alive, pipelined, drained, and cut off when they hold things up."""
import select

import pytest

from http_client import ConnectionEnded, chunked, request_bytes
from rules import ROOMY, at, bucket, rules_of
from waiting import Stopwatch


def test_a_connection_survives_every_answer_that_lets_it(serve, store):
    rules = rules_of(bucket(3, identify_by=["header:user_id"]), data=at("/api/data", bucket(1)))
    service = serve(store, rules)
    connection = service.connect()
    name = {"user_id": "u"}
    steps = [("GET", "/", name, None, 200), ("GET", "/none", {}, None, 404), ("DELETE", "/", name, None, 405),
             ("GET", "/", {}, None, 400), ("HEAD", "/", name, None, 200), ("POST", "/api/submit", name, b"body", 200),
             ("GET", "/", name, None, 429), ("POST", "/api/submit", name, b"body", 429), ("HEAD", "/", name, None, 429),
             ("GET", "/api/data", {}, None, 200), ("GET", "/api/data", {}, None, 429),
             ("GET", "/health", {}, None, 200), ("GET", "/ready", {}, None, 200)]
    for method, path, headers, body, status in steps:
        response = connection.request(method, path, headers, body)
        assert (response.status, response.closes) == (status, False), (method, path)


def test_a_connection_survives_503(serve, redis):
    service = serve(redis.url, workers=1)
    connection = service.connect()
    redis.kill()
    for _ in range(5):
        response = connection.post("/api/resource", body=b"some body")
        assert (response.status, response.closes) == (503, False)
    assert "api-resource" in connection.get("/ready").json()["unavailable"]


def test_pipelined_requests_are_answered_in_their_order(serve, store):
    rules = rules_of(bucket(2), data=at("/api/data", bucket(100)))
    service = serve(store, rules)
    requests = [request_bytes("GET", "/none"), request_bytes("GET", "/api/data"), request_bytes("GET", "/health"),
                request_bytes("POST", "/api/submit", body=b"x" * 3000), request_bytes("PUT", "/"),
                request_bytes("POST", "/api/submit", body=b"abc"),
                request_bytes("GET", "/")]
    # After chunks libmicrohttpd 0.9.75 is not believed to know where the next request begins.
    last = request_bytes("POST", "/api/submit", {"Transfer-Encoding": "chunked"}, chunked(b"a", b"bc"))
    statuses = [response.status for response in service.connect().pipeline(requests * 5 + [last])]
    assert statuses == [404, 200, 200, 200, 405, 200, 429] + [404, 200, 200, 429, 405, 429, 429] * 4 + [429]


def test_a_pipeline_of_hundreds_counts_each(serve, store):
    service = serve(store, rules_of(bucket(1000)))
    responses = service.connect().pipeline([request_bytes("GET", "/")] * 300)
    assert [int(response["X-RateLimit-Remaining"]) for response in responses] == list(range(999, 699, -1))


def test_a_client_that_asks_for_the_end_gets_it(serve, store):
    service = serve(store)
    connection = service.connect()
    response = connection.get("/", {"Connection": "close"})
    assert (response.status, response.closes) == (200, True)
    assert connection.ends()


def test_http_1_0_needs_no_host_and_is_not_kept(serve, store):
    service = serve(store)
    connection = service.connect()
    connection.send(b"GET /api/data HTTP/1.0\r\n\r\n")
    assert connection.read_response().status == 200
    assert connection.ends()


def test_http_1_0_is_kept_where_it_asks_for_it(serve, store):
    service = serve(store)
    connection = service.connect()
    for _ in range(3):
        connection.send(b"GET /api/data HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert connection.read_response().status == 200


def test_a_request_in_single_bytes_is_a_request(serve, store):
    service = serve(store)
    connection = service.connect()
    for byte in request_bytes("POST", "/api/submit", {"Transfer-Encoding": "chunked"}, chunked(b"body")):
        connection.send(bytes([byte]))
    assert connection.read_response().status == 200


def test_a_client_that_asks_first_is_told_to_send_its_body(serve):
    connection = serve().connect()
    connection.send(request_bytes("POST", "/api/submit", {"Expect": "100-continue", "Content-Length": "4"}))
    assert connection.read_response(interim=True).status == 100
    connection.send(b"body")
    assert connection.read_response().status == 200


def test_a_client_that_asks_first_is_told_that_its_body_is_too_large(serve):
    connection = serve().connect()
    connection.send(request_bytes("POST", "/api/submit", {"Expect": "100-continue", "Content-Length": "100000"}))
    assert connection.read_response(interim=True).status == 413


def test_a_chunked_body_beyond_the_cap_is_413(serve):
    service = serve(rules=rules_of(bucket(1)))
    connection = service.connect()
    body = chunked(b"x" * 65000, b"y" * 900)
    connection.send(request_bytes("POST", "/api/submit", {"Transfer-Encoding": "chunked"}, body))
    response = connection.read_response()
    assert response.status == 413
    assert response.json()["status"] == 413
    assert service.get("/").status == 200, "it was not counted"


def test_a_large_body_is_read_to_its_end_by_a_client_that_does_not_look(serve):
    """The answer must not be lost in a reset because the client was still sending."""
    service = serve(rules=rules_of(ROOMY))
    body = chunked(*[b"x" * 50000] * 6)
    for _ in range(20):
        with service.connect() as connection:
            connection.send(request_bytes("POST", "/api/submit", {"Transfer-Encoding": "chunked"}, body))
            assert connection.read_response().status == 413


def test_a_client_that_leaves_in_the_middle_holds_nothing_up(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), workers=1)
    for request in (request_bytes("GET", "/"), request_bytes("GET", "/")[:20],
                    request_bytes("POST", "/api/submit", {"Content-Length": "100"}, b"half")):
        for _ in range(20):
            with service.connect() as connection:
                connection.send(request)
    assert service.get("/").status == 200


def test_a_client_that_leaves_while_redis_is_asked_holds_nothing_up(serve, redis):
    service = serve(redis.url, rules_of(ROOMY), workers=1, env={"REDIS_TIMEOUT_MS": "300"})
    redis.freeze()
    for _ in range(20):
        with service.connect() as connection:
            connection.send(request_bytes("GET", "/"))
    redis.thaw()
    assert service.get("/health").status == 200
    assert service.get("/").status in (200, 503)


def ends_while_sending(connection, piece):
    """Sends the piece again and again, slowly, until the server closes the connection."""
    while not select.select([connection.socket], [], [], 0.05)[0]:
        if not connection.send(piece):
            return True
    try:
        connection.read_response()
        return False
    except ConnectionEnded:
        return True


def test_a_header_that_dribbles_in_is_cut_off(serve):
    service = serve(env={"HEADER_TIMEOUT_MS": "300"}, workers=1)
    clock, connection = Stopwatch(), service.connect()
    connection.send(b"GET / HTTP/1.1\r\nHost: test\r\nX: ")
    assert ends_while_sending(connection, b"y")
    assert clock.elapsed_s() >= 0.29
    assert service.get("/").status == 200


def test_a_second_header_that_dribbles_in_is_cut_off(serve):
    service = serve(env={"HEADER_TIMEOUT_MS": "300"}, workers=1)
    connection = service.connect()
    assert connection.get("/").status == 200
    clock = Stopwatch()
    connection.send(b"GET / HTTP/1.1\r\nHost: test\r\nX: ")
    assert ends_while_sending(connection, b"y")
    assert clock.elapsed_s() >= 0.29


def test_a_first_line_that_dribbles_in_is_cut_off(serve):
    service = serve(env={"HEADER_TIMEOUT_MS": "300", "IDLE_TIMEOUT_MS": "1000"}, workers=1)
    connection = service.connect()
    assert ends_while_sending(connection, b"G")
    connection = service.connect()
    assert connection.get("/").status == 200
    assert ends_while_sending(connection, b"G")


def test_a_connection_that_says_nothing_is_closed(serve):
    service = serve(env={"HEADER_TIMEOUT_MS": "300"}, workers=1)
    clock, connection = Stopwatch(), service.connect()
    assert connection.ends()
    assert clock.elapsed_s() >= 0.29


def test_an_idle_connection_is_closed_later_than_a_slow_one(serve):
    service = serve(env={"HEADER_TIMEOUT_MS": "300", "IDLE_TIMEOUT_MS": "1000"}, workers=1)
    connection = service.connect()
    assert connection.get("/").status == 200
    clock = Stopwatch()
    assert connection.ends()
    assert clock.elapsed_s() >= 0.99


def test_many_slow_clients_do_not_keep_others_out(serve):
    service = serve(workers=2, env={"MAX_CONNECTIONS": "200", "HEADER_TIMEOUT_MS": "500"})
    slow = [service.connect() for _ in range(300)]
    for connection in slow:
        connection.send(b"GET / HTTP/1.1\r\nX: ")
    assert service.get("/health").status == 200, "as soon as the slow ones are cut off"


@pytest.mark.threads
def test_connections_come_and_go_on_every_worker(serve):
    service = serve(rules=rules_of(ROOMY), workers=4)
    for _ in range(200):
        with service.connect() as connection:
            assert connection.get("/").status == 200
    assert service.get("/")["X-RateLimit-Remaining"] == str(1000000 - 201)
