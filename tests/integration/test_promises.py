"""What the first page promises, line by line, with the rules file that comes with the service."""
import json

import pytest

from http_client import chunked, request_bytes
from rules import most_allowed
from waiting import Stopwatch, wait_for

QUICK = [("GET", "/", {}, None), ("GET", "/api/data", {}, None),
         ("POST", "/api/submit", {"Content-Type": "application/json"}, b'{"name": "value"}'),
         ("POST", "/api/submit", {"Content-Type": "application/x-www-form-urlencoded"}, b"name=value&other=1"),
         ("POST", "/api/submit", {"Transfer-Encoding": "chunked"}, chunked(b'{"name"', b': "value"}'))]


def test_limited_resource_gives_ten_a_minute_to_each_user(serve, store):
    service, clock = serve(store), Stopwatch()
    requests = [request_bytes("GET", "/limited-resource", {"user_id": "test_user"})] * 15
    statuses = [response.status for response in service.connect().pipeline(requests)]
    most = most_allowed(10, 10 / 60, clock.elapsed_s())
    assert 10 <= statuses.count(200) <= most
    assert statuses[:10] == [200] * 10
    assert statuses.count(429) == 15 - statuses.count(200)
    assert service.get("/limited-resource", {"user_id": "another"}).status == 200
    assert service.get("/limited-resource").status == 200, "without the header the address is the client"


def test_api_resource_gives_a_hundred_to_each_key(serve, store):
    service = serve(store)
    responses = [service.post("/api/resource", {"X-API-Key": "k1"}) for _ in range(110)]
    assert [response.status for response in responses] == [200] * 100 + [429] * 10
    assert {response["X-RateLimit-Limit"] for response in responses} == {"100"}
    assert [int(response["X-RateLimit-Remaining"]) for response in responses] == [*range(99, -1, -1), *[0] * 10]
    assert responses[-1].body.startswith(b'{"detail": "Too many requests. Please retry later."')
    assert service.post("/api/resource", {"X-API-Key": "k2"}).status == 200


@pytest.mark.parametrize("window", ["3600000", "1h"])
def test_default_limit_and_window_change_the_rule_without_the_file(serve, store, window):
    service = serve(store, env={"DEFAULT_LIMIT": "3", "DEFAULT_WINDOW": window})
    responses = [service.post("/api/resource", {"X-API-Key": "k"}) for _ in range(5)]
    assert [response.status for response in responses] == [200] * 3 + [429] * 2
    assert responses[0]["X-RateLimit-Limit"] == "3"
    assert responses[0]["RateLimit-Policy"] == '"api-resource";q=3;w=3600'


@pytest.mark.parametrize("method, path, headers, body", QUICK)
def test_of_fifteen_quick_requests_ten_pass(serve, store, method, path, headers, body):
    service, clock = serve(store), Stopwatch()
    request = request_bytes(method, path, headers, body)
    # libmicrohttpd before 1.0 reads chunks leniently, so a connection may end after them.
    each = 1 if "Transfer-Encoding" in headers else 15
    responses = [response for _ in range(15 // each) for response in service.connect().pipeline([request] * each)]
    most = most_allowed(10, 2, clock.elapsed_s())
    statuses = [response.status for response in responses]
    assert set(statuses) == {200, 429}
    assert statuses[:10] == [200] * 10
    assert statuses.count(200) <= most
    assert all(int(response["Retry-After"]) >= 1 for response in responses if response.status == 429)


def test_after_half_a_second_one_more_passes(serve, store):
    service, clock = serve(store), Stopwatch()
    connection = service.connect()
    assert [connection.get("/api/data").status for _ in range(10)] == [200] * 10
    passed = 10

    def passes():
        nonlocal passed
        passed += connection.get("/api/data").status == 200
        return passed >= 12
    wait_for(passes, "two more pass")
    assert passed <= most_allowed(10, 2, clock.elapsed_s())


def test_a_rules_file_of_two_short_rules_limits_every_path_by_default(serve, store):
    rules = '{"default": {"capacity": 20, "refill_rate": 5}, "special_path": {"capacity": 50, "refill_rate": 10}}'
    service, clock = serve(store, rules), Stopwatch()
    paths = [("GET", "/"), ("GET", "/limited-resource"), ("POST", "/api/resource"), ("GET", "/api/data"),
             ("POST", "/api/submit")]
    responses = service.connect().pipeline([request_bytes(*paths[i % 5]) for i in range(40)])
    statuses = [response.status for response in responses]
    assert statuses[:20] == [200] * 20, "one bucket for all of them"
    assert statuses.count(200) <= most_allowed(20, 5, clock.elapsed_s())
    assert {response["X-RateLimit-Limit"] for response in responses} == {"20"}
    assert {response["RateLimit-Policy"] for response in responses} == {'"default";q=20;w=4'}


def test_health_and_ready_are_never_limited(serve, store):
    service = serve(store, {"default": {"capacity": 1, "refill_rate": "1/1h"}})
    wait_for(lambda: service.get("/ready").status == 200, "every worker has its store")
    assert service.statuses(2, "/") == [200, 429]
    for path in ("/health", "/ready"):
        responses = [service.get(path) for _ in range(30)]
        assert {response.status for response in responses} == {200}, path
        assert not any("X-RateLimit-Limit" in response for response in responses)


def test_health_says_where_the_counters_are(serve, store):
    service = serve(store)
    health = wait_for(lambda: service.health()["status"] == "ok" and service.health(), "every worker has its store")
    assert health["store"] == {"kind": "memory" if store == "memory" else "redis", "state": "ready"}


def test_dotenv_in_the_working_directory_is_read(serve):
    dotenv = 'export DEFAULT_LIMIT=2\nDEFAULT_WINDOW="3600000" # an hour\nLOG_FORMAT=text\nOTHER=of no interest\n'
    service = serve(dotenv=dotenv)
    assert service.statuses(3, "/api/resource", method="POST") == [200, 200, 429]
    assert not service.log().startswith("{"), "LOG_FORMAT is text"


def test_the_environment_wins_over_dotenv_and_a_flag_over_both(serve):
    dotenv = "DEFAULT_LIMIT=2\n"
    assert serve(dotenv=dotenv, env={"DEFAULT_LIMIT": "3"}).post("/api/resource")["X-RateLimit-Limit"] == "3"
    service = serve(dotenv=dotenv, env={"DEFAULT_LIMIT": "3"}, flags=["--default-limit", "4"])
    assert service.post("/api/resource")["X-RateLimit-Limit"] == "4"


def test_every_line_of_the_log_is_a_json_object(serve, redis):
    service = serve(redis.url)
    service.says("connected to redis://")
    redis.kill()
    service.says("no connection to redis://")
    for line in service.log().splitlines():
        assert {"time", "level", "module", "message"} == set(json.loads(line)), line
